#include "src/continuity/shard_runner.h"

#include <utility>

namespace tracekeeper::continuity {

ShardRunner::ShardRunner(std::unique_ptr<StreamShard> shard, Running running)
    : shard_(std::move(shard)) {
  if (running == Running::kInThread) thread_ = std::thread([this] { Run(); });
}

ShardRunner::~ShardRunner() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock guard(mutex_);
    is_ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

// --- The caller's thread -------------------------------------------------------------------------

void ShardRunner::Insert(const ReadSpan& span, Tick now) {
  if (!thread_.joinable()) {
    shard_->Insert(span, now);
    return;
  }
  if (filling_.now != now || !filling_.logs.empty()) BeginBatch(now);
  filling_.spans.push_back(span);
  if (filling_.spans.size() == kBatch) HandOver();
}

void ShardRunner::Insert(const ReadLog& log, Tick now) {
  if (!thread_.joinable()) {
    shard_->Insert(log, now);
    return;
  }
  if (filling_.now != now) BeginBatch(now);
  filling_.logs.push_back(log);
  if (filling_.logs.size() == kBatch) HandOver();
}

void ShardRunner::Do(Task task) {
  if (!thread_.joinable()) {
    task(*shard_);
    return;
  }
  filling_.task = std::move(task);
  HandOver();
}

void ShardRunner::Wait() {
  if (!thread_.joinable()) return;
  BeginBatch(filling_.now);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return queue_.empty(); });
}

void ShardRunner::BeginBatch(Tick now) {
  if (!filling_.spans.empty() || !filling_.logs.empty()) HandOver();
  filling_.now = now;
}

void ShardRunner::HandOver() {
  const Tick now = filling_.now;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return queue_.size() < kMostBatches; });
    queue_.push_back(std::move(filling_));
    filling_ = {};
    if (!spare_.empty()) {
      filling_ = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  changed_.notify_all();
  filling_.now = now;
}

// --- The shard's thread --------------------------------------------------------------------------

void ShardRunner::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return !queue_.empty() || is_ending_; });
    if (queue_.empty()) return;
    Work work = std::move(queue_.front());
    lock.unlock();
    Perform(work);
    lock.lock();
    queue_.pop_front();  // only now: whoever waits, waits for this too
    spare_.push_back(std::move(work));
    changed_.notify_all();
  }
}

void ShardRunner::Perform(Work& work) {
  for (const ReadSpan& span : work.spans) shard_->Insert(span, work.now);
  for (const ReadLog& log : work.logs) shard_->Insert(log, work.now);
  if (work.task) work.task(*shard_);
  work.spans.clear();
  work.logs.clear();
  work.task = nullptr;
}

}  // namespace tracekeeper::continuity
