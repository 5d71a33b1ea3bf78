#include "src/continuity/stream_engine.h"

#include <algorithm>
#include <utility>

#include "src/continuity/keyed_hash.h"

namespace tracekeeper::continuity {
namespace {

ShardOptions OptionsOf(const StreamOptions& options, std::size_t number) {
  ShardOptions shard;
  // A part of the budget remembers what was forgotten.
  const std::size_t budget = options.budget_bytes / options.shards;
  shard.fingerprints = budget / 16 / sizeof(std::uint64_t[2]);
  shard.table = {.budget_bytes = budget - budget / 16, .key = options.key};
  shard.number = static_cast<std::uint8_t>(number);
  shard.join_window = options.join_window;
  shard.memory = options.memory;
  shard.origin = options.origin;
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
  answers_.resize(options_.shards);
  for (std::size_t i = 0; i < options_.shards; ++i) {
    auto shard = std::make_unique<StreamShard>(OptionsOf(options_, i), names, shapes, epoch_);
    if (is_judging_) shard->StartJudging();
    parts_.push_back({.input = std::make_unique<JoinInput>(),
                      .runner = std::make_unique<ShardRunner>(std::move(shard), options_.running)});
  }
}

/// By another hash than the table's, or the shards would use a part of their indexes each.
ShardRunner& StreamEngine::ShardOf(std::uint64_t low) {
  if (parts_.size() == 1) return *parts_.front().runner;
  // The upper half as a fraction of the shards: a division would cost more than the hash.
  return *parts_[(KeyedHash(low, ~options_.key) >> 32U) * parts_.size() >> 32U].runner;
}

void StreamEngine::Insert(const ReadSpan& span, Tick now) {
  ShardOf(span.trace.low).Insert(span, now);
}

void StreamEngine::Insert(const ReadLog& log, Tick now) { ShardOf(log.trace.low).Insert(log, now); }

void StreamEngine::DoInAll(const ShardRunner::Task& task) {
  for (const Part& part : parts_) part.runner->Do(task);
}

/// Shards with threads are at it while the stream goes on: what they ask is looked at the next
/// time.
void StreamEngine::Advance(Tick now) {
  if (options_.running == Running::kAtOnce) {
    do {
      BeginAdvance(now);
      Join(now);
    } while (!IsAdvanced());
    return;
  }
  bool was_advanced = false;
  do {
    for (const Part& part : parts_) part.runner->Wait();
    was_advanced = IsAdvanced();
    Join(now);
    BeginAdvance(now);
  } while (!was_advanced);
}

void StreamEngine::BeginAdvance(Tick now) {
  for (const Part& part : parts_) {
    part.runner->Do([now, input = part.input.get(), is_done = part.is_done.get()](
                        StreamShard& shard) { *is_done = shard.Advance(now, *input); });
  }
}

/// Once the shards were waited for.
bool StreamEngine::IsAdvanced() const {
  return std::ranges::all_of(parts_, [](const Part& part) { return *part.is_done; });
}

void StreamEngine::Join(Tick now) {
  constexpr std::size_t kMuch = 50'000;
  Learn(now);
  for (const Part& part : parts_) {
    Tell(*part.input);
    part.input->Clear();
    if (options_.origin != 0 && told_ > kMuch) KeepJoinInRoom(now);
  }
  GiveAnswers();
  ForgetOld(now);
}

void StreamEngine::Flush() {
  DoInAll([](StreamShard& shard) { shard.Flush(); });
  for (const Part& part : parts_) part.runner->Wait();
}

std::optional<KnownTrace> StreamEngine::Look(const otlp::TraceId& id) {
  ShardRunner& runner = ShardOf(id.low);
  runner.Do([](StreamShard& shard) { shard.Flush(); });
  runner.Wait();
  return runner.shard().Look(id);
}

void StreamEngine::Learn(Tick now) {
  if (options_.learning == Learning::kGiven) return;
  for (const Part& part : parts_) {
    for (SampledTrace& sample : part.input->samples) learner_.Offer(std::move(sample));
    part.input->samples.clear();
    for (const ArrivalLag& lag : part.input->lags) learner_.Offer(lag);
    part.input->lags.clear();
  }
  const Microseconds window = learner_.settle_window();
  if (auto profile = learner_.Advance(now)) {
    UseEpoch(std::make_shared<const Epoch>(
        Epoch{.rules = epoch_->rules, .profile = std::move(*profile)}));
    is_judging_ = true;
    DoInAll([](StreamShard& shard) { shard.StartJudging(); });
  } else if (learner_.settle_window() != window) {
    DoInAll([longer = learner_.settle_window()](StreamShard& shard) { shard.DrawAgain(longer); });
  }
  DoInAll([below = learner_.sample_below()](StreamShard& shard) { shard.SampleBelow(below); });
}

/// What no trace that is remembered can ask about; and more where it takes too much room.
void StreamEngine::ForgetOld(Tick now) {
  constexpr Tick kEvery = 100;
  if (options_.origin == 0) return;
  if (now >= next_forgetting_) {
    next_forgetting_ = now + kEvery;
    constexpr Microseconds kTick = 100'000;
    constexpr Microseconds kLongestTrace = Microseconds{600} * 1'000'000;
    const Microseconds memory = Microseconds{options_.memory} * kTick + kLongestTrace;
    const Microseconds time = options_.origin + now * kTick;
    if (time > memory) join_.Forget(time - memory);
  }
  if (now >= next_weighing_) KeepJoinInRoom(now);
}

void StreamEngine::KeepJoinInRoom(Tick now) {
  constexpr Tick kEvery = 5;
  next_weighing_ = now + kEvery;
  told_ = 0;
  const std::size_t budget = options_.budget_bytes / 4;
  while (join_.bytes() > budget && join_.earliest() < join_.latest()) {
    join_.Forget(join_.earliest() + (join_.latest() - join_.earliest()) / 4 + 1);
  }
}

void StreamEngine::Tell(const JoinInput& input) {
  told_ += input.seen.size() + input.ended.size() + input.asked.size() + input.asked_once.size();
  for (const JoinInput::Asked& asked : input.withdrawn) {
    join_.Withdraw(asked.asker, asked.questions);
  }
  for (const Span& span : input.seen) {
    join_.See(span, shapes_.Get(static_cast<ShapeId>(span.shape)));
  }
  for (const JoinInput::Ended& ended : input.ended) join_.SeeEnd(ended.instance, ended.end);
  for (const JoinInput::Asked& asked : input.asked) join_.Ask(asked.asker, asked.questions);
  for (const JoinInput::AskedOnce& asked : input.asked_once) {
    join_.Ask(asked.asker, {&asked.question, 1});
  }
}

void StreamEngine::GiveAnswers() {
  for (const GivenAnswer& given : join_.Settle()) {
    answers_[StreamShard::NumberIn(given.asker)].push_back(given);
  }
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (answers_[i].empty()) continue;
    parts_[i].runner->Do([answers = std::exchange(answers_[i], {})](StreamShard& shard) {
      for (const GivenAnswer& given : answers) shard.Take(given);
    });
  }
}

void StreamEngine::UseEpoch(std::shared_ptr<const Epoch> epoch) {
  DoInAll([epoch](StreamShard& shard) { shard.UseEpoch(epoch); });
  join_.UseProfile(epoch->profile);
  epoch_ = std::move(epoch);
}

void StreamEngine::UseRules(const PolicyRules& rules) {
  UseEpoch(std::make_shared<const Epoch>(Epoch{.rules = rules, .profile = epoch_->profile}));
}

std::vector<const StreamShard*> StreamEngine::shards() const {
  std::vector<const StreamShard*> shards;
  shards.reserve(parts_.size());
  for (const Part& part : parts_) shards.push_back(&part.runner->shard());
  return shards;
}

Tally StreamEngine::tally() const {
  Tally sum;
  for (const Part& part : parts_) sum.Add(part.runner->shard().tally());
  return sum;
}

ShardCounts StreamEngine::counts() const {
  ShardCounts sum;
  for (const Part& part : parts_) {
    const ShardCounts& counts = part.runner->shard().counts();
    sum.spans += counts.spans;
    sum.logs += counts.logs;
    sum.shed_traces += counts.shed_traces;
    sum.forgotten_early += counts.forgotten_early;
    sum.late_spans += counts.late_spans;
  }
  return sum;
}

}  // namespace tracekeeper::continuity
