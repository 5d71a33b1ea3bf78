#include "src/analysis/request_queue.h"

#include <utility>

namespace tracekeeper::analysis {

RequestQueue::Outcome RequestQueue::Push(QueuedRequest request) {
  {
    const std::scoped_lock guard(mutex_);
    if (is_closed_) return Outcome::kClosed;
    const bool fits = bytes_ == 0 || bytes_ + request.bytes.size() <= budget_bytes_;
    if (!fits) return Outcome::kFull;
    bytes_ += request.bytes.size();
    requests_.push_back(std::move(request));
  }
  wake_.notify_one();
  return Outcome::kTaken;
}

bool RequestQueue::Post(QueuedTask task) {
  {
    const std::scoped_lock guard(mutex_);
    if (is_closed_) return false;
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
  return true;
}

void RequestQueue::Close() {
  {
    const std::scoped_lock guard(mutex_);
    is_closed_ = true;
  }
  wake_.notify_one();
}

RequestQueue::Work RequestQueue::TakeUntil(MonotonicTime deadline) {
  std::unique_lock lock(mutex_);
  while (requests_.empty() && tasks_.empty() && !is_closed_ && clock_.Monotonic() < deadline) {
    clock_.WaitUntil(wake_, lock, deadline);
  }
  return {.tasks = std::exchange(tasks_, {}),
          .requests = std::exchange(requests_, {}),
          .is_closed = is_closed_};
}

std::vector<QueuedTask> RequestQueue::TakeTasks() {
  const std::scoped_lock guard(mutex_);
  return std::exchange(tasks_, {});
}

void RequestQueue::Release(std::size_t bytes) {
  const std::scoped_lock guard(mutex_);
  bytes_ -= bytes;
}

std::size_t RequestQueue::bytes() const {
  const std::scoped_lock guard(mutex_);
  return bytes_;
}

}  // namespace tracekeeper::analysis
