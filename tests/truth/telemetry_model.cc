#include "tests/truth/telemetry_model.h"

#include <cstddef>
#include <string_view>

#include "src/codec/protobuf_wire.h"

namespace tracekeeper::truth {
namespace {

using codec::WireWriter;

constexpr std::uint32_t kW3cFlags = 0xFFU;
constexpr int kSeverityInfo = 9;

void WriteAttributes(WireWriter& writer, std::uint32_t field, const Attributes& attributes) {
  for (const auto& [key, value] : attributes) {
    const auto attribute = writer.Begin(field);
    writer.Bytes(1, key);
    const auto any = writer.Begin(2);
    writer.Bytes(1, value);
    writer.End(any);
    writer.End(attribute);
  }
}

void WriteResource(WireWriter& writer, const Attributes& attributes) {
  const auto resource = writer.Begin(1);
  WriteAttributes(writer, 1, attributes);
  writer.End(resource);
}

/// A field that is left out where it is empty, as serialisers do.
void WriteText(WireWriter& writer, std::uint32_t field, std::string_view text) {
  if (!text.empty()) writer.Bytes(field, text);
}

void WriteException(WireWriter& writer, const ModelSpan& span) {
  if (span.exception_message.empty()) return;
  const auto event = writer.Begin(11);
  writer.Fixed64(1, span.start_nanoseconds);
  writer.Bytes(2, "exception");
  WriteAttributes(writer, 3, {{"exception.message", span.exception_message}});
  writer.End(event);
}

void WriteLinks(WireWriter& writer, const ModelSpan& span) {
  for (const auto& [trace_id, span_id] : span.links) {
    const auto link = writer.Begin(13);
    WriteText(writer, 1, trace_id);
    WriteText(writer, 2, span_id);
    writer.End(link);
  }
}

void WriteSpan(WireWriter& writer, const ModelSpan& span) {
  const auto message = writer.Begin(2);
  WriteText(writer, 1, span.trace_id);
  WriteText(writer, 2, span.span_id);
  WriteText(writer, 3, span.tracestate);
  WriteText(writer, 4, span.parent_span_id);
  WriteText(writer, 5, span.name);
  if (span.kind != 0) writer.Varint(6, static_cast<std::uint64_t>(span.kind));
  writer.Fixed64(7, span.start_nanoseconds);
  if (span.end_nanoseconds != 0) writer.Fixed64(8, span.end_nanoseconds);
  WriteAttributes(writer, 9, span.attributes);
  WriteException(writer, span);
  WriteLinks(writer, span);
  if (span.status != 0 || !span.status_message.empty()) {
    const auto status = writer.Begin(15);
    WriteText(writer, 2, span.status_message);
    writer.Varint(3, static_cast<std::uint64_t>(span.status));
    writer.End(status);
  }
  if (span.flags != 0) writer.Fixed32(16, span.flags);
  writer.End(message);
}

void WriteLog(WireWriter& writer, const ModelLog& log) {
  const auto message = writer.Begin(2);
  writer.Fixed64(1, log.time_nanoseconds);
  writer.Varint(2, kSeverityInfo);
  if (log.flags != 0) writer.Fixed32(8, log.flags & kW3cFlags);
  WriteText(writer, 9, log.trace_id);
  WriteText(writer, 10, log.span_id);
  writer.End(message);
}

void NoteCounts(std::string_view what, const std::map<std::string, std::uint64_t>& expected,
                const std::map<std::string, std::uint64_t>& found, std::string& lines) {
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> both;
  for (const auto& [key, count] : expected) both[key].first = count;
  for (const auto& [key, count] : found) both[key].second = count;
  for (const auto& [key, counts] : both) {
    if (counts.first == counts.second) continue;
    lines.append(what).append(": ").append(key);
    lines.append(": expected ").append(std::to_string(counts.first));
    lines.append(", found ").append(std::to_string(counts.second)).append("\n");
  }
}

void NoteMissing(std::string_view what, const std::set<std::string>& these,
                 const std::set<std::string>& those, std::string& lines) {
  for (const std::string& finding : these) {
    if (!those.contains(finding)) lines.append(what).append(finding).append("\n");
  }
}

}  // namespace

std::string TracesRequest(std::span<const ModelSpan> spans) {
  std::string request;
  WireWriter writer(request);
  for (std::size_t next = 0; next < spans.size();) {
    const ModelSpan& first_of_resource = spans[next];
    const auto resource_spans = writer.Begin(1);
    WriteResource(writer, first_of_resource.resource);
    while (next < spans.size() && spans[next].resource == first_of_resource.resource) {
      const ModelSpan& first_of_scope = spans[next];
      const auto scope_spans = writer.Begin(2);
      const auto scope = writer.Begin(1);
      WriteText(writer, 1, first_of_scope.scope);
      writer.End(scope);
      while (next < spans.size() && spans[next].resource == first_of_scope.resource &&
             spans[next].scope == first_of_scope.scope) {
        WriteSpan(writer, spans[next++]);
      }
      writer.End(scope_spans);
    }
    writer.End(resource_spans);
  }
  return request;
}

std::string LogsRequest(std::span<const ModelLog> logs) {
  std::string request;
  WireWriter writer(request);
  for (std::size_t next = 0; next < logs.size();) {
    const ModelLog& first = logs[next];
    const auto resource_logs = writer.Begin(1);
    WriteResource(writer, first.resource);
    const auto scope_logs = writer.Begin(2);
    while (next < logs.size() && logs[next].resource == first.resource) {
      WriteLog(writer, logs[next++]);
    }
    writer.End(scope_logs);
    writer.End(resource_logs);
  }
  return request;
}

std::string Difference(const Verdicts& expected, const Verdicts& found) {
  std::string lines;
  NoteCounts("units", expected.units, found.units, lines);
  NoteCounts("hops", expected.hops, found.hops, lines);
  NoteCounts("in_process", expected.in_process, found.in_process, lines);
  NoteCounts("requests", expected.requests, found.requests, lines);
  NoteCounts("logs", expected.logs, found.logs, lines);
  NoteMissing("finding expected, not found: ", expected.findings, found.findings, lines);
  NoteMissing("finding not expected: ", found.findings, expected.findings, lines);
  return lines;
}

}  // namespace tracekeeper::truth
