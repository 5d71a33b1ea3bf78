#pragma once
// StreamEngine judges a stream of telemetry in one thread: gives each trace to its shard, and
// carries questions and answers between the shards and the join stage.
//
//   engine.Insert(span, now); ...
//   engine.Advance(now);           // every tenth of a second, or so
//   engine.tally();                // at every scrape
//
// What it counts, net of repairs, does not depend on the order of arrival nor on how many shards
// there are, while what belongs together comes while it is remembered.
//
// Threads:  one thread.
// Owner:    names and shapes outlive it.

#include <cstdint>
#include <memory>
#include <vector>

#include "src/continuity/join_stage.h"
#include "src/continuity/stream_shard.h"

namespace tracekeeper::continuity {

struct StreamOptions {
  std::size_t shards = 1;  // at most 256
  /// Of all shards together.
  std::size_t budget_bytes = std::size_t{256} << 20U;
  std::uint64_t key = 0;  // of the process: ids are chosen by peers
  Tick join_window = 100;
  Tick memory = 6000;
};

class StreamEngine {
 public:
  StreamEngine(const StreamOptions& options, const Names& names, const ShapeTable& shapes,
               std::shared_ptr<const Epoch> epoch);

  void Insert(const ReadSpan& span, Tick now);
  void Insert(const ReadLog& log, Tick now);
  void Advance(Tick now);
  void UseEpoch(std::shared_ptr<const Epoch> epoch);

  [[nodiscard]] Tally tally() const;
  [[nodiscard]] ShardCounts counts() const;
  [[nodiscard]] const std::vector<std::unique_ptr<StreamShard>>& shards() const { return shards_; }

 private:
  StreamShard& ShardOf(std::uint64_t low);
  void Settle();

  const StreamOptions options_;
  const ShapeTable& shapes_;
  std::shared_ptr<const Epoch> epoch_;
  std::vector<std::unique_ptr<StreamShard>> shards_;
  JoinStage join_;
  JoinInput input_;
};

}  // namespace tracekeeper::continuity
