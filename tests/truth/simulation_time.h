#pragma once
// Virtual time: nanoseconds since 1970, and what waits for its moment.
//
// A task runs at its moment and then ahead in its own time until it is done, as if alone on its
// processor; what it starts for later, or leaves for others, is scheduled again.
//
// Threads:  one thread.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

namespace tracekeeper::truth {

using Moment = std::uint64_t;

inline constexpr Moment kMicrosecond = 1000;
inline constexpr Moment kMillisecond = 1000 * kMicrosecond;
inline constexpr Moment kSecond = 1000 * kMillisecond;
inline constexpr Moment kStartOfTime = 1'772'445'600 * kSecond;  // 2 March 2026, 10:00 UTC
inline constexpr Moment kNever = std::numeric_limits<Moment>::max();

class Scheduler {
 public:
  using Task = std::function<void(Moment)>;

  void At(Moment moment, Task task) {
    tasks_.push_back({moment, next_++, std::move(task)});
    std::push_heap(tasks_.begin(), tasks_.end());
  }

  /// Until nothing waits any more. Tasks of one moment run in the order they were given.
  void Run() {
    while (!tasks_.empty()) {
      std::pop_heap(tasks_.begin(), tasks_.end());
      const Waiting next = std::move(tasks_.back());
      tasks_.pop_back();
      next.task(next.moment);
    }
  }

 private:
  struct Waiting {
    Moment moment;
    std::uint64_t order;
    Task task;

    bool operator<(const Waiting& other) const {  // a heap gives the greatest first
      return std::pair(moment, order) > std::pair(other.moment, other.order);
    }
  };

  std::vector<Waiting> tasks_;  // a heap
  std::uint64_t next_ = 0;
};

}  // namespace tracekeeper::truth
