#include "sidecar/timestamp.h"

#include <fmt/chrono.h>

namespace tracekeeper::sidecar {

std::string Timestamp(Instant instant) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(instant);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)));
}

}  // namespace tracekeeper::sidecar
