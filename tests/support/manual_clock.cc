#include "tests/support/manual_clock.h"

namespace tracekeeper::test_support {
namespace {

// A waiter that missed its notification (it was between looking at the time and beginning to wait)
// looks again after this much real time.
constexpr auto kSecondLook = std::chrono::milliseconds(5);

}  // namespace

ManualClock::ManualClock()
    : ManualClock(std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + std::chrono::hours(3) +
                  std::chrono::minutes(4) + std::chrono::seconds(5)) {}

ManualClock::ManualClock(Instant start) : now_(start) {}

Instant ManualClock::Now() const {
  const std::scoped_lock lock(mutex_);
  return now_;
}

MonotonicTime ManualClock::Monotonic() const {
  const std::scoped_lock lock(mutex_);
  return monotonic_;
}

void ManualClock::WaitUntil(std::condition_variable_any& condition,
                            std::unique_lock<std::mutex>& lock, MonotonicTime deadline) const {
  std::list<Waiter>::iterator self;
  {
    const std::scoped_lock guard(mutex_);
    if (monotonic_ >= deadline) return;
    self = waiters_.insert(waiters_.end(), {&condition, deadline});
    waiters_changed_.notify_all();
  }
  // Returns early at each second look: a notification that came at that moment would be lost in a
  // loop of ours, but callers look at their predicate again.
  condition.wait_for(lock, kSecondLook);
  const std::scoped_lock guard(mutex_);
  waiters_.erase(self);
}

void ManualClock::Advance(Duration by) {
  const std::scoped_lock lock(mutex_);
  MoveLocked(by);
}

void ManualClock::JumpWallTime(Duration by) {
  const std::scoped_lock lock(mutex_);
  now_ += by;
}

void ManualClock::MoveLocked(Duration by) {
  now_ += by;
  monotonic_ += by;
  // A condition stays alive while its waiter is in the list, and leaving it needs our mutex.
  for (const Waiter& waiter : waiters_) waiter.condition->notify_all();
}

std::size_t ManualClock::waiters() const {
  const std::scoped_lock lock(mutex_);
  return waiters_.size();
}

std::optional<MonotonicTime> ManualClock::next_deadline() const {
  const std::scoped_lock lock(mutex_);
  std::optional<MonotonicTime> earliest;
  for (const Waiter& waiter : waiters_) {
    if (!earliest || waiter.deadline < *earliest) earliest = waiter.deadline;
  }
  return earliest;
}

bool ManualClock::WaitForWaiters(std::size_t count, Duration limit) const {
  std::unique_lock lock(mutex_);
  return waiters_changed_.wait_for(lock, limit, [&] { return waiters_.size() >= count; });
}

}  // namespace tracekeeper::test_support
