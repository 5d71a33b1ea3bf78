#pragma once
// ImportedSpan is a span of another format on its way to OTLP: the readers of Jaeger, Zipkin and
// Tempo fill it, and AppendSpan writes it as protobuf, so that all formats meet in one scanner.
//
// Threads:  values and pure functions. Views live as long as the record they come from.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.h"
#include "src/otlp/telemetry_fields.h"

namespace tracekeeper::otlp {

using ImportedAttribute = std::pair<std::string_view, std::string_view>;

struct ImportedSpan {
  std::string trace_id;  // bytes
  std::string span_id;
  std::string parent_span_id;
  std::string_view service;
  std::string_view name;
  std::string_view status_message;
  SpanKind kind = SpanKind::kUnspecified;
  SpanStatus status = SpanStatus::kUnset;
  std::uint64_t start_nanoseconds = 0;
  std::uint64_t end_nanoseconds = 0;
  std::vector<ImportedAttribute> resource;  // beside service.name
  std::vector<ImportedAttribute> attributes;
  std::vector<std::pair<std::string, std::string>> links;  // trace id, span id, as bytes
};

/// Appends a request of this one span.
void AppendSpan(const ImportedSpan& span, std::string& requests);

inline constexpr std::size_t kTraceIdBytes = 16;
inline constexpr std::size_t kSpanIdBytes = 8;

/// An id in hexadecimal of up to `bytes` bytes, with zeros before it: Jaeger and Zipkin write short
/// ids, and leave leading zeros out. kDecode for anything else; empty stays empty.
Result<std::string> IdFromHex(std::string_view hex, std::size_t bytes);

/// Jaeger and Zipkin count in microseconds since 1970. A sum of two of these is still a number of
/// nanoseconds that OTLP can say.
inline constexpr std::uint64_t kLatestMicroseconds = UINT64_MAX / 1000 / 2;
/// kDecode for a time beyond kLatestMicroseconds.
Status SetMicroseconds(std::uint64_t start, std::uint64_t duration, ImportedSpan& span);

/// "server", "SERVER", "SPAN_KIND_SERVER"; kUnspecified for what is none.
SpanKind KindNamed(std::string_view name);

}  // namespace tracekeeper::otlp
