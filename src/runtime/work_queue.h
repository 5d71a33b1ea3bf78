#pragma once
// WorkQueue hands out keys to workers so that no key is ever worked on twice at once, and many
// adds of one key while it waits or runs become one more run.
//
// A key waits at most once: of several adds it keeps the highest priority and the earliest time.
// Due keys leave by priority, and inside a priority in the order in which they became due. A key
// that is being worked on holds no other key back.
//
// Threads:  all methods are safe from any thread. Get() blocks.
// Owner:    the Controller; destroyed after its workers have joined.
// Failure:  none of its own; after Stop() adds are dropped and every Get() returns std::nullopt.
// Metrics:  workqueue_* with client-go's names, labels name and controller; depth by priority too.
// Source:   semantics of client-go's workqueue (dirty and processing sets) and of
//           controller-runtime's priorityqueue.

#include <array>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "src/base/backoff.h"
#include "src/base/clock.h"
#include "src/kube/meta.h"
#include "src/runtime/queue_metrics.h"

namespace tracekeeper::runtime {

/// Any number is a priority; these are the ones in use.
enum class Priority : int {
  kInitialList = -100,  // what a cache finds at its start: news goes first
  kNormal = 0,
};

/// What became of a run, told to WorkQueue::Done.
class Outcome {
 public:
  /// Forgets the key's failures.
  static Outcome Succeeded() { return Outcome(Kind::kSucceeded, {}); }
  /// Forgets the failures and makes the key due again after `delay`.
  static Outcome RunAfter(Duration delay) { return Outcome(Kind::kRunAfter, delay); }
  /// Makes the key due again after the next wait of its backoff.
  static Outcome Retry() { return Outcome(Kind::kRetry, {}); }
  /// Failed for good: the key comes back only when somebody adds it. Failures are kept.
  static Outcome GivenUp() { return Outcome(Kind::kGivenUp, {}); }
  /// As Retry, but not before `delay` has passed: what the peer asked for (Retry-After).
  static Outcome RetryNotBefore(Duration delay) { return Outcome(Kind::kRetry, delay); }

 private:
  friend class WorkQueue;
  enum class Kind { kSucceeded, kRunAfter, kRetry, kGivenUp };
  Outcome(Kind kind, Duration delay) : kind_(kind), delay_(delay) {}

  Kind kind_;
  Duration delay_;
};

class WorkQueue {
 public:
  struct Options {
    std::string name;                             // label `name` and `controller` of the metrics
    Backoff per_key_backoff = Backoff::PerKey();  // after a failed run of that key
    std::size_t expected_keys = 1024;             // sizing hint, not a limit
  };

  WorkQueue(Options options, const Clock& clock, Metrics& metrics);
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  /// Makes `key` due now. Keeps the higher priority if it is already waiting.
  void Add(const kube::ObjectKey& key, Priority priority = Priority::kNormal);

  /// Makes `key` due after `delay`, or earlier if it already is.
  void AddAfter(const kube::ObjectKey& key, Duration delay, Priority priority = Priority::kNormal);

  /// The most urgent due key, which is then the caller's until Done(). Blocks while none is due.
  [[nodiscard]] std::optional<kube::ObjectKey> Get();
  /// The same without waiting: nullopt when no key is due now.
  [[nodiscard]] std::optional<kube::ObjectKey> TryGet();

  /// Ends the run that Get() began. A key that was added meanwhile becomes due again; a key that
  /// comes back by `outcome` keeps the priority it ran with.
  void Done(const kube::ObjectKey& key, Outcome outcome);

  void Stop();

  /// Brings the gauges of running work up to date: workqueue_unfinished_work_seconds and
  /// workqueue_longest_running_processor_seconds. The controller calls it twice a second.
  void PublishRunning();

  /// Keys that are due and not handed out.
  [[nodiscard]] std::size_t depth() const;
  /// Keys that wait for their time.
  [[nodiscard]] std::size_t delayed() const;
  /// When the next delayed key becomes due.
  [[nodiscard]] std::optional<MonotonicTime> next_due() const;
  /// For how long the oldest current run has been going on; zero when nothing runs.
  [[nodiscard]] Duration longest_run() const;

 private:
  enum class Waiting : std::uint8_t { kNo, kDelayed, kDue };

  // One per key that waits, runs or has failed. Node addresses stay, so the sets point to them.
  struct Entry {
    Waiting waiting = Waiting::kNo;
    bool running = false;
    Priority priority = Priority::kNormal;  // of the wait
    Priority running_priority = Priority::kNormal;
    std::uint64_t sequence = 0;  // of the wait: order of becoming due, or of the add
    unsigned failures = 0;
    MonotonicTime due_at{};     // while delayed
    MonotonicTime due_since{};  // while due
    MonotonicTime running_since{};
  };
  using Entries = std::unordered_map<kube::ObjectKey, Entry>;
  using Node = Entries::value_type;

  struct MoreUrgent {
    bool operator()(const Node* left, const Node* right) const;
  };
  struct EarlierDue {
    bool operator()(const Node* left, const Node* right) const;
  };

  void AddLocked(Node& node, Duration delay, Priority priority, MonotonicTime now);
  void RaiseLocked(Node& node, Priority priority);
  void MakeDueLocked(Node& node, MonotonicTime now);
  void PromoteLocked(MonotonicTime now);
  std::optional<kube::ObjectKey> TakeLocked(MonotonicTime now);
  void EndRunLocked(Node& node, MonotonicTime now);
  void ApplyOutcomeLocked(Node& node, const Outcome& outcome, MonotonicTime now);
  void ForgetIfIdleLocked(Entries::iterator entry);

  const Options options_;
  const Clock& clock_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Entries entries_;
  std::set<Node*, MoreUrgent> due_;  // without the keys that are running
  std::set<Node*, EarlierDue> delayed_;
  std::set<const Node*> running_;
  std::size_t depth_ = 0;  // keys that wait and are due, running ones included
  std::uint64_t next_sequence_ = 0;
  bool stopped_ = false;
  QueueMetrics metrics_;
};

}  // namespace tracekeeper::runtime
