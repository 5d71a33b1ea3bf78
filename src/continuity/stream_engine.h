#pragma once
// StreamEngine judges a stream of telemetry: gives each trace to its shard, and carries questions
// and answers between the shards and the join stage.
//
//   engine.Insert(span, now); ...
//   engine.Advance(now);           // every tenth of a second, or so
//   engine.tally();                // what was counted; where it is large, shards() have its parts
//
// What it counts, net of repairs, does not depend on the order of arrival nor on how many shards
// there are, while what belongs together comes while it is remembered.
//
// Threads:  one thread calls. With Running::kInThread each shard has a thread of its own, and what
//           it asks is answered with the next Advance; names and shapes may grow meanwhile.
// Owner:    names and shapes outlive it.

#include <cstdint>
#include <memory>
#include <vector>

#include "src/continuity/join_stage.h"
#include "src/continuity/shard_runner.h"
#include "src/continuity/stream_shard.h"

namespace tracekeeper::continuity {

/// How the stream comes to its profile.
enum class Learning : std::uint8_t {
  kGiven,       // from outside, with each epoch
  kFromStream,  // nothing is judged before the first was learned
};

struct StreamOptions {
  std::size_t shards = 1;  // at most 256
  Running running = Running::kAtOnce;
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
  /// All that was told so far is done. What follows, but for the first two, is as of the last one.
  void Flush();
  void UseEpoch(std::shared_ptr<const Epoch> epoch);
  /// With the profile of now.
  void UseRules(const PolicyRules& rules);
  [[nodiscard]] const Epoch& epoch() const { return *epoch_; }
  /// False while it is learning and judges nothing yet.
  [[nodiscard]] bool is_judging() const { return is_judging_; }

  /// As of the last Advance. Waits for its shard.
  std::optional<KnownTrace> Look(const otlp::TraceId& id);

  [[nodiscard]] Tally tally() const;
  [[nodiscard]] ShardCounts counts() const;
  [[nodiscard]] std::vector<const StreamShard*> shards() const;

 private:
  struct Part {
    std::unique_ptr<JoinInput> input;  // told by its last Advance
    std::unique_ptr<ShardRunner> runner;
    std::unique_ptr<bool> is_done = std::make_unique<bool>(true);  // with its last Advance
  };

  ShardRunner& ShardOf(std::uint64_t low);
  void DoInAll(const ShardRunner::Task& task);
  void BeginAdvance(Tick now);
  [[nodiscard]] bool IsAdvanced() const;
  void Join(Tick now);
  void Tell(const JoinInput& input);
  void GiveAnswers();
  void Learn(Tick now);
  void ForgetOld(Tick now);
  void KeepJoinInRoom(Tick now);

  const StreamOptions options_;
  const ShapeTable& shapes_;
  std::shared_ptr<const Epoch> epoch_;
  std::vector<Part> parts_;
  JoinStage join_;
  StreamLearner learner_;
  std::vector<std::vector<GivenAnswer>> answers_;  // by shard
  bool is_judging_ = true;
  Tick next_forgetting_ = 0;
  Tick next_weighing_ = 0;
  std::size_t told_ = 0;  // the join stage, since it was weighed
};

}  // namespace tracekeeper::continuity
