#pragma once
// SpanReader turns spans as they come out of TelemetryScanner into Spans, and texts into numbers.
//
//   scanner.ScanTraces(request, visitor);  // whose OnResource and OnScope are the reader's
//   const ReadSpan read = reader.Read(fields);
//
// Threads:  one thread.
// Owner:    names and shapes outlive it.
// Source:   docs/reference/verdicts.md, section 2.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "src/continuity/pod_policies.h"
#include "src/continuity/shape.h"
#include "src/continuity/shape_cache.h"
#include "src/continuity/span.h"
#include "src/otlp/telemetry_fields.h"
#include "src/otlp/trace_id.h"

namespace tracekeeper::continuity {

struct ReadSpan {
  otlp::TraceId trace;  // of an invalid span, a number that stands for all that it says
  Span span;
  std::optional<std::uint64_t> randomness;  // rv of its tracestate
  /// One of its ids is empty, all zeros or of a wrong length: it belongs to no trace.
  bool is_valid = false;
};

enum class IdState : std::uint8_t { kNone, kValid, kInvalid };

struct ReadLog {
  IdState trace_state = IdState::kNone;
  IdState span_state = IdState::kNone;
  otlp::TraceId trace;
  std::uint64_t span = 0;
  Microseconds time = 0;
  NameId service = 0;
  NameId instance = 0;
  NameId policy = 0;
  bool is_sampled = false;
  ShapeId shape = 0;  // says the same, where a record stands among spans
};

class SpanReader {
 public:
  SpanReader(Names& names, ShapeTable& shapes) : names_(names), shapes_(shapes) {}

  /// For resources that name no policy. Null: no pod is known.
  void UsePods(std::shared_ptr<const PodPolicies> pods) { pods_ = std::move(pods); }

  void OnResource(const otlp::ResourceFields& resource);
  void OnScope(std::string_view name);
  [[nodiscard]] ReadSpan Read(const otlp::SpanFields& fields);
  [[nodiscard]] ReadLog Read(const otlp::LogFields& fields);

 private:
  /// `traits`: what the span says beside its texts, see span_reader.cc.
  [[nodiscard]] ShapeId ShapeIdOf(const otlp::SpanFields& fields, std::uint64_t traits,
                                  std::uint64_t threshold);
  [[nodiscard]] std::string_view PolicyOf(const otlp::ResourceFields& resource) const;
  [[nodiscard]] Shape ShapeOf(const otlp::SpanFields& fields, std::uint64_t traits,
                              std::uint64_t threshold);
  [[gnu::noinline]] ShapeId NewShape(const otlp::SpanFields& fields, std::uint64_t traits,
                                     std::uint64_t threshold);
  [[gnu::noinline]] static std::uint64_t HashOf(const otlp::SpanFields& fields, const Shape& shape);

  Names& names_;
  ShapeTable& shapes_;
  std::shared_ptr<const PodPolicies> pods_;
  ShapeCache cache_;
  Shape of_resource_;  // what all spans of the resource and scope share
  std::array<std::optional<ShapeId>, 2> log_shapes_;  // of its records, by whether sampled
  std::string text_;                                  // of two parts, before it is interned
};

}  // namespace tracekeeper::continuity
