#pragma once
// Clock is the only door to time. Decisions take an Instant as a value; code that waits takes a
// Clock, so tests run hours in milliseconds with ManualClock (tests/support/manual_clock.h).
//
// Threads:  all methods are safe from any thread.
// Owner:    the program's wiring (or the test); outlives everything that holds a reference.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace tracekeeper {

using Duration = std::chrono::nanoseconds;
/// Wall time: for what is written down (status, certificates). Can jump.
using Instant = std::chrono::sys_time<Duration>;
/// Time since some start: for deadlines and intervals. Never jumps.
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using StopToken = std::stop_token;

class Clock {
 public:
  virtual ~Clock() = default;

  [[nodiscard]] virtual Instant Now() const = 0;
  [[nodiscard]] virtual MonotonicTime Monotonic() const = 0;

  /// Waits on `condition` until it is notified or `deadline` has passed on this clock. May return
  /// early: callers loop over their predicate, as with any condition variable.
  virtual void WaitUntil(std::condition_variable_any& condition, std::unique_lock<std::mutex>& lock,
                         MonotonicTime deadline) const = 0;

  /// Waits for `duration`. False when `stop` was requested first.
  bool SleepFor(Duration duration, const StopToken& stop) const;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant Now() const override;
  [[nodiscard]] MonotonicTime Monotonic() const override;
  void WaitUntil(std::condition_variable_any& condition, std::unique_lock<std::mutex>& lock,
                 MonotonicTime deadline) const override;
};

}  // namespace tracekeeper
