#include "src/continuity/stream_shard.h"

#include <algorithm>

#include "src/continuity/keyed_hash.h"
#include "src/continuity/log_verdict.h"

namespace tracekeeper::continuity {
namespace {

constexpr Microseconds kMicrosecondsPerTick = 100'000;
constexpr Tick kWaitForProfile = 10;

// An AskerId: 8 bits the shard, 1 bit whether it is a log record, then its sequence number, or the
// generation and the number of a record.
constexpr unsigned kShardShift = 56;
constexpr std::uint64_t kIsLog = std::uint64_t{1} << 55U;
constexpr unsigned kGenerationShift = 32;

void Mark(SpanTable::Record& record, unsigned mark) {
  record.marks = static_cast<std::uint8_t>(record.marks | mark) & 0x3FU;
}
void Unmark(SpanTable::Record& record, unsigned mark) {
  record.marks = static_cast<std::uint8_t>(record.marks & ~mark) & 0x3FU;
}

}  // namespace

StreamShard::StreamShard(const ShardOptions& options, const Names& names, const ShapeTable& shapes,
                         std::shared_ptr<const Epoch> epoch)
    : options_(options),
      shapes_(shapes),
      table_(options.table),
      fingerprints_(options.fingerprints, options.table.key),
      judge_(names, shapes),
      loose_logs_({.first_asker = std::uint64_t{options.number} << kShardShift | kIsLog,
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
  Append(span.trace, span.span, 0, now);
  if (!span.randomness || table_.Find(span.trace.low) == SpanTable::kNoRecord) return;
  auto& known = randomness_[span.trace.low];
  const auto same = std::ranges::find(known, span.trace.high, &ClusterRandomness::high);
  if (same == known.end()) {
    known.push_back({span.trace.high, *span.randomness});
  } else {
    same->value = std::min(same->value, *span.randomness);
  }
}

void StreamShard::Insert(const ReadLog& log, Tick now) {
  ++counts_.logs;
  const bool names_trace =
      log.trace_state == IdState::kValid && log.span_state != IdState::kInvalid;
  if (names_trace) {
    Span record;
    record.id = log.span;
    record.start = log.time;
    record.shape = log.shape;
    Append(log.trace, record, ClusterTag::kIsLog, now);
    return;
  }
  if (!QuestionAbout(log)) {
    CountUnit(LooseLogs::UnitOf(log, JudgeLog(log, {})));
  } else if (!loose_logs_.Add(log, now + settle_window())) {
    CountUnit(LooseLogs::UnitOf(log, Verdict::Unknown(Reason::kShed)));
  }
}

void StreamShard::Append(otlp::TraceId trace, Span span, std::uint8_t tag, Tick now) {
  span.is_cut = tag;
  const RecordNumber number = RecordFor(trace, span, now);
  if (number == SpanTable::kNoRecord) return;
  SpanTable::Record& record = table_.at(number);
  if (record.phase == Phase::kShed) {
    CountUnknown(span, Reason::kShed);
    return;
  }
  const auto half = table_.TagFor(number, trace.high);
  span.is_cut = static_cast<std::uint8_t>(half.value_or(0) | tag);
  record.phase = Phase::kOpen;  // and so makes no room
  bool is_held = half && table_.Append(number, span);
  while (half && !is_held && MakeRoom()) is_held = table_.Append(number, span);
  Schedule(number, now + settle_window());
  if (is_held) return;
  // One trace that takes the room of many is at fault alone.
  const bool is_too_large = record.spans * sizeof(Span) > table_.budget_bytes() / 16;
  if (!is_too_large) ShedMore(now);
  CountUnknown(span, Reason::kShed);
  Shed(number, now);
}

StreamShard::RecordNumber StreamShard::RecordFor(otlp::TraceId trace, const Span& span, Tick now) {
  RecordNumber number = table_.Find(trace.low);
  if (number != SpanTable::kNoRecord) return number;
  if (const auto note = fingerprints_.Find(trace.low, now)) {
    const auto reason = static_cast<Reason>(*note);
    counts_.late_spans += reason == Reason::kLate ? 1 : 0;
    CountUnknown(span, reason);
    return SpanTable::kNoRecord;
  }
  const bool is_taken = KeyedHash(trace.low, options_.table.key) <= shed_above_;
  do {
    number = is_taken ? table_.FindOrAdd(trace) : SpanTable::kNoRecord;
  } while (is_taken && number == SpanTable::kNoRecord && MakeRoom());
  if (number != SpanTable::kNoRecord) return number;
  if (is_taken) ShedMore(now);
  // Of this trace nothing more is taken: what is shed is whole traces.
  fingerprints_.Add(trace.low, now + settle_window(), static_cast<std::uint32_t>(Reason::kShed));
  CountUnknown(span, Reason::kShed);
  return SpanTable::kNoRecord;
}

void StreamShard::Schedule(RecordNumber number, Tick due) {
  SpanTable::Record& record = table_.at(number);
  record.due = due;
  if (DueList::Has(record)) return;  // looked at when its turn comes, and put back
  const Tick farthest = now_ + kWheelSlots - 1;
  wheel_[std::clamp(due, now_ + 1, farthest) % kWheelSlots].PushBack(table_, number);
}

// --- What is due ---------------------------------------------------------------------------------

void StreamShard::Advance(Tick now, JoinInput& input) {
  while (now_ < now) {
    ++now_;
    DueList due = std::exchange(wheel_[now_ % kWheelSlots], {});
    while (!due.is_empty()) OnDue(due.PopFront(table_), now_, input);
  }
  if (is_judging_) loose_logs_.Advance(now, input);
  ForgetOld(now);
  ShedLess(now);
}

void StreamShard::OnDue(RecordNumber number, Tick now, JoinInput& input) {
  const SpanTable::Record& record = table_.at(number);
  if (record.phase == Phase::kJudged) return;
  if (record.phase == Phase::kShed) {
    JudgedList::Has(record) ? Schedule(number, now + 1) : table_.Remove(number);
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
  Cluster cluster{.low = low, .halves = halves_, .spans = spans_, .randomness = {}};
  if (randomness != randomness_.end()) cluster.randomness = randomness->second;
  return cluster;
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

AskerId StreamShard::AskerOf(RecordNumber number) const {
  const std::uint64_t generation = table_.at(number).generation;
  return std::uint64_t{options_.number} << kShardShift | generation << kGenerationShift | number;
}

bool StreamShard::TellSeen(RecordNumber number, JoinInput& input) {
  const SpanTable::Record& record = table_.at(number);
  const auto put = [](std::vector<JoinInput::Seen>& seen) {
    return [&seen](const Span& span, const Shape&) {
      seen.push_back({span, static_cast<ShapeId>(span.shape)});
      seen.back().span.is_cut = 0;
    };
  };
  seen_before_.clear();
  if (record.judged_spans > 0) {
    judge_.ForEachSpan(ClusterOf(number, record.judged_spans), put(seen_before_));
  }
  const std::size_t before = input.seen.size();
  const Cluster cluster = ClusterOf(number, record.spans);
  judge_.ForEachSpan(cluster, put(input.seen));
  if (record.judged_spans == 0) return true;
  std::ranges::sort(seen_before_, {}, [](const auto& seen) { return seen.span.id; });
  const auto first = input.seen.begin() + static_cast<std::ptrdiff_t>(before);
  const auto news = std::remove_if(first, input.seen.end(), [this](const JoinInput::Seen& seen) {
    const auto same_id = std::ranges::equal_range(seen_before_, seen.span.id, {},
                                                  [](const auto& other) { return other.span.id; });
    return std::ranges::any_of(same_id, [&](const JoinInput::Seen& other) {
      return judge_.IsRepeat(other.span, seen.span);
    });
  });
  input.seen.erase(news, input.seen.end());
  const auto is_log = [](const Span& span) { return (span.is_cut & ClusterTag::kIsLog) != 0; };
  const auto late = cluster.spans.subspan(record.judged_spans);
  return input.seen.size() > before || std::ranges::any_of(late, is_log);
}

void StreamShard::Ask(RecordNumber number, Tick now, JoinInput& input) {
  SpanTable::Record& record = table_.at(number);
  if (AskPlainly(number, now, input)) return;
  if (!TellSeen(number, input)) {
    table_.Truncate(number, record.judged_spans);
    record.phase = Phase::kJudged;
    record.due = now + options_.memory;
    if (!JudgedList::Has(record)) judged_.PushBack(table_, number);
    return;
  }
  if ((record.marks & kHasAsked) != 0) input.withdrawn.push_back(AskerOf(number));
  ++record.generation;
  Unmark(record, kHasAsked | kAskedForCounted | kIsPlain);
  const auto answers = answers_.find(number);
  if (answers != answers_.end()) answers->second.pending.clear();
  record.epoch_asked = epoch_;
  record.phase = Phase::kAsking;
  std::vector<Question> questions =
      judge_.Ask(ClusterOf(number, record.spans), *epochs_[record.epoch_asked]);
  if (questions.empty()) {
    Count(number, now);
    return;
  }
  Mark(record, kHasAsked);
  input.asked.push_back({.asker = AskerOf(number), .questions = std::move(questions)});
  Schedule(number, now + options_.join_window);
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
  record.epoch_counted = record.epoch_asked;
  Mark(record, kAskedForCounted);
  record.phase = Phase::kJudged;
  record.due = now + options_.memory;
  if (const auto found = answers_.find(number); found != answers_.end()) {
    found->second.counted = std::move(found->second.pending);
    found->second.pending.clear();
    if (found->second.counted.empty()) answers_.erase(found);
  }
  if (!JudgedList::Has(record)) judged_.PushBack(table_, number);
}

// --- Answers -------------------------------------------------------------------------------------

void StreamShard::Take(const GivenAnswer& given) {
  if ((given.asker & kIsLog) != 0) {
    loose_logs_.Take(given);
    return;
  }
  const auto number = static_cast<RecordNumber>(given.asker);
  const SpanTable::Record& record = table_.at(number);
  const bool is_of_now = (record.marks & kHasAsked) != 0 && AskerOf(number) == given.asker;
  if (!is_of_now) return;  // forgotten, or asked anew since
  const auto set = [&given](Answers& answers) {
    if (answers.size() <= given.question) answers.resize(given.question + 1, Answer::kNo);
    answers[given.question] = given.answer;
  };
  AnswersOf& answers = answers_[number];
  if ((record.marks & kAskedForCounted) == 0) {
    set(answers.pending);
    return;
  }
  const Answers before = answers.counted;
  set(answers.counted);
  tally_.Correct(JudgementOf(number, record.judged_spans, record.epoch_counted, before),
                 JudgementOf(number, record.judged_spans, record.epoch_counted, answers.counted));
}

}  // namespace tracekeeper::continuity
