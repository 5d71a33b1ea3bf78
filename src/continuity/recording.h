#pragma once
// Recording is telemetry kept whole in memory, to be judged at once: what `tracekeeper analyze`
// reads from files.
//
// Threads:  one thread.
// Owner:    owns everything it was given, as numbers.
// Failure:  kDecode for a damaged request, of which the part before the damage is kept.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.h"
#include "src/continuity/span_reader.h"
#include "src/continuity/structure.h"
#include "src/otlp/telemetry_scanner.h"

namespace tracekeeper::continuity {

struct RecordedSpan {
  otlp::TraceId trace;  // as it was sent
  Span span;
  std::uint64_t start_nanoseconds = 0;  // for Structure, which compares them exactly
  std::uint64_t end_nanoseconds = 0;
};

/// Another order of arrival of the same telemetry.
struct Replay {
  std::optional<std::uint64_t> shuffle_seed;
  std::size_t redeliveries = 0;         // how often each span comes once more
  std::uint64_t batch_nanoseconds = 0;  // 0: as recorded; else instances export this often
};

/// A span of no trace; its ids as they were sent, in hexadecimal.
struct InvalidSpan {
  ShapeId shape = 0;
  std::uint64_t start_nanoseconds = 0;
  std::uint64_t end_nanoseconds = 0;
  std::string trace_id;
  std::string span_id;
  std::string parent_span_id;

  auto operator<=>(const InvalidSpan&) const = default;
};

class Recording {
 public:
  Recording() : reader_(names_, shapes_) {}

  /// One ExportTraceServiceRequest.
  Status AddTraces(std::string_view request);
  /// One ExportLogsServiceRequest.
  Status AddLogs(std::string_view request);

  /// Puts spans and logs into another order, and repeats spans.
  void Apply(const Replay& replay);

  [[nodiscard]] const std::vector<RecordedSpan>& spans() const { return spans_; }
  /// Of the spans, for CountStructure.
  [[nodiscard]] std::vector<SpanRow> Rows() const;
  [[nodiscard]] const std::vector<InvalidSpan>& invalid_spans() const { return invalid_; }
  [[nodiscard]] const std::vector<ReadLog>& logs() const { return logs_; }
  [[nodiscard]] std::optional<std::uint64_t> RandomnessOf(otlp::TraceId trace) const;
  [[nodiscard]] const ShapeTable& shapes() const { return shapes_; }
  [[nodiscard]] Names& names() { return names_; }
  [[nodiscard]] const Names& names() const { return names_; }

 private:
  struct Visitor;

  Names names_;
  ShapeTable shapes_;
  SpanReader reader_;
  otlp::TelemetryScanner scanner_;
  std::vector<RecordedSpan> spans_;
  std::vector<InvalidSpan> invalid_;
  std::vector<ReadLog> logs_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> randomness_;  // few have it
};

}  // namespace tracekeeper::continuity
