#pragma once
// Backoff gives the wait before attempt N of something that failed: exponential with a cap, and
// jitter so that many clients do not come back together.
//
// Threads:  a value without state; the caller counts attempts and brings the randomness.
// Source:   client-go's reflector and workqueue (see the named constructors).

#include "src/base/clock.h"

namespace tracekeeper {

struct Backoff {
  Duration first{};
  double factor = 2.0;
  Duration cap{};
  /// Share of the wait that is added at random: 0 is none, 1.0 up to doubles it.
  double jitter = 0.0;

  /// The wait before retry `attempt` (0 is the first retry). `random` is uniform in [0, 1).
  [[nodiscard]] Duration Wait(unsigned attempt, double random) const;

  /// Broken watches and lists: 0.8 s doubling to 30 s, jitter 1.0.
  static Backoff Watch();
  /// One key of a work queue that failed: 5 ms doubling to 1000 s.
  static Backoff PerKey();
};

}  // namespace tracekeeper
