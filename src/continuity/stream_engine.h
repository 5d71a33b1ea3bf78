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

/// How the stream comes to its profile.
enum class Learning : std::uint8_t {
  kGiven,       // from outside, with each epoch
  kFromStream,  // nothing is judged before the first was learned
};

struct StreamOptions {
  std::size_t shards = 1;  // at most 256
  /// Of all shards together.
  std::size_t budget_bytes = std::size_t{256} << 20U;
  std::uint64_t key = 0;  // of the process: ids are chosen by peers
  Tick join_window = 100;
  Tick memory = 6000;
  Learning learning = Learning::kGiven;
  StreamLearner::Options learner;
  /// Microseconds since 1970 at tick 0: what lies far before now is forgotten by it. 0: nothing is.
  Microseconds origin = 0;
};

class StreamEngine {
 public:
  StreamEngine(const StreamOptions& options, Names& names, const ShapeTable& shapes,
               std::shared_ptr<const Epoch> epoch);

  void Insert(const ReadSpan& span, Tick now);
  void Insert(const ReadLog& log, Tick now);
  void Advance(Tick now);
  /// What was inserted is in the tables and counts.
  void Flush();
  void UseEpoch(std::shared_ptr<const Epoch> epoch);
  /// With the profile of now.
  void UseRules(const PolicyRules& rules);
  [[nodiscard]] const Epoch& epoch() const { return *epoch_; }
  /// False while it is learning and judges nothing yet.
  [[nodiscard]] bool is_judging() const { return is_judging_; }

  [[nodiscard]] Tally tally() const;
  [[nodiscard]] ShardCounts counts() const;
  [[nodiscard]] const std::vector<std::unique_ptr<StreamShard>>& shards() const { return shards_; }

 private:
  StreamShard& ShardOf(std::uint64_t low);
  void Settle();
  void Learn(Tick now);
  void ForgetOld(Tick now);

  const StreamOptions options_;
  const ShapeTable& shapes_;
  std::shared_ptr<const Epoch> epoch_;
  std::vector<std::unique_ptr<StreamShard>> shards_;
  JoinStage join_;
  StreamLearner learner_;
  JoinInput input_;
  bool is_judging_ = true;
  Tick next_forgetting_ = 0;
};

}  // namespace tracekeeper::continuity
