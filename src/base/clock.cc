#include "src/base/clock.h"

namespace tracekeeper {

bool Clock::SleepFor(Duration duration, const StopToken& stop) const {
  const MonotonicTime deadline = Monotonic() + duration;
  std::mutex mutex;
  std::condition_variable_any condition;
  // Before the lock: a stop that came first runs the callback right here.
  const std::stop_callback wake(stop, [&] {
    const std::scoped_lock guard(mutex);
    condition.notify_all();
  });
  {
    std::unique_lock lock(mutex);
    while (!stop.stop_requested() && Monotonic() < deadline) WaitUntil(condition, lock, deadline);
  }
  return !stop.stop_requested();
}

Instant SystemClock::Now() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

MonotonicTime SystemClock::Monotonic() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

void SystemClock::WaitUntil(std::condition_variable_any& condition,
                            std::unique_lock<std::mutex>& lock, MonotonicTime deadline) const {
  condition.wait_until(lock, deadline);
}

}  // namespace tracekeeper
