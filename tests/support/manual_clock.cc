#include "tests/support/manual_clock.h"

#include <thread>

namespace tracekeeper::test_support {

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
    self = waiters_.insert(waiters_.end(), {&condition, lock.mutex(), deadline, false});
    waiters_changed_.notify_all();
  }
  condition.wait(lock);
  const std::scoped_lock guard(mutex_);
  waiters_.erase(self);
}

void ManualClock::Advance(Duration by) {
  std::unique_lock lock(mutex_);
  now_ += by;
  monotonic_ += by;
  while (!WakeDueLocked()) {
    lock.unlock();
    std::this_thread::yield();
    lock.lock();
  }
}

// Wakes who is due. False when one of them could not be woken yet: its mutex is held, so it may
// stand between looking at the time and beginning to wait, where a notification would be lost.
bool ManualClock::WakeDueLocked() {
  bool all = true;
  for (Waiter& waiter : waiters_) {
    if (waiter.deadline > monotonic_ || waiter.was_woken) continue;
    // The waiter leaves the list only under our mutex, so what it points to is alive.
    const std::unique_lock held(*waiter.mutex, std::try_to_lock);
    if (!held.owns_lock()) {
      all = false;
      continue;
    }
    waiter.condition->notify_all();
    waiter.was_woken = true;
  }
  return all;
}

void ManualClock::JumpWallTime(Duration by) {
  const std::scoped_lock lock(mutex_);
  now_ += by;
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
