#include "src/continuity/stream_engine.h"

#include "src/continuity/keyed_hash.h"

namespace tracekeeper::continuity {
namespace {

constexpr unsigned kShardShift = 56;  // of an AskerId

ShardOptions OptionsOf(const StreamOptions& options, std::size_t number) {
  ShardOptions shard;
  // A part of the budget remembers what was forgotten.
  const std::size_t budget = options.budget_bytes / options.shards;
  shard.fingerprints = budget / 16 / sizeof(std::uint64_t[2]);
  shard.table = {.budget_bytes = budget - budget / 16, .key = options.key};
  shard.number = static_cast<std::uint8_t>(number);
  shard.join_window = options.join_window;
  shard.memory = options.memory;
  return shard;
}

}  // namespace

StreamEngine::StreamEngine(const StreamOptions& options, Names& names, const ShapeTable& shapes,
                           std::shared_ptr<const Epoch> epoch)
    : options_(options),
      shapes_(shapes),
      epoch_(std::move(epoch)),
      join_(epoch_->profile),
      learner_(options.learner, shapes, names),
      is_judging_(options.learning == Learning::kGiven) {
  for (std::size_t i = 0; i < options_.shards; ++i) {
    shards_.push_back(std::make_unique<StreamShard>(OptionsOf(options_, i), names, shapes, epoch_));
    if (is_judging_) shards_.back()->StartJudging();
  }
}

/// By another hash than the table's, or the shards would use a part of their indexes each.
StreamShard& StreamEngine::ShardOf(std::uint64_t low) {
  return *shards_[KeyedHash(low, ~options_.key) % shards_.size()];
}

void StreamEngine::Insert(const ReadSpan& span, Tick now) {
  ShardOf(span.trace.low).Insert(span, now);
}

void StreamEngine::Insert(const ReadLog& log, Tick now) { ShardOf(log.trace.low).Insert(log, now); }

void StreamEngine::Advance(Tick now) {
  for (const auto& shard : shards_) shard->Advance(now, input_);
  Learn(now);
  Settle();
  ForgetOld(now);
}

void StreamEngine::Flush() {
  for (const auto& shard : shards_) shard->Flush();
}

void StreamEngine::Learn(Tick now) {
  if (options_.learning == Learning::kGiven) return;
  for (SampledTrace& sample : input_.samples) learner_.Offer(std::move(sample));
  input_.samples.clear();
  if (auto profile = learner_.Advance(now)) {
    UseEpoch(std::make_shared<const Epoch>(
        Epoch{.rules = epoch_->rules, .profile = std::move(*profile)}));
    is_judging_ = true;
    for (const auto& shard : shards_) shard->StartJudging();
  }
  for (const auto& shard : shards_) shard->SampleBelow(learner_.sample_below());
}

/// What no trace that is remembered can ask about; and more where it takes too much room.
void StreamEngine::ForgetOld(Tick now) {
  constexpr Tick kEvery = 100;
  if (options_.origin == 0 || now < next_forgetting_) return;
  next_forgetting_ = now + kEvery;
  constexpr Microseconds kTick = 100'000;
  constexpr Microseconds kLongestTrace = Microseconds{600} * 1'000'000;
  const Microseconds memory = Microseconds{options_.memory} * kTick + kLongestTrace;
  const Microseconds time = options_.origin + now * kTick;
  if (time > memory) join_.Forget(time - memory);
  const std::size_t budget = options_.budget_bytes / 4;
  while (join_.bytes() > budget && join_.earliest() < join_.latest()) {
    join_.Forget(join_.earliest() + (join_.latest() - join_.earliest()) / 4 + 1);
  }
}

void StreamEngine::Settle() {
  for (const AskerId asker : input_.withdrawn) join_.Withdraw(asker);
  for (const JoinInput::Seen& seen : input_.seen) join_.See(seen.span, shapes_.Get(seen.shape));
  for (const JoinInput::Ended& ended : input_.ended) join_.SeeEnd(ended.instance, ended.end);
  for (const JoinInput::Asked& asked : input_.asked) join_.Ask(asked.asker, asked.questions);
  for (const JoinInput::AskedOnce& asked : input_.asked_once) {
    join_.Ask(asked.asker, {&asked.question, 1});
  }
  input_.withdrawn.clear();
  input_.seen.clear();
  input_.ended.clear();
  input_.asked.clear();
  input_.asked_once.clear();
  for (const GivenAnswer& given : join_.Settle()) shards_[given.asker >> kShardShift]->Take(given);
}

void StreamEngine::UseEpoch(std::shared_ptr<const Epoch> epoch) {
  for (const auto& shard : shards_) shard->UseEpoch(epoch);
  join_.UseProfile(epoch->profile);
  epoch_ = std::move(epoch);
}

void StreamEngine::UseRules(const PolicyRules& rules) {
  UseEpoch(std::make_shared<const Epoch>(Epoch{.rules = rules, .profile = epoch_->profile}));
}

Tally StreamEngine::tally() const {
  Tally sum;
  for (const auto& shard : shards_) sum.Add(shard->tally());
  return sum;
}

ShardCounts StreamEngine::counts() const {
  ShardCounts sum;
  for (const auto& shard : shards_) {
    const ShardCounts& counts = shard->counts();
    sum.spans += counts.spans;
    sum.logs += counts.logs;
    sum.shed_traces += counts.shed_traces;
    sum.forgotten_early += counts.forgotten_early;
    sum.late_spans += counts.late_spans;
  }
  return sum;
}

}  // namespace tracekeeper::continuity
