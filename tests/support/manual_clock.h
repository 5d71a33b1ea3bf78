#pragma once
// ManualClock is a Clock that stands still until the test moves it, so that hours pass in
// milliseconds and nothing depends on how fast the machine is.
//
//   ManualClock clock;
//   ... start a thread that waits on the clock ...
//   clock.WaitForWaiters(1);       // it has begun to wait
//   clock.Advance(minutes(5));     // and now its wait is over
//
// Threads:  safe from any thread.
// Owner:    the test; outlives everything that holds it.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>

#include "src/base/clock.h"

namespace tracekeeper::test_support {

class ManualClock final : public Clock {
 public:
  /// Starts at 2026-01-02T03:04:05Z.
  ManualClock();
  explicit ManualClock(Instant start);

  [[nodiscard]] Instant Now() const override;
  [[nodiscard]] MonotonicTime Monotonic() const override;
  void WaitUntil(std::condition_variable_any& condition, std::unique_lock<std::mutex>& lock,
                 MonotonicTime deadline) const override;

  /// Both times move on, and who waited for that has been woken when this returns. Not to be called
  /// with a mutex held that somebody waits with.
  void Advance(Duration by);
  /// Only the wall time jumps, forward or back, as when somebody sets the clock.
  void JumpWallTime(Duration by);

  /// Threads that wait on this clock now, and the earliest of their deadlines.
  [[nodiscard]] std::size_t waiters() const;
  [[nodiscard]] std::optional<MonotonicTime> next_deadline() const;
  /// Waits, in real time, until at least `count` threads wait on this clock. False when that did
  /// not happen within `limit`.
  bool WaitForWaiters(std::size_t count, Duration limit = std::chrono::seconds(10)) const;

 private:
  struct Waiter {
    std::condition_variable_any* condition;
    std::mutex* mutex;
    MonotonicTime deadline;
    bool was_woken;
  };

  bool WakeDueLocked();

  mutable std::mutex mutex_;
  mutable std::condition_variable waiters_changed_;
  mutable std::list<Waiter> waiters_;
  Instant now_;
  MonotonicTime monotonic_{std::chrono::hours(1)};
};

}  // namespace tracekeeper::test_support
