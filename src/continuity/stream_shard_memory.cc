// How a shard forgets, sheds, and counts what it could not judge (verdicts.md, section 7).

#include <algorithm>
#include <vector>

#include "src/continuity/keyed_hash.h"
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

bool StreamShard::ForgetOldest() {
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
    CountUnknown(span, span.is_cut, Reason::kShed);
  }
  // Of what was counted and is forgotten now, what comes is late.
  if (record.judged_spans > 0) {
    fingerprints_.Add(record.id.low, now + options_.memory, 0);
  } else {
    RememberShed(record.id.low, now);
  }
  judged_spans_ -= record.judged_spans;
  randomness_.erase(record.id.low);
  answers_.erase(number);
  told_.erase(number);
  table_.Clear(number);
  ++record.generation;  // no answer to what it asked is for it
  record.phase = Phase::kShed;
}

void StreamShard::Refuse(std::uint64_t low, const Span& span, std::uint8_t tag, Tick now) {
  CountUnknown(span, tag, Reason::kShed);
  if (!fingerprints_.Find(low, now)) RememberShed(low, now);
}

/// Where one made way that may go on, the band that is watched is too wide: of what is in it, all
/// that goes on is known again a settle window later.
void StreamShard::RememberShed(std::uint64_t low, Tick now) {
  if (KeyedHash(low, options_.table.key) > watch_below_) return;
  const Tick gone_until = shed_.Add(low, now + options_.memory, 0);
  if (gone_until <= now + options_.memory - std::min(options_.memory, settle_window())) return;
  watch_below_ = take_below_ + (watch_below_ - take_below_) / 2;
  shed_until_ = now + settle_window();
}

/// All that waits to be counted, of those whose hashes are the largest. What comes of them is known
/// by its hash.
bool StreamShard::ShedMore(Tick now) {
  take_below_ = take_below_ / 8 * 7;
  watch_below_ = take_below_;
  shed_until_ = now + settle_window();
  const std::size_t before = table_.traces();
  const auto shed = [this, now](RecordNumber number) {
    const SpanTable::Record& record = table_.at(number);
    const bool waits = record.phase == Phase::kOpen || record.phase == Phase::kAsking;
    if (!waits || record.judged_spans > 0) return false;
    if (KeyedHash(record.id.low, options_.table.key) <= take_below_) return false;
    Shed(number, now);
    table_.Remove(number);
    return true;
  };
  for (std::vector<RecordNumber>& slot : wheel_) std::erase_if(slot, shed);
  const auto next = due_.begin() + static_cast<std::ptrdiff_t>(next_due_);
  due_.erase(std::remove_if(next, due_.end(), shed), due_.end());
  return table_.traces() < before;
}

/// In steps as long as a trace takes: what is taken next was watched for so long, and all of it
/// that began before is remembered as shed.
void StreamShard::ShedLess(Tick now) {
  if (take_below_ == UINT64_MAX || now < shed_until_ || !HasRoomForMore()) return;
  const std::uint64_t watched = watch_below_ - take_below_;
  take_below_ = watch_below_;
  const std::uint64_t most = std::min(take_below_ / 4 + UINT64_MAX / 64, UINT64_MAX - take_below_);
  watch_below_ += watched > 0 && watched < most / 2 ? watched * 2 : most;
  shed_until_ = now + settle_window();
}

/// Free, or of what was counted.
bool StreamShard::HasRoomForMore() const {
  const bool is_filled = table_.bytes() > table_.budget_bytes() / 8 * 7;
  return !is_filled || judged_spans_ > table_.spans() / 4;
}

void StreamShard::CountUnknown(const Span& span, std::uint8_t tag, Reason reason) {
  const Shape& shape = shapes_.Get(static_cast<ShapeId>(span.shape));
  const bool is_log = (tag & ClusterTag::kIsLog) != 0;
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
