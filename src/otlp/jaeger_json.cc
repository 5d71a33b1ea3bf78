#include "src/otlp/jaeger_json.h"

#include "src/codec/json_value.h"
#include "src/otlp/imported_span.h"

namespace tracekeeper::otlp {
namespace {

using codec::JsonValue;

/// Clients write the tag `error` as a truth value or as its text.
bool IsTrue(JsonValue value) { return value.BoolOr(value.StringOr("") == "true"); }

Status ReadReferences(JsonValue span, ImportedSpan& result) {
  std::string follows;
  for (const JsonValue reference : span["references"].Elements()) {
    const std::string trace = TRY(IdFromHex(reference["traceID"].StringOr(""), kTraceIdBytes));
    const std::string id = TRY(IdFromHex(reference["spanID"].StringOr(""), kSpanIdBytes));
    const bool is_own = trace == result.trace_id;
    const bool is_child_of = reference["refType"].StringOr("") == "CHILD_OF";
    if (is_own && is_child_of && result.parent_span_id.empty()) {
      result.parent_span_id = id;
    } else if (is_own && !is_child_of && follows.empty()) {
      follows = id;
    } else {
      result.links.emplace_back(trace, id);
    }
  }
  if (follows.empty()) return {};
  if (result.parent_span_id.empty()) {
    result.parent_span_id = follows;
  } else {
    result.links.emplace_back(result.trace_id, follows);
  }
  return {};
}

void ReadTags(JsonValue tags, ImportedSpan& result) {
  for (const JsonValue tag : tags.Elements()) {
    const std::string_view key = tag["key"].StringOr("");
    const JsonValue value = tag["value"];
    if (key == "span.kind") {
      result.kind = KindNamed(value.StringOr(""));
    } else if (key == "error") {
      if (IsTrue(value)) result.status = SpanStatus::kError;
    } else if (key == "otel.status_code" && value.StringOr("") == "ERROR") {
      result.status = SpanStatus::kError;
    } else if (key == "otel.status_description") {
      result.status_message = value.StringOr("");
    } else {
      result.attributes.emplace_back(key, value.StringOr(""));
    }
  }
}

Status ReadTimes(JsonValue span, ImportedSpan& result) {
  const auto start = span["startTime"].Unsigned();
  const auto duration = span["duration"].Unsigned();
  if (!start || !duration) {
    return Fail(ErrorKind::kDecode, "startTime and duration must be whole microseconds");
  }
  return SetMicroseconds(*start, *duration, result);
}

Result<ImportedSpan> ReadSpan(JsonValue span, JsonValue processes) {
  ImportedSpan result;
  result.trace_id = TRY(IdFromHex(span["traceID"].StringOr(""), kTraceIdBytes));
  result.span_id = TRY(IdFromHex(span["spanID"].StringOr(""), kSpanIdBytes));
  // Of older versions, beside the references.
  const std::string parent = TRY(IdFromHex(span["parentSpanID"].StringOr(""), kSpanIdBytes));
  result.name = span["operationName"].StringOr("");
  TRY(ReadTimes(span, result));
  TRY(ReadReferences(span, result));
  if (result.parent_span_id.empty()) result.parent_span_id = parent;
  ReadTags(span["tags"], result);
  const JsonValue own = span["process"];
  const JsonValue process = own ? own : processes[span["processID"].StringOr("")];
  result.service = process["serviceName"].StringOr("");
  for (const JsonValue tag : process["tags"].Elements()) {
    result.resource.emplace_back(tag["key"].StringOr(""), tag["value"].StringOr(""));
  }
  return result;
}

}  // namespace

Status TranscodeJaegerTrace(std::string_view trace, const OnRejectedSpan& reject,
                            std::string& requests) {
  codec::JsonParser parser;
  const JsonValue root = TRY(parser.Parse(trace));
  if (!root["spans"].is_array()) {
    return Fail(ErrorKind::kDecode, "a trace of Jaeger has a list `spans`, this has none");
  }
  for (const JsonValue span : root["spans"].Elements()) {
    const auto read = ReadSpan(span, root["processes"]);
    if (read) {
      AppendSpan(*read, requests);
    } else {
      reject(read.error());
    }
  }
  return {};
}

}  // namespace tracekeeper::otlp
