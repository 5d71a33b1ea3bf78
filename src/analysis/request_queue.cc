#include "src/analysis/request_queue.h"

#include <iterator>
#include <utility>

namespace tracekeeper::analysis {

RequestQueue::Outcome RequestQueue::Push(otlp::Signal signal, otlp::Ingress ingress,
                                         std::string_view bytes) {
  QueuedRequest request{.signal = signal, .ingress = ingress, .bytes = {}};
  {
    const std::scoped_lock guard(mutex_);
    const Outcome outcome = Reserve(bytes.size());
    if (outcome != Outcome::kTaken) return outcome;
    request.bytes = TakeSpare(bytes.size());
  }
  request.bytes.assign(bytes);
  {
    const std::scoped_lock guard(mutex_);
    --copied_;
    requests_.push_back(std::move(request));
  }
  wake_.notify_one();
  return Outcome::kTaken;
}

RequestQueue::Outcome RequestQueue::Reserve(std::size_t bytes) {
  if (is_closed_) return Outcome::kClosed;
  const bool fits = bytes_ == 0 || bytes_ + bytes <= budget_bytes_;
  if (!fits) return Outcome::kFull;
  bytes_ += bytes;
  ++copied_;
  return Outcome::kTaken;
}

/// Not one of much more room: what waits is counted by its size.
std::string RequestQueue::TakeSpare(std::size_t bytes) {
  std::string taken;
  for (auto spare = spare_.rbegin(); spare != spare_.rend(); ++spare) {
    if (spare->capacity() < bytes || spare->capacity() / 2 > bytes) continue;
    spare_bytes_ -= spare->capacity();
    taken.swap(*spare);
    spare_.erase(std::next(spare).base());
    break;
  }
  DropSpare();
  return taken;
}

void RequestQueue::DropSpare() {
  std::size_t dropped = 0;
  const auto has_too_much = [this, &dropped] {
    return bytes_ + spare_bytes_ > budget_bytes_ || spare_.size() - dropped > kMostSpare;
  };
  for (; dropped < spare_.size() && has_too_much(); ++dropped) {
    spare_bytes_ -= spare_[dropped].capacity();
  }
  spare_.erase(spare_.begin(), spare_.begin() + static_cast<std::ptrdiff_t>(dropped));
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
  while (requests_.empty() && tasks_.empty() && !is_ended() && clock_.Monotonic() < deadline) {
    clock_.WaitUntil(wake_, lock, deadline);
  }
  return {.tasks = std::exchange(tasks_, {}),
          .requests = std::exchange(requests_, {}),
          .is_closed = is_ended()};
}

std::vector<QueuedTask> RequestQueue::TakeTasks() {
  const std::scoped_lock guard(mutex_);
  return std::exchange(tasks_, {});
}

void RequestQueue::Release(QueuedRequest request) {
  const std::scoped_lock guard(mutex_);
  bytes_ -= request.bytes.size();
  spare_bytes_ += request.bytes.capacity();
  spare_.push_back(std::move(request.bytes));
  DropSpare();
}

std::size_t RequestQueue::bytes() const {
  const std::scoped_lock guard(mutex_);
  return bytes_;
}

}  // namespace tracekeeper::analysis
