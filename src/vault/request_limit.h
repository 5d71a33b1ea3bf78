#pragma once
// RequestLimit is the token bucket of one Vault address: on average no more than `per_second`
// requests, `burst` at once, and none while Vault has asked for a pause.
//
// Threads:  none of its own: Endpoint calls it under its lock.
// Failure:  none.

#include <optional>

#include "src/base/clock.h"

namespace tracekeeper::vault {

class RequestLimit {
 public:
  /// `per_second` of 0: no limit but the pauses.
  RequestLimit(double per_second, double burst) : per_second_(per_second), burst_(burst) {}

  /// How long a request must wait for its turn, which is then kept for it. Where that is longer
  /// than `longest`, nothing is kept.
  struct Turn {
    Duration wait{};
    bool is_kept = true;
  };
  Turn Take(MonotonicTime now, Duration longest);
  /// No request before `until`.
  void PauseUntil(MonotonicTime until);

 private:
  const double per_second_;
  const double burst_;
  double tokens_ = 0;  // below zero: turns that are promised
  std::optional<MonotonicTime> filled_at_;
  MonotonicTime pause_until_{};
};

}  // namespace tracekeeper::vault
