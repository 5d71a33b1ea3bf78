#include "src/otlp/zipkin_json.h"

#include <algorithm>
#include <optional>

#include "src/codec/json_value.h"
#include "src/otlp/imported_span.h"

namespace tracekeeper::otlp {
namespace {

using codec::JsonValue;

/// Microseconds; 0 where the member is not there.
Result<std::uint64_t> ReadTime(JsonValue span, std::string_view member) {
  const JsonValue value = span[member];
  if (!value || value.kind() == JsonValue::Kind::kNull) return std::uint64_t{0};
  const auto time = value.Unsigned();
  if (time && *time <= kLatestMicroseconds) return *time;
  return Fail(ErrorKind::kDecode, "{} must be whole microseconds", member);
}

Result<ImportedSpan> ReadIds(JsonValue span) {
  ImportedSpan result;
  result.trace_id = TRY(IdFromHex(span["traceId"].StringOr(""), kTraceIdBytes));
  result.span_id = TRY(IdFromHex(span["id"].StringOr(""), kSpanIdBytes));
  result.parent_span_id = TRY(IdFromHex(span["parentId"].StringOr(""), kSpanIdBytes));
  result.name = span["name"].StringOr("");
  return result;
}

void AddTag(std::string_view key, std::string_view value, ImportedSpan& span) {
  if (key == "error") {
    span.status = SpanStatus::kError;
    span.status_message = value;
  } else {
    span.attributes.emplace_back(key, value);
  }
}

Result<ImportedSpan> ReadVersion2(JsonValue span) {
  ImportedSpan result = TRY(ReadIds(span));
  result.kind = KindNamed(span["kind"].StringOr(""));
  result.service = span["localEndpoint"]["serviceName"].StringOr("");
  const std::uint64_t start = TRY(ReadTime(span, "timestamp"));
  TRY(SetMicroseconds(start, TRY(ReadTime(span, "duration")), result));
  for (const auto& [key, value] : span["tags"].Members()) AddTag(key, value.StringOr(""), result);
  const std::string_view peer = span["remoteEndpoint"]["serviceName"].StringOr("");
  if (!peer.empty()) result.attributes.emplace_back("peer.service", peer);
  return result;
}

/// One side of a span of version 1: from its first to its last annotation.
struct Half {
  SpanKind kind;
  std::string_view first;
  std::string_view last;
};
constexpr Half kHalves[] = {{SpanKind::kClient, "cs", "cr"}, {SpanKind::kServer, "sr", "ss"}};

struct Annotation {
  std::uint64_t time = 0;
  std::string_view service;
};

Result<std::optional<Annotation>> FindAnnotation(JsonValue span, std::string_view value) {
  for (const JsonValue annotation : span["annotations"].Elements()) {
    if (annotation["value"].StringOr("") != value) continue;
    return Annotation{TRY(ReadTime(annotation, "timestamp")),
                      annotation["endpoint"]["serviceName"].StringOr("")};
  }
  return std::nullopt;
}

/// The service that a span without client and server annotations names anywhere.
std::string_view AnyService(JsonValue span) {
  for (const std::string_view list : {"annotations", "binaryAnnotations"}) {
    for (const JsonValue annotation : span[list].Elements()) {
      const std::string_view service = annotation["endpoint"]["serviceName"].StringOr("");
      if (!service.empty()) return service;
    }
  }
  return {};
}

Result<std::optional<ImportedSpan>> ReadHalf(JsonValue span, const ImportedSpan& common,
                                             const Half& half) {
  const auto first = TRY(FindAnnotation(span, half.first));
  const auto last = TRY(FindAnnotation(span, half.last));
  if (!first && !last) return std::nullopt;
  ImportedSpan result = common;
  result.kind = half.kind;
  const std::uint64_t start = first ? first->time : last->time;
  const std::uint64_t end = last ? last->time : start + TRY(ReadTime(span, "duration"));
  TRY(SetMicroseconds(start, std::max(start, end) - start, result));
  result.service = first ? first->service : last->service;
  return result;
}

Result<std::vector<ImportedSpan>> ReadVersion1(JsonValue span) {
  ImportedSpan common = TRY(ReadIds(span));
  for (const JsonValue tag : span["binaryAnnotations"].Elements()) {
    AddTag(tag["key"].StringOr(""), tag["value"].StringOr(""), common);
  }
  std::vector<ImportedSpan> result;
  for (const Half& half : kHalves) {
    auto read = TRY(ReadHalf(span, common, half));
    if (read) result.push_back(*std::move(read));
  }
  if (!result.empty()) return result;
  common.service = AnyService(span);
  const std::uint64_t start = TRY(ReadTime(span, "timestamp"));
  TRY(SetMicroseconds(start, TRY(ReadTime(span, "duration")), common));
  result.push_back(std::move(common));
  return result;
}

bool IsVersion1(JsonValue span) {
  if (span["binaryAnnotations"]) return true;
  for (const JsonValue annotation : span["annotations"].Elements()) {
    if (annotation["endpoint"]) return true;  // version 2 has it on the span
  }
  return false;
}

}  // namespace

Result<std::size_t> TranscodeZipkinSpan(std::string_view text, std::string& requests) {
  codec::JsonParser parser;
  const JsonValue span = TRY(parser.Parse(text));
  if (!span.is_object() || !span["traceId"].is_string()) {
    return Fail(ErrorKind::kDecode, "a span of Zipkin is an object with a traceId");
  }
  if (!IsVersion1(span)) {
    AppendSpan(TRY(ReadVersion2(span)), requests);
    return std::size_t{1};
  }
  const std::vector<ImportedSpan> halves = TRY(ReadVersion1(span));
  for (const ImportedSpan& half : halves) AppendSpan(half, requests);
  return halves.size();
}

}  // namespace tracekeeper::otlp
