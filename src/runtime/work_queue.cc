#include "src/runtime/work_queue.h"

#include <algorithm>

namespace tracekeeper::runtime {
namespace {

// A waiting worker looks again this often even if nobody wakes it: insurance, as in client-go.
constexpr Duration kHeartbeat = std::chrono::seconds(10);

}  // namespace

bool WorkQueue::MoreUrgent::operator()(const Node* left, const Node* right) const {
  if (left->second.priority != right->second.priority) {
    return left->second.priority > right->second.priority;
  }
  return left->second.sequence < right->second.sequence;
}

bool WorkQueue::EarlierDue::operator()(const Node* left, const Node* right) const {
  if (left->second.due_at != right->second.due_at) {
    return left->second.due_at < right->second.due_at;
  }
  return left->second.sequence < right->second.sequence;
}

WorkQueue::WorkQueue(Options options, const Clock& clock, Metrics& metrics)
    : options_(std::move(options)), clock_(clock), metrics_(options_.name, metrics) {
  entries_.reserve(options_.expected_keys);
}

WorkQueue::~WorkQueue() { Stop(); }

void WorkQueue::Add(const kube::ObjectKey& key, Priority priority) {
  AddAfter(key, Duration::zero(), priority);
}

void WorkQueue::AddAfter(const kube::ObjectKey& key, Duration delay, Priority priority) {
  {
    const std::scoped_lock lock(mutex_);
    if (stopped_) return;
    const MonotonicTime now = clock_.Monotonic();
    PromoteLocked(now);
    AddLocked(*entries_.try_emplace(key).first, delay, priority, now);
  }
  changed_.notify_one();
}

void WorkQueue::AddLocked(Node& node, Duration delay, Priority priority, MonotonicTime now) {
  Entry& entry = node.second;
  if (entry.waiting == Waiting::kNo) {
    entry.priority = priority;
    entry.sequence = next_sequence_++;
  } else {
    RaiseLocked(node, priority);
  }
  if (entry.waiting == Waiting::kDue) return;

  if (delay <= Duration::zero()) {
    if (entry.waiting == Waiting::kDelayed) delayed_.erase(&node);
    MakeDueLocked(node, now);
    return;
  }
  const MonotonicTime due_at = now + delay;
  if (entry.waiting == Waiting::kDelayed) {
    if (entry.due_at <= due_at) return;
    delayed_.erase(&node);
  }
  entry.waiting = Waiting::kDelayed;
  entry.due_at = due_at;
  delayed_.insert(&node);
}

// A key that is raised goes to the end of its new level: it did not wait there.
void WorkQueue::RaiseLocked(Node& node, Priority priority) {
  Entry& entry = node.second;
  if (priority <= entry.priority) return;
  const bool in_due = entry.waiting == Waiting::kDue && !entry.running;
  if (in_due) due_.erase(&node);
  if (entry.waiting == Waiting::kDue) {
    metrics_.DepthChanged(static_cast<int>(entry.priority), -1);
    metrics_.DepthChanged(static_cast<int>(priority), 1);
    entry.sequence = next_sequence_++;
  }
  entry.priority = priority;
  if (in_due) due_.insert(&node);
}

// Takes a key that is in neither set. One that is running enters `due_` when its run is done.
void WorkQueue::MakeDueLocked(Node& node, MonotonicTime now) {
  Entry& entry = node.second;
  entry.waiting = Waiting::kDue;
  entry.sequence = next_sequence_++;
  entry.due_since = now;
  ++depth_;
  metrics_.Added();
  metrics_.DepthChanged(static_cast<int>(entry.priority), 1);
  if (!entry.running) due_.insert(&node);
}

void WorkQueue::PromoteLocked(MonotonicTime now) {
  while (!delayed_.empty() && (*delayed_.begin())->second.due_at <= now) {
    Node& node = **delayed_.begin();
    delayed_.erase(delayed_.begin());
    MakeDueLocked(node, now);
  }
}

std::optional<kube::ObjectKey> WorkQueue::Get() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    const MonotonicTime now = clock_.Monotonic();
    PromoteLocked(now);
    if (auto key = TakeLocked(now)) {
      // This worker may have been the one that waited for the next delayed key.
      const bool others_needed = !due_.empty() || !delayed_.empty();
      lock.unlock();
      if (others_needed) changed_.notify_one();
      return key;
    }
    MonotonicTime deadline = now + kHeartbeat;
    if (!delayed_.empty()) deadline = std::min(deadline, (*delayed_.begin())->second.due_at);
    clock_.WaitUntil(changed_, lock, deadline);
  }
  return std::nullopt;
}

std::optional<kube::ObjectKey> WorkQueue::TryGet() {
  const std::scoped_lock lock(mutex_);
  if (stopped_) return std::nullopt;
  const MonotonicTime now = clock_.Monotonic();
  PromoteLocked(now);
  return TakeLocked(now);
}

std::optional<kube::ObjectKey> WorkQueue::TakeLocked(MonotonicTime now) {
  if (due_.empty()) return std::nullopt;
  Node& node = **due_.begin();
  due_.erase(due_.begin());
  Entry& entry = node.second;
  entry.waiting = Waiting::kNo;
  entry.running = true;
  entry.running_priority = entry.priority;
  entry.running_since = now;
  running_.insert(&node);
  --depth_;
  metrics_.DepthChanged(static_cast<int>(entry.priority), -1);
  metrics_.Taken(now - entry.due_since);
  return node.first;
}

void WorkQueue::Done(const kube::ObjectKey& key, Outcome outcome) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || !found->second.running) return;
    const MonotonicTime now = clock_.Monotonic();
    PromoteLocked(now);
    EndRunLocked(*found, now);
    if (!stopped_) ApplyOutcomeLocked(*found, outcome, now);
    ForgetIfIdleLocked(found);
  }
  changed_.notify_one();
}

void WorkQueue::EndRunLocked(Node& node, MonotonicTime now) {
  Entry& entry = node.second;
  entry.running = false;
  running_.erase(&node);
  metrics_.Finished(now - entry.running_since);
  if (entry.waiting == Waiting::kDue) due_.insert(&node);
}

void WorkQueue::ApplyOutcomeLocked(Node& node, const Outcome& outcome, MonotonicTime now) {
  Entry& entry = node.second;
  switch (outcome.kind_) {
    case Outcome::Kind::kSucceeded:
      entry.failures = 0;
      return;
    case Outcome::Kind::kGivenUp:
      return;
    case Outcome::Kind::kRunAfter:
      entry.failures = 0;
      AddLocked(node, outcome.delay_, entry.running_priority, now);
      return;
    case Outcome::Kind::kRetry: {
      const Duration wait = options_.per_key_backoff.Wait(entry.failures++, 0.0);
      metrics_.Retried();
      AddLocked(node, std::max(wait, outcome.delay_), entry.running_priority, now);
      return;
    }
  }
}

void WorkQueue::ForgetIfIdleLocked(Entries::iterator entry) {
  const Entry& state = entry->second;
  if (state.waiting == Waiting::kNo && !state.running && state.failures == 0) entries_.erase(entry);
}

void WorkQueue::Stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

void WorkQueue::PublishRunning() {
  const std::scoped_lock lock(mutex_);
  const MonotonicTime now = clock_.Monotonic();
  Duration sum{};
  Duration longest{};
  for (const Node* node : running_) {
    const Duration running = now - node->second.running_since;
    sum += running;
    longest = std::max(longest, running);
  }
  metrics_.Running(sum, longest);
}

std::size_t WorkQueue::depth() const {
  const std::scoped_lock lock(mutex_);
  return depth_;
}

std::size_t WorkQueue::delayed() const {
  const std::scoped_lock lock(mutex_);
  return delayed_.size();
}

std::optional<MonotonicTime> WorkQueue::next_due() const {
  const std::scoped_lock lock(mutex_);
  if (delayed_.empty()) return std::nullopt;
  return (*delayed_.begin())->second.due_at;
}

Duration WorkQueue::longest_run() const {
  const std::scoped_lock lock(mutex_);
  const MonotonicTime now = clock_.Monotonic();
  Duration longest{};
  for (const Node* node : running_) {
    longest = std::max(longest, now - node->second.running_since);
  }
  return longest;
}

}  // namespace tracekeeper::runtime
