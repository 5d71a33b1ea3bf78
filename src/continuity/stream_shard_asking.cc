// What a shard asks the join stage, and what it makes of the answers.

#include <algorithm>

#include "src/continuity/keyed_hash.h"
#include "src/continuity/stream_shard.h"

namespace tracekeeper::continuity {
namespace {

// An AskerId: 8 bits the shard, 1 bit whether it is a log record, then its sequence number; or of a
// record a hash of the trace, the generation and the number: what was asked for a trace that is
// forgotten must not answer another one that has its number.
constexpr unsigned kShardShift = 56;
constexpr AskerId kIsLog = AskerId{1} << 55U;
constexpr unsigned kGenerationShift = 32;
constexpr unsigned kTraceShift = 40;
constexpr unsigned kTraceBits = 15;

}  // namespace

std::size_t StreamShard::NumberIn(AskerId asker) { return asker >> kShardShift; }

AskerId StreamShard::FirstLogAsker(std::uint8_t shard) {
  return AskerId{shard} << kShardShift | kIsLog;
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
  Schedule(number, now + join_window());
}

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
