#pragma once
// When a credential is replaced or its lease renewed. Each goes a little early, by a share that
// its own name gives, so that many do not come at once: never late, never random, and the same
// after a restart.
//
//   due   = begun + every * (1 - 0.10 * share)     of `every` 72 h: between 64.8 h and 72 h
//   renew = granted + lease * (2/3 - 0.10 * share)  at least a third of the lease is left
//   issue = not before + life * (2/3 - 0.10 * share)
//
// Threads:  pure functions of values; times are trusted time (trusted_time.h).
// Failure:  none. Periods out of bounds are brought into them.

#include <cstdint>
#include <string_view>

#include "src/base/clock.h"

namespace tracekeeper::domain {

/// No credential is replaced more often, whatever asks for it, so that a wrong period cannot flood
/// its source; and none less often, so that no time overflows.
inline constexpr Duration kShortestPeriod = std::chrono::seconds(1);
inline constexpr Duration kLongestPeriod = std::chrono::hours(24 * 3660);
/// The most by which a period is shortened.
inline constexpr double kLargestSplay = 0.10;

/// The share of one rotation, in [0, 1): from the SHA-256 of who rotates and for which time.
[[nodiscard]] double SplayShare(std::string_view object_uid, std::string_view credential,
                                std::int64_t epoch);

/// What is valid from one moment to another, as its source says.
struct Validity {
  Instant from{};
  Instant until{};
};

/// When a rotation that follows one begun at `begun` is due: in (begun + 0.9 every, begun + every].
[[nodiscard]] Instant RotationDue(Instant begun, Duration every, double share);

/// When a lease is renewed, or a certificate replaced.
[[nodiscard]] Instant RenewalDue(const Validity& validity, double share);

/// Whether the period itself has passed: what the schedule exists to prevent.
[[nodiscard]] bool IsOverdue(Instant begun, Duration every, Instant now);

}  // namespace tracekeeper::domain
