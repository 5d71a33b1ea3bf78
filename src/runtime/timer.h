#pragma once
// Timer runs one action later; DeadlineStop asks for a stop at a deadline, for calls that take a
// StopToken but no time limit.
//
// Threads:  the action runs on the Timer's own thread. The destructor joins: when it returns, the
//           action has run to its end or never will.

#include <atomic>
#include <functional>
#include <stop_token>
#include <thread>

#include "src/base/clock.h"

namespace tracekeeper::runtime {

class Timer {
 public:
  Timer(const Clock& clock, Duration delay, std::function<void()> action)
      : thread_([&clock, delay, action = std::move(action)](const StopToken& stop) {
          if (clock.SleepFor(delay, stop)) action();
        }) {}

 private:
  std::jthread thread_;
};

class DeadlineStop {
 public:
  DeadlineStop(const Clock& clock, Duration limit, const StopToken& parent)
      : pass_on_(parent, [this] { source_.request_stop(); }), timer_(clock, limit, [this] {
          expired_ = true;
          source_.request_stop();
        }) {}

  [[nodiscard]] StopToken token() const { return source_.get_token(); }
  /// The deadline passed before this was destroyed.
  [[nodiscard]] bool expired() const { return expired_; }

 private:
  std::stop_source source_;
  std::atomic<bool> expired_ = false;
  std::stop_callback<std::function<void()>> pass_on_;
  Timer timer_;
};

}  // namespace tracekeeper::runtime
