#include "src/continuity/stream_shard.h"

#include <algorithm>
#include <ranges>

#include "src/continuity/keyed_hash.h"
#include "src/continuity/log_verdict.h"

namespace tracekeeper::continuity {
namespace {

constexpr Microseconds kMicrosecondsPerTick = 100'000;
constexpr Tick kWaitForProfile = 10;

// An AskerId: 8 bits the shard, 1 bit whether it is a log record, then its sequence number; or of a
// record a hash of the trace, the generation and the number: what was asked for a trace that is
// forgotten must not answer another one that has its number.
constexpr unsigned kShardShift = 56;
constexpr std::uint64_t kIsLog = std::uint64_t{1} << 55U;
constexpr unsigned kGenerationShift = 32;
constexpr unsigned kTraceShift = 40;
constexpr unsigned kTraceBits = 15;

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
      fingerprints_(options.fingerprints / 2, options.table.key),
      shed_(options.fingerprints / 2, options.table.key),
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
  arriving_[came_ % kArriving] = {span, now};
  table_.PrefetchIndex(span.trace.low);
  const auto before = [this](std::size_t spans) -> std::uint64_t {
    return arriving_[(came_ - spans) % kArriving].span.trace.low;
  };
  if (came_ >= taken_ + kPrefetchStep) PrefetchRecord(before(kPrefetchStep));
  if (came_ >= taken_ + 2 * kPrefetchStep) table_.PrefetchPlace(before(2 * kPrefetchStep));
  if (++came_ - taken_ == kArriving) Take(arriving_[taken_++ % kArriving]);
}

/// Of a trace that has none, whether it was forgotten is asked.
void StreamShard::PrefetchRecord(std::uint64_t low) const {
  if (!table_.PrefetchRecord(low)) fingerprints_.Prefetch(low);
}

void StreamShard::Flush() {
  while (taken_ < came_) Take(arriving_[taken_++ % kArriving]);
}

void StreamShard::Take(const Arriving& arriving) {
  const ReadSpan& span = arriving.span;
  Append(span.trace, span.span, 0, arriving.now);
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

StreamShard::RecordNumber StreamShard::RecordFor(otlp::TraceId trace, const Span& span, Tick now) {
  RecordNumber number = table_.Find(trace.low);
  if (number != SpanTable::kNoRecord) return number;
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

AskerId StreamShard::AskerOf(RecordNumber number) const {
  const SpanTable::Record& record = table_.at(number);
  const std::uint64_t trace = KeyedHash(record.id.low, options_.table.key) >> (64U - kTraceBits);
  return std::uint64_t{options_.number} << kShardShift | trace << kTraceShift |
         std::uint64_t{record.generation} << kGenerationShift | number;
}

bool StreamShard::HasNews(RecordNumber number) {
  const std::size_t counted = table_.at(number).judged_spans;
  const Cluster cluster = ClusterOf(number, table_.at(number).spans);
  known_.clear();
  for (const Span& span : cluster.spans.first(counted)) known_.push_back({0, span});
  std::ranges::sort(known_, {}, IdOf);
  return std::ranges::any_of(cluster.spans.subspan(counted), [this](const Span& span) {
    if ((span.is_cut & ClusterTag::kIsLog) != 0) return true;
    const auto same_id = std::ranges::equal_range(known_, span.id, {}, IdOf);
    return std::ranges::find(same_id, span, &SentSpan::span) == same_id.end();
  });
}

void StreamShard::TellSeen(RecordNumber number, JoinInput& input) {
  const auto use = [this](const Cluster& cluster, auto take) {
    judge_.ForEachTree(cluster, [&take](const TraceTree& tree) {
      for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
        take({tree.IdAsSent(i).high, tree.span(i)});
      }
    });
  };
  const SpanTable::Record& record = table_.at(number);
  known_.clear();
  use(ClusterOf(number, ToldSpans(number)),
      [this](const SentSpan& sent) { known_.push_back(sent); });
  std::ranges::sort(known_, {}, IdOf);
  use(ClusterOf(number, record.spans), [&](SentSpan sent) {
    const auto same_id = std::ranges::equal_range(known_, sent.span.id, {}, IdOf);
    const bool was_told = std::ranges::any_of(same_id, [&](SentSpan other) {
      other.span.is_cut = sent.span.is_cut;  // the same span, whatever it is judged with
      return other.high == sent.high && judge_.IsRepeat(other.span, sent.span);
    });
    if (was_told) return;
    sent.span.is_cut = 0;
    input.seen.push_back(sent.span);
  });
}

/// What was asked is not kept: it is found again by what it was asked for.
void StreamShard::WithdrawAsked(RecordNumber number, JoinInput& input) {
  const SpanTable::Record& record = table_.at(number);
  input.withdrawn.push_back({.asker = AskerOf(number),
                             .questions = judge_.Ask(ClusterOf(number, ToldSpans(number)),
                                                     *epochs_[record.epoch_asked])});
}

std::size_t StreamShard::ToldSpans(RecordNumber number) const {
  const auto told = told_.find(number);
  return told == told_.end() ? table_.at(number).judged_spans : told->second;
}

void StreamShard::Ask(RecordNumber number, Tick now, JoinInput& input) {
  SpanTable::Record& record = table_.at(number);
  if (AskPlainly(number, now, input)) return;
  if (record.judged_spans > 0 && !HasNews(number)) {
    table_.Truncate(number, record.judged_spans);
    record.phase = Phase::kJudged;
    record.due = now + options_.memory;
    Remember(number);
    return;
  }
  TellSeen(number, input);
  if ((record.marks & kHasAsked) != 0) WithdrawAsked(number, input);
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
