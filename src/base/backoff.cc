#include "src/base/backoff.h"

#include <algorithm>
#include <cmath>

namespace tracekeeper {

Duration Backoff::Wait(unsigned attempt, double random) const {
  // In doubles: 2^attempt leaves 64 bits long before a caller stops counting.
  const double grown = static_cast<double>(first.count()) * std::pow(factor, attempt);
  const double capped = std::min(grown, static_cast<double>(cap.count()));
  return Duration(static_cast<Duration::rep>(capped * (1.0 + jitter * random)));
}

Backoff Backoff::Watch() {
  return {.first = std::chrono::milliseconds(800),
          .factor = 2.0,
          .cap = std::chrono::seconds(30),
          .jitter = 1.0};
}

Backoff Backoff::PerKey() {
  return {.first = std::chrono::milliseconds(5),
          .factor = 2.0,
          .cap = std::chrono::seconds(1000),
          .jitter = 0.0};
}

}  // namespace tracekeeper
