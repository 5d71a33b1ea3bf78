// The way of a trace in which nothing is odd: see plain_trace.h.

#include "src/continuity/stream_shard.h"

namespace tracekeeper::continuity {

bool StreamShard::AskPlainly(RecordNumber number, Tick now, JoinInput& input) {
  SpanTable::Record& record = table_.at(number);
  const bool may_be_plain = record.judged_spans == 0 && (record.marks & kHasAsked) == 0 &&
                            record.spans <= PlainTrace::kMaxSpans;
  if (!may_be_plain) return false;
  table_.Read(number, record.spans, spans_);
  if (!plain_.Read(record.id, spans_, epochs_[epoch_]->profile.settle_window)) return false;
  for (const Span& span : spans_) SeePlainly(span, input);
  ++record.generation;
  Mark(record, kHasAsked | kIsPlain);
  record.epoch_asked = epoch_;
  record.phase = Phase::kAsking;
  input.asked_once.push_back({.asker = AskerOf(number), .question = plain_.question()});
  Schedule(number, now + join_window());
  return true;
}

/// The stage needs the entries; of other spans, that their instance ended some then.
void StreamShard::SeePlainly(const Span& span, JoinInput& input) {
  const auto shape = static_cast<ShapeId>(span.shape);
  const ShapeCard& card = cards_.Of(shape);
  if (card.is_entry) {
    input.seen.push_back(span);
    return;
  }
  const std::uint64_t tenth = span.end() / 100'000;
  if (card.instance >= last_ends_.size()) last_ends_.resize(card.instance * 2 + 1);
  if (std::exchange(last_ends_[card.instance], tenth) == tenth) return;
  input.ended.push_back({card.instance, span.end()});
}

bool StreamShard::CountPlainly(RecordNumber number) {
  const SpanTable::Record& record = table_.at(number);
  if ((record.marks & kIsPlain) == 0 || record.epoch_asked != epoch_) return false;
  const Answers& pending = AnswersFor(number).pending;
  table_.Read(number, record.spans, spans_);
  plain_.Read(record.id, spans_, epochs_[epoch_]->profile.settle_window);
  plain_.Count(pending.empty() ? Answer::kNo : pending.front());
  return true;
}

}  // namespace tracekeeper::continuity
