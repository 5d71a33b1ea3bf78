// How a shard forgets, sheds, and counts what it could not judge (verdicts.md, section 7).

#include "src/continuity/stream_shard.h"

namespace tracekeeper::continuity {

void StreamShard::Remember(RecordNumber number) {
  SpanTable::Record& record = table_.at(number);
  if ((record.marks & kIsRemembered) != 0) return;
  Mark(record, kIsRemembered);
  judged_.push_back(number);
}

StreamShard::RecordNumber StreamShard::PopJudged() {
  const RecordNumber number = judged_.front();
  judged_.pop_front();
  Unmark(table_.at(number), kIsRemembered);
  return number;
}

void StreamShard::ForgetOld(Tick now) {
  constexpr std::size_t kAhead = 4;
  while (!judged_.empty()) {
    if (judged_.size() > 2 * kAhead) table_.Prefetch(judged_[2 * kAhead]);
    if (judged_.size() > kAhead) {
      table_.PrefetchRemoval(judged_[kAhead]);
      fingerprints_.Prefetch(table_.at(judged_[kAhead]).id.low);
    }
    const SpanTable::Record& record = table_.at(judged_.front());
    const bool is_judged = record.phase == Phase::kJudged;
    if (is_judged && record.due > now) return;
    const RecordNumber number = PopJudged();
    // What is open again comes back when it was counted again.
    if (is_judged) Forget(number, now);
  }
}

bool StreamShard::MakeRoom() {
  while (!judged_.empty()) {
    const RecordNumber number = PopJudged();
    if (table_.at(number).phase != Phase::kJudged) continue;  // comes back once it is counted again
    ++counts_.forgotten_early;
    Forget(number, now_);
    return true;
  }
  return false;
}

void StreamShard::Forget(RecordNumber number, Tick now) {
  const std::uint64_t low = table_.at(number).id.low;
  fingerprints_.Add(low, now + options_.memory, 0);
  judged_spans_ -= table_.at(number).judged_spans;
  randomness_.erase(low);
  answers_.erase(number);
  told_.erase(number);
  table_.Remove(number);
}

/// What was not counted yet of a trace is unknown. The record stays until its turn in the wheel.
void StreamShard::Shed(RecordNumber number, Tick now) {
  SpanTable::Record& record = table_.at(number);
  const Cluster cluster = ClusterOf(number, record.spans);
  for (const Span& span : cluster.spans.subspan(record.judged_spans)) {
    CountUnknown(span, Reason::kShed);
  }
  // Of what was counted and is forgotten now, what comes is late.
  Fingerprints& fingerprints = record.judged_spans > 0 ? fingerprints_ : shed_;
  fingerprints.Add(record.id.low, now + options_.memory, 0);
  judged_spans_ -= record.judged_spans;
  randomness_.erase(record.id.low);
  answers_.erase(number);
  told_.erase(number);
  table_.Clear(number);
  record.phase = Phase::kShed;
}

void StreamShard::Refuse(std::uint64_t low, const Span& span, Tick now) {
  const bool was_counted = fingerprints_.Find(low, now).has_value();
  if (!was_counted) shed_.Add(low, now + options_.memory, 0);
  CountUnknown(span, Reason::kShed);
}

void StreamShard::ShedMore(Tick now) {
  if (shed_until_ == now + settle_window()) return;  // once a tick
  shed_above_ -= shed_above_ / 4;
  shed_until_ = now + settle_window();
}

/// In steps as long as a trace takes: those that are taken again began when they were not shed.
void StreamShard::ShedLess(Tick now) {
  if (shed_above_ == UINT64_MAX || now < shed_until_) return;
  constexpr std::uint64_t kStep = UINT64_MAX / 16;
  shed_above_ = shed_above_ > UINT64_MAX - kStep ? UINT64_MAX : shed_above_ + kStep;
  shed_until_ = now + settle_window();
}

void StreamShard::CountUnknown(const Span& span, Reason reason) {
  const Shape& shape = shapes_.Get(static_cast<ShapeId>(span.shape));
  const bool is_log = (span.is_cut & ClusterTag::kIsLog) != 0;
  CountedUnit unit{
      .key = {.family = Family::kInProcess, .policy = shape.policy, .service = shape.service},
      .verdict = Verdict::Unknown(reason)};
  if (is_log) {
    unit.key.family = Family::kLog;
  } else if (shape.is_entry()) {
    unit.key.family = Family::kHop;
    unit.key.service = 0;
    unit.key.server = shape.service;
  }
  CountUnit(unit);
  const bool stands_for_request = reason == Reason::kShed && span.is_root() && !is_log;
  if (!stands_for_request) return;
  ++counts_.shed_traces;
  unit.key = {.family = Family::kRequest, .policy = shape.policy, .service = shape.service};
  CountUnit(unit);
}

void StreamShard::CountUnit(const CountedUnit& unit) {
  Judgement judgement;
  judgement.units.push_back(unit);
  judgement.seen.Add(unit.key.family, unit.key.policy);
  tally_.Count(judgement);
}

}  // namespace tracekeeper::continuity
