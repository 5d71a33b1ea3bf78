#include "src/continuity/stream_shard.h"

#include <algorithm>
#include <ranges>

#include "src/continuity/keyed_hash.h"
#include "src/continuity/log_verdict.h"

namespace tracekeeper::continuity {
namespace {

constexpr Microseconds kMicrosecondsPerTick = 100'000;
constexpr Tick kWaitForProfile = 10;

}  // namespace

StreamShard::StreamShard(const ShardOptions& options, const Names& names, const ShapeTable& shapes,
                         std::shared_ptr<const Epoch> epoch)
    : options_(options),
      shapes_(shapes),
      table_(options.table),
      fingerprints_(options.fingerprints / 2, options.table.key),
      shed_(options.fingerprints / 2, options.table.key),
      judge_(names, shapes),
      loose_logs_({.first_asker = FirstLogAsker(options.number),
                   .join_window = options.join_window,
                   .memory = options.memory},
                  tally_),
      cards_(names, shapes, tally_),
      plain_(shapes, cards_, tally_) {
  UseEpoch(std::move(epoch));
}

void StreamShard::UseEpoch(std::shared_ptr<const Epoch> epoch) {
  const Microseconds window = epoch->profile.settle_window;
  settle_window_ = static_cast<Tick>((window + kMicrosecondsPerTick - 1) / kMicrosecondsPerTick);
  cards_.UseEpoch(epoch);
  epochs_[++epoch_] = std::move(epoch);
}

std::size_t StreamShard::table_bytes() const { return table_.bytes() + fingerprints_.bytes(); }

// --- What comes in -------------------------------------------------------------------------------

void StreamShard::Insert(const ReadSpan& span, Tick now) {
  ++counts_.spans;
  if (!span.is_valid) {
    // What stands for an invalid span is remembered like a trace: its repeats count once.
    if (fingerprints_.Find(span.trace.low, now)) return;
    fingerprints_.Add(span.trace.low, now + options_.memory, 0);
    const Shape& shape = shapes_.Get(static_cast<ShapeId>(span.span.shape));
    CountUnit(
        {.key = {.family = Family::kInProcess, .policy = shape.policy, .service = shape.service},
         .verdict = Verdict::Bad(Cause::kInvalidId)});
    return;
  }
  Arriving& arriving = arriving_[came_ % kArriving];
  arriving = {.span = span, .now = now, .hash = table_.HashOf(span.trace.low)};
  table_.PrefetchIndex(arriving.hash);
  if (came_ >= taken_ + kPrefetchStep) PrefetchRecord(Before(kPrefetchStep));
  if (came_ >= taken_ + 2 * kPrefetchStep) {
    const RecordNumber record = Before(2 * kPrefetchStep).record;
    if (record != SpanTable::kNoRecord) table_.PrefetchPlace(record);
  }
  if (++came_ - taken_ == kArriving) Take(arriving_[taken_++ % kArriving]);
}

/// Of a trace that has none, whether it was forgotten is asked.
void StreamShard::PrefetchRecord(Arriving& arriving) {
  arriving.record = table_.PrefetchRecord(arriving.hash);
  if (arriving.record == SpanTable::kNoRecord) fingerprints_.Prefetch(arriving.span.trace.low);
}

void StreamShard::Flush() {
  while (taken_ < came_) Take(arriving_[taken_++ % kArriving]);
}

void StreamShard::Take(const Arriving& arriving) {
  const ReadSpan& span = arriving.span;
  const RecordNumber known = table_.Find(span.trace.low, arriving.hash);
  Append(known, span.trace, span.span, 0, arriving.now);
  if (span.randomness) AddRandomness(span.trace, *span.randomness);
}

/// From the span that came last on: what was judged before it is found again without.
void StreamShard::AddRandomness(otlp::TraceId trace, std::uint64_t value) {
  const RecordNumber number = table_.Find(trace.low);
  const bool was_taken = number != SpanTable::kNoRecord && table_.at(number).phase != Phase::kShed;
  if (!was_taken) return;
  auto& known = randomness_[trace.low];
  const bool is_known = std::ranges::any_of(known, [&](const SaidRandomness& said) {
    return said.of.high == trace.high && said.of.value <= value;
  });
  if (!is_known) known.push_back({{trace.high, value}, table_.at(number).spans});
}

void StreamShard::Insert(const ReadLog& log, Tick now) {
  Flush();  // in the order of arrival
  ++counts_.logs;
  const bool names_trace =
      log.trace_state == IdState::kValid && log.span_state != IdState::kInvalid;
  if (names_trace) {
    Span record;
    record.id = log.span;
    record.start = log.time;
    record.shape = log.shape;
    Append(table_.Find(log.trace.low), log.trace, record, ClusterTag::kIsLog, now);
    return;
  }
  if (!QuestionAbout(log)) {
    CountUnit(LooseLogs::UnitOf(log, JudgeLog(log, {})));
  } else if (!loose_logs_.Add(log, now + settle_window())) {
    CountUnit(LooseLogs::UnitOf(log, Verdict::Unknown(Reason::kShed)));
  }
}

void StreamShard::Append(RecordNumber number, otlp::TraceId trace, Span span, std::uint8_t tag,
                         Tick now) {
  span.is_cut = tag;
  if (number == SpanTable::kNoRecord) number = NewRecordFor(trace, span, now);
  if (number == SpanTable::kNoRecord) return;
  SpanTable::Record& record = table_.at(number);
  if (record.phase == Phase::kShed) {
    Refuse(trace.low, span, now);
    return;
  }
  if (record.phase == Phase::kAsking) told_[number] = record.spans;
  const auto half = table_.TagFor(number, trace.high);
  span.is_cut = static_cast<std::uint8_t>(half.value_or(0) | tag);
  record.phase = Phase::kOpen;  // and so makes no room
  bool is_held = half && table_.Append(number, span);
  while (half && !is_held && MakeRoom()) is_held = table_.Append(number, span);
  Schedule(number, now + settle_window());
  if (is_held) return;
  // One trace that takes the room of many, or has too many upper halves, is at fault alone.
  const bool is_too_large = record.spans * sizeof(Span) > table_.budget_bytes() / 16;
  if (half && !is_too_large) ShedMore(now);
  CountUnknown(span, Reason::kShed);
  Shed(number, now);
}

StreamShard::RecordNumber StreamShard::NewRecordFor(otlp::TraceId trace, const Span& span,
                                                    Tick now) {
  if (fingerprints_.Find(trace.low, now)) {
    ++counts_.late_spans;
    CountUnknown(span, Reason::kLate);
    return SpanTable::kNoRecord;
  }
  if (shed_.Find(trace.low, now)) {
    Refuse(trace.low, span, now);
    return SpanTable::kNoRecord;
  }
  const bool is_taken = KeyedHash(trace.low, options_.table.key) <= shed_above_;
  RecordNumber number = SpanTable::kNoRecord;
  do {
    number = is_taken ? table_.FindOrAdd(trace) : SpanTable::kNoRecord;
  } while (is_taken && number == SpanTable::kNoRecord && MakeRoom());
  if (number != SpanTable::kNoRecord) return number;
  if (is_taken) ShedMore(now);
  Refuse(trace.low, span, now);
  return SpanTable::kNoRecord;
}

void StreamShard::Schedule(RecordNumber number, Tick due) {
  SpanTable::Record& record = table_.at(number);
  record.due = due;
  if ((record.marks & kIsInWheel) != 0) return;  // looked at when its turn comes, and put back
  Mark(record, kIsInWheel);
  const Tick farthest = now_ + kWheelSlots - 1;
  wheel_[std::clamp(due, now_ + 1, farthest) % kWheelSlots].push_back(number);
}

// --- What is due ---------------------------------------------------------------------------------

void StreamShard::Advance(Tick now, JoinInput& input) {
  Flush();
  while (now_ < now) {
    ++now_;
    due_.swap(wheel_[now_ % kWheelSlots]);
    for (std::size_t i = 0; i < due_.size(); ++i) {
      constexpr std::size_t kAhead = 4;
      if (i + 2 * kAhead < due_.size()) table_.Prefetch(due_[i + 2 * kAhead]);
      if (i + kAhead < due_.size()) table_.PrefetchSpans(due_[i + kAhead]);
      OnDue(due_[i], now_, input);
    }
    due_.clear();
    due_.swap(wheel_[now_ % kWheelSlots]);  // its memory is used again
  }
  if (is_judging_) loose_logs_.Advance(now, input);
  ForgetOld(now);
  ShedLess(now);
}

void StreamShard::OnDue(RecordNumber number, Tick now, JoinInput& input) {
  SpanTable::Record& record = table_.at(number);
  Unmark(record, kIsInWheel);
  if (record.phase == Phase::kJudged) return;
  if (record.phase == Phase::kShed) {
    const bool is_remembered = (record.marks & kIsRemembered) != 0;
    is_remembered ? Schedule(number, now + 1) : table_.Remove(number);
  } else if (record.due > now) {
    Schedule(number, record.due);
  } else if (record.phase == Phase::kOpen) {
    Sample(number, input);
    is_judging_ ? Ask(number, now, input) : Schedule(number, now + kWaitForProfile);
  } else {
    Count(number, now);
  }
}

Cluster StreamShard::ClusterOf(RecordNumber number, std::size_t spans) {
  table_.Read(number, spans, spans_);
  halves_ = table_.UpperHalves(number);
  const std::uint64_t low = table_.at(number).id.low;
  const auto randomness = randomness_.find(low);
  cluster_randomness_.clear();
  if (randomness != randomness_.end()) {
    // The smallest first, which was said last.
    for (const SaidRandomness& said : std::views::reverse(randomness->second)) {
      if (said.spans <= spans) cluster_randomness_.push_back(said.of);
    }
  }
  return {.low = low, .halves = halves_, .spans = spans_, .randomness = cluster_randomness_};
}

/// Once, and only what has one id: the short form of another teaches as little as it says.
void StreamShard::Sample(RecordNumber number, JoinInput& input) {
  SpanTable::Record& record = table_.at(number);
  const std::uint64_t hash = KeyedHash(record.id.low, ~options_.table.key);
  if (hash >= sample_below_ || (record.marks & kIsSampled) != 0) return;
  Mark(record, kIsSampled);
  const Cluster cluster = ClusterOf(number, record.spans);
  if (cluster.halves.size() > 1) return;
  SampledTrace& sample = input.samples.emplace_back();
  sample.hash = hash;
  sample.id = record.id;
  for (const Span& span : cluster.spans) {
    if (span.is_cut == 0) sample.spans.push_back(span);
  }
}

const StreamShard::AnswersOf& StreamShard::AnswersFor(RecordNumber number) const {
  const auto found = answers_.find(number);
  return found == answers_.end() ? no_answers_ : found->second;
}

Judgement StreamShard::JudgementOf(RecordNumber number, std::size_t spans, std::uint8_t epoch,
                                   const Answers& answers) {
  return judge_.Conclude(ClusterOf(number, spans), *epochs_[epoch], answers);
}

void StreamShard::Count(RecordNumber number, Tick now) {
  if (CountPlainly(number)) {
    FinishCount(number, now);
    return;
  }
  SpanTable::Record& record = table_.at(number);
  const AnswersOf& answers = AnswersFor(number);
  const Judgement judgement =
      JudgementOf(number, record.spans, record.epoch_asked, answers.pending);
  if (record.judged_spans == 0) {
    tally_.Count(judgement);
  } else {
    tally_.Correct(JudgementOf(number, record.judged_spans, record.epoch_counted, answers.counted),
                   judgement);
  }
  FinishCount(number, now);
}

void StreamShard::FinishCount(RecordNumber number, Tick now) {
  SpanTable::Record& record = table_.at(number);
  judged_spans_ += record.spans - record.judged_spans;
  record.judged_spans = record.spans;
  told_.erase(number);
  record.epoch_counted = record.epoch_asked;
  Mark(record, kAskedForCounted);
  record.phase = Phase::kJudged;
  record.due = now + options_.memory;
  if (const auto found = answers_.find(number); found != answers_.end()) {
    found->second.counted = std::move(found->second.pending);
    found->second.pending.clear();
    if (found->second.counted.empty()) answers_.erase(found);
  }
  Remember(number);
}

}  // namespace tracekeeper::continuity
