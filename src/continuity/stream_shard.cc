#include "src/continuity/stream_shard.h"

#include <algorithm>
#include <ranges>

#include "src/continuity/copy_words.h"
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
  UseSettleWindow(epoch->profile.settle_window);
  cards_.UseEpoch(epoch);
  epochs_[++epoch_] = std::move(epoch);
}

void StreamShard::UseSettleWindow(Microseconds window) {
  settle_window_ = static_cast<Tick>((window + kMicrosecondsPerTick - 1) / kMicrosecondsPerTick);
  const bool is_least = least_settle_window_ == 0 || settle_window_ < least_settle_window_;
  if (is_least) least_settle_window_ = settle_window_;
}

void StreamShard::DrawAgain(Microseconds settle_window) {
  Flush();
  const Tick before = settle_window_;
  UseSettleWindow(settle_window);
  const auto wait_longer = [this, before](RecordNumber number) {
    SpanTable::Record& record = table_.at(number);
    if (record.phase != Phase::kOpen) return;
    Unmark(record, kIsSampled);
    record.due += settle_window_ - before;
  };
  for (const std::vector<RecordNumber>& slot : wheel_) std::ranges::for_each(slot, wait_longer);
  std::for_each(due_.begin() + static_cast<std::ptrdiff_t>(next_due_), due_.end(), wait_longer);
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
  if ((came_ & lag_mask_) == 0) NoteLag(span.span, now);
  Arriving& arriving = arriving_[came_ % kArriving];
  CopyWords(span.trace, arriving.trace);
  CopyWords(span.span, arriving.span);
  arriving.has_randomness = span.randomness.has_value();
  arriving.randomness = span.randomness.value_or(0);
  arriving.now = now;
  arriving.hash = table_.HashOf(span.trace.low);
  arriving.record = SpanTable::kNoRecord;
  table_.PrefetchIndex(arriving.hash);
  if (came_ >= taken_ + kPrefetchStep) PrefetchRecord(Before(kPrefetchStep));
  if (came_ >= taken_ + 2 * kPrefetchStep) {
    const RecordNumber record = Before(2 * kPrefetchStep).record;
    if (record != SpanTable::kNoRecord) table_.PrefetchPlace(record);
  }
  if (++came_ - taken_ == kArriving) Take(arriving_[taken_++ % kArriving]);
}

void StreamShard::NoteLag(const Span& span, Tick now) {
  const NameId instance = shapes_.Get(static_cast<ShapeId>(span.shape)).instance;
  if (options_.origin == 0 || instance == 0 || span.is_unfinished()) return;
  const auto arrival = static_cast<std::int64_t>(options_.origin / kMicrosecondsPerTick + now);
  const std::int64_t lag = arrival - static_cast<std::int64_t>(span.end() / kMicrosecondsPerTick);
  // What is older is played again, and says nothing of how live spans arrive.
  constexpr std::int64_t kMost = 6000;
  if (lag < -kMost || lag > kMost) return;
  lags_.push_back({instance, static_cast<std::int32_t>(lag)});
}

/// About as many of each tick, however many spans came.
void StreamShard::FinishLags(JoinInput& input) {
  constexpr std::size_t kMost = 256;
  if (lags_.size() > kMost) lag_mask_ = lag_mask_ * 2 + 1;
  if (lags_.size() < kMost / 4) lag_mask_ /= 2;
  input.lags.insert(input.lags.end(), lags_.begin(), lags_.end());
  lags_.clear();
}

/// Of a trace that has none, whether it was forgotten is asked.
void StreamShard::PrefetchRecord(Arriving& arriving) {
  arriving.record = table_.PrefetchRecord(arriving.hash);
  if (arriving.record == SpanTable::kNoRecord) fingerprints_.Prefetch(arriving.trace.low);
}

void StreamShard::Flush() {
  while (taken_ < came_) Take(arriving_[taken_++ % kArriving]);
}

void StreamShard::Take(const Arriving& arriving) {
  const RecordNumber known = table_.Find(arriving.trace.low, arriving.hash);
  Append(known, arriving.trace, arriving.span, 0, arriving.now);
  if (arriving.has_randomness) AddRandomness(arriving.trace, arriving.randomness);
}

/// From the span that came last on: what was judged before it is found again without.
void StreamShard::AddRandomness(const otlp::TraceId& trace, std::uint64_t value) {
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

void StreamShard::Append(RecordNumber number, const otlp::TraceId& trace, const Span& span,
                         std::uint8_t tag, Tick now) {
  if (number == SpanTable::kNoRecord) number = NewRecordFor(trace, span, tag, now);
  if (number == SpanTable::kNoRecord) return;
  SpanTable::Record& record = table_.at(number);
  if (record.phase == Phase::kShed) {
    Refuse(trace.low, span, tag, now);
    return;
  }
  if (record.phase == Phase::kAsking) NoteTold(number);
  const auto half = table_.TagFor(number, trace.high);
  const auto full_tag = static_cast<std::uint8_t>(half.value_or(0) | tag);
  record.phase = Phase::kOpen;  // and so makes no room
  Schedule(number, now + settle_window());
  bool is_held = half && table_.Append(number, span, full_tag);
  while (half && !is_held && ForgetOldest()) is_held = table_.Append(number, span, full_tag);
  // One trace that takes the room of many, or has too many upper halves, is at fault alone.
  const bool is_at_fault = !half || record.spans * sizeof(Span) > table_.budget_bytes() / 16;
  while (!is_held && !is_at_fault && IsWaiting(number, trace.low) && ShedMore(now)) {
    is_held = IsWaiting(number, trace.low) && table_.Append(number, span, full_tag);
  }
  if (is_held) return;
  CountUnknown(span, tag, Reason::kShed);
  if (IsWaiting(number, trace.low)) Shed(number, now);
}

void StreamShard::NoteTold(RecordNumber number) { told_[number] = table_.at(number).spans; }

bool StreamShard::IsWaiting(RecordNumber number, std::uint64_t low) const {
  return table_.Find(low) == number && table_.at(number).phase != Phase::kShed;
}

StreamShard::RecordNumber StreamShard::NewRecordFor(const otlp::TraceId& trace, const Span& span,
                                                    std::uint8_t tag, Tick now) {
  if (fingerprints_.Find(trace.low, now)) {
    ++counts_.late_spans;
    CountUnknown(span, tag, Reason::kLate);
    return SpanTable::kNoRecord;
  }
  if (shed_.Find(trace.low, now)) {
    Refuse(trace.low, span, tag, now);
    return SpanTable::kNoRecord;
  }
  const std::uint64_t hash = KeyedHash(trace.low, options_.table.key);
  while (hash <= take_below_) {
    const RecordNumber number = table_.FindOrAdd(trace);
    if (number != SpanTable::kNoRecord) return number;
    if (!ForgetOldest() && !ShedMore(now)) break;
  }
  Refuse(trace.low, span, tag, now);
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

bool StreamShard::Advance(Tick now, JoinInput& input) {
  Flush();
  while (now_ < now || !due_.empty()) {
    if (due_.empty()) due_.swap(wheel_[++now_ % kWheelSlots]);
    if (!AdvanceDue(input)) return false;
  }
  if (is_judging_) loose_logs_.Advance(now, input);
  FinishLags(input);
  ForgetOld(now);
  ShedLess(now);
  return true;
}

bool StreamShard::AdvanceDue(JoinInput& input) {
  constexpr std::size_t kMostTold = 20'000;  // about 3 MB
  constexpr std::size_t kAhead = 4;
  for (; next_due_ < due_.size(); ++next_due_) {
    if (input.asked_once.size() + input.asked.size() >= kMostTold) return false;
    const std::size_t ahead = next_due_ + kAhead;
    if (ahead + kAhead < due_.size()) table_.Prefetch(due_[ahead + kAhead]);
    if (ahead < due_.size()) table_.PrefetchSpans(due_[ahead]);
    OnDue(due_[next_due_], now_, input);
  }
  next_due_ = 0;
  due_.clear();
  due_.swap(wheel_[now_ % kWheelSlots]);  // its memory is used again
  return true;
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
