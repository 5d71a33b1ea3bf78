#include "src/continuity/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <string>

namespace tracekeeper::continuity {
namespace {

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

}  // namespace

struct Recording::Visitor {
  Recording& recording;

  void OnResource(const otlp::ResourceFields& resource) { recording.reader_.OnResource(resource); }
  void OnScope(std::string_view name) { recording.reader_.OnScope(name); }
  void OnSpan(const otlp::SpanFields& fields) {
    const ReadSpan read = recording.reader_.Read(fields);
    if (!read.is_valid) {
      recording.invalid_.push_back({.shape = static_cast<ShapeId>(read.span.shape),
                                    .start_nanoseconds = fields.start_nanoseconds,
                                    .end_nanoseconds = fields.end_nanoseconds,
                                    .trace_id = Hex(fields.trace_id),
                                    .span_id = Hex(fields.span_id),
                                    .parent_span_id = Hex(fields.parent_span_id)});
      return;
    }
    if (read.randomness) {
      // Spans that say different numbers are at fault; the smallest is the same in every order.
      const auto [kept, is_new] = recording.randomness_.emplace(
          std::pair(read.trace.high, read.trace.low), *read.randomness);
      kept->second = std::min(kept->second, *read.randomness);
    }
    recording.spans_.push_back(
        {read.trace, read.span, fields.start_nanoseconds, fields.end_nanoseconds});
  }
  void OnLog(const otlp::LogFields& fields) {
    recording.logs_.push_back(recording.reader_.Read(fields));
  }
};

Status Recording::AddTraces(std::string_view request) {
  Visitor visitor{*this};
  return scanner_.ScanTraces(request, visitor);
}

Status Recording::AddLogs(std::string_view request) {
  Visitor visitor{*this};
  return scanner_.ScanLogs(request, visitor);
}

void Recording::Apply(const Replay& replay) {
  const std::size_t once = spans_.size();
  spans_.reserve(once * (replay.redeliveries + 1));
  for (std::size_t i = 0; i < once * replay.redeliveries; ++i) {
    spans_.push_back(RecordedSpan(spans_[i % once]));
  }
  if (replay.shuffle_seed) {
    std::mt19937_64 random(*replay.shuffle_seed);
    std::ranges::shuffle(spans_, random);
    std::ranges::shuffle(logs_, random);
  }
  if (replay.batch_nanoseconds == 0) return;
  std::ranges::stable_sort(spans_, {}, [&](const RecordedSpan& recorded) {
    // Each instance has a phase of its own, which its number stands for.
    const std::uint64_t interval = replay.batch_nanoseconds;
    const NameId instance = shapes_.Get(static_cast<ShapeId>(recorded.span.shape)).instance;
    const std::uint64_t phase = instance * 0x9E3779B97F4A7C15U % interval;
    const std::uint64_t end = std::min(recorded.end_nanoseconds, UINT64_MAX - 2 * interval);
    return (end + interval - phase) / interval * interval + phase;
  });
}

std::vector<SpanRow> Recording::Rows() const {
  std::vector<SpanRow> rows;
  rows.reserve(spans_.size());
  for (const RecordedSpan& recorded : spans_) {
    const Shape& shape = shapes_.Get(static_cast<ShapeId>(recorded.span.shape));
    rows.push_back({.trace = recorded.trace,
                    .id = recorded.span.id,
                    .parent = recorded.span.parent,
                    .start = recorded.start_nanoseconds,
                    .end = recorded.end_nanoseconds,
                    .service = shape.service,
                    .name = shape.name,
                    .kind = shape.kind});
  }
  return rows;
}

std::optional<std::uint64_t> Recording::RandomnessOf(otlp::TraceId trace) const {
  const auto found = randomness_.find({trace.high, trace.low});
  if (found == randomness_.end()) return std::nullopt;
  return found->second;
}

}  // namespace tracekeeper::continuity
