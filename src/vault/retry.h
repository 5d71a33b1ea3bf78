#pragma once
// When something that failed at Vault is tried again: what a row's Retry means in time.
//
// Threads:  pure functions; the caller counts attempts and brings the randomness.

#include <optional>

#include "src/base/clock.h"
#include "src/base/error.h"

namespace tracekeeper::vault {

/// Full jitter: uniform between 1 s and 2 s, 4 s, ... 60 s. `attempt` 0 is the first retry.
[[nodiscard]] Duration FullJitter(unsigned attempt, double random);

/// The wait before retry `attempt`, or nothing where the same thing must not be tried again.
/// `random` is uniform in [0, 1). Never shorter than what the error asked for, and never the same
/// for all who got the same error, so that they do not come back together.
[[nodiscard]] std::optional<Duration> WaitBeforeRetry(const Error& error, unsigned attempt,
                                                      double random);

}  // namespace tracekeeper::vault
