#pragma once
// ShardRunner gives a shard its work: at once, or in a thread of its own.
//
//   runner.Insert(span, now); ...
//   runner.Do([](StreamShard& shard) { ... });  // after what was inserted, before what follows
//   runner.Wait();                              // all of it is done
//
// With a thread, spans are handed over in batches: no lock and no allocation a span. Where the
// shard falls behind by kMostBatches, Insert waits for it.
//
// Threads:  one thread calls. The shard belongs to the runner's thread; after Wait, until the next
//           call, to the caller.
// Owner:    owns shard and thread. The destructor ends the thread when its work is done.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "src/continuity/span_reader.h"
#include "src/continuity/stream_shard.h"

namespace tracekeeper::continuity {

enum class Running : std::uint8_t { kAtOnce, kInThread };

class ShardRunner {
 public:
  using Task = std::function<void(StreamShard& shard)>;

  ShardRunner(std::unique_ptr<StreamShard> shard, Running running);
  ~ShardRunner();
  ShardRunner(const ShardRunner&) = delete;
  ShardRunner& operator=(const ShardRunner&) = delete;

  void Insert(const ReadSpan& span, Tick now);
  void Insert(const ReadLog& log, Tick now);
  void Do(Task task);
  void Wait();

  /// After Wait.
  [[nodiscard]] StreamShard& shard() { return *shard_; }
  [[nodiscard]] const StreamShard& shard() const { return *shard_; }

 private:
  static constexpr std::size_t kBatch = 1024;
  static constexpr std::size_t kMostBatches = 64;  // 5 MB of spans

  /// Spans, then logs, then the task.
  struct Work {
    Tick now = 0;
    std::vector<ReadSpan> spans;
    std::vector<ReadLog> logs;
    Task task;
  };

  [[gnu::noinline]] void BeginBatch(Tick now);
  [[gnu::noinline]] void HandOver();
  void Run();
  void Perform(Work& work);

  const std::unique_ptr<StreamShard> shard_;
  Work filling_;  // the caller's

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> queue_;   // the first of them may be in work
  std::vector<Work> spare_;  // done: their memory is used again
  bool is_ending_ = false;
  std::thread thread_;
};

}  // namespace tracekeeper::continuity
