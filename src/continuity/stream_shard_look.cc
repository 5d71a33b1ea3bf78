// What a shard tells of one trace to whoever asks.

#include <algorithm>

#include "src/continuity/stream_shard.h"

namespace tracekeeper::continuity {
namespace {

/// Ids that share their lower half by chance are apart; a short form is judged with the long one.
std::optional<TraceReport> Choose(std::vector<TraceReport> reports, const otlp::TraceId& id) {
  const auto found = std::ranges::find(reports, HexOf(id), &TraceReport::trace_id);
  if (found != reports.end()) return std::move(*found);
  if (id.high == 0 && reports.size() == 1) return std::move(reports.front());
  return std::nullopt;
}

}  // namespace

std::optional<KnownTrace> StreamShard::Look(const otlp::TraceId& id) {
  using State = KnownTrace::State;
  const RecordNumber number = table_.Find(id.low);
  if (number == SpanTable::kNoRecord) {
    if (shed_.Find(id.low, now_)) return KnownTrace{.state = State::kShed, .report = {}};
    if (fingerprints_.Find(id.low, now_))
      return KnownTrace{.state = State::kForgotten, .report = {}};
    return std::nullopt;
  }
  const SpanTable::Record& record = table_.at(number);
  if (record.phase == Phase::kShed) return KnownTrace{.state = State::kShed, .report = {}};
  KnownTrace known{.spans = record.spans, .report = {}};
  if (record.phase == Phase::kOpen) return known;
  const bool is_counted = record.phase == Phase::kJudged;
  known.state = is_counted ? State::kCounted : State::kAsking;
  const AnswersOf& answers = AnswersFor(number);
  const Epoch& epoch = *epochs_[is_counted ? record.epoch_counted : record.epoch_asked];
  known.report = Choose(judge_.Report(ClusterOf(number, record.spans), epoch,
                                      is_counted ? answers.counted : answers.pending),
                        id);
  if (!known.report) return std::nullopt;
  return known;
}

}  // namespace tracekeeper::continuity
