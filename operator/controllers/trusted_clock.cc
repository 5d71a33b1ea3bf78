#include "operator/controllers/trusted_clock.h"

#include <algorithm>

namespace tracekeeper::controllers {

void TrustedClock::RaiseFloor(Instant time) {
  const std::scoped_lock lock(mutex_);
  floor_ = std::max(floor_, time);
}

std::optional<Instant> TrustedClock::Now(const kube::ObjectKey& connection,
                                         const vault::Endpoint& endpoint) {
  const auto heard = endpoint.heard_date();
  const std::scoped_lock lock(mutex_);
  auto& known = known_.try_emplace(connection, Known{domain::TrustedTime::Unconfirmed(floor_), {}})
                    .first->second;
  const domain::ClockReading reading{clock_.Now(), clock_.Monotonic()};
  if (heard && heard->at > known.heard_at) {
    known.time = known.time.Heard(heard->date + (reading.monotonic - heard->at), reading);
    known.heard_at = heard->at;
  }
  return known.time.Now(reading);
}

}  // namespace tracekeeper::controllers
