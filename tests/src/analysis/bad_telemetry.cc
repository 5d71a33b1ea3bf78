#include "tests/src/analysis/bad_telemetry.h"

#include "src/codec/protobuf_wire.h"
#include "tests/support/otlp_requests.h"

namespace tracekeeper::analysis {
namespace {

using codec::WireWriter;
using test_support::IdOf;
using truth::ModelSpan;

constexpr std::size_t kTraceIdBytes = 16;
constexpr std::size_t kSpanIdBytes = 8;
constexpr int kInternal = 1;
constexpr int kServer = 2;

std::string Wrapped(std::uint32_t field, const std::string& content) {
  std::string out;
  WireWriter(out).Bytes(field, content);
  return out;
}

/// A request of these bytes as its only span.
std::string RequestOfSpan(const std::string& span) {
  return Wrapped(1, Wrapped(2, Wrapped(2, span)));
}

ModelSpan SpanOf(std::uint64_t trace, std::uint64_t span, const std::string& service) {
  ModelSpan made;
  made.trace_id = std::string(1, '\x10') + IdOf(trace, kTraceIdBytes - 1);
  made.span_id = IdOf(span, kSpanIdBytes);
  made.name = "step";
  made.scope = "lib";
  made.kind = kInternal;
  made.resource = {{"service.name", service}, {"service.instance.id", service + "-1"}};
  return made;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> LyingLengths() {
  const std::string longest_length(9, '\xFF');
  return {
      {"longer than the request", "\x0A\x7F\x12\x01"},
      {"of 2^64 - 1 bytes", "\x0A" + longest_length + "\x01"},
      {"of 2^32 - 1 bytes", "\x0A\xFF\xFF\xFF\xFF\x0Fx"},
      {"that never ends", "\x0A" + std::string(1000, '\x80')},
      {"tag that never ends", std::string(1000, '\x80')},
      {"resource longer than what it is in", Wrapped(1, "\x0A\x05x")},
      {"scope longer than what it is in", Wrapped(1, "\x12\x05x")},
      {"span longer than what it is in", Wrapped(1, Wrapped(2, "\x12\x05x"))},
      {"id longer than its span", RequestOfSpan("\x0A\x10short")},
      {"group", "\x0B\x0C"},
      {"field 0", std::string("\x02\x00", 2)},
      {"time that is cut off", RequestOfSpan("\x39\x01\x02")},
  };
}

std::string NestedAttribute(std::size_t depth) {
  // From the inside out, and so in one piece: each level's length is that of what it holds.
  std::string reversed;
  const auto put = [&reversed](std::uint64_t number) {
    std::string varint;
    for (; number >= 0x80; number >>= 7U) varint += static_cast<char>(number | 0x80U);
    varint += static_cast<char>(number);
    reversed.append(varint.rbegin(), varint.rend());
  };
  for (std::size_t level = 0; level < depth; ++level) {
    put(reversed.size());
    reversed += '\x0A';  // ArrayValue.values
    put(reversed.size());
    reversed += '\x2A';  // AnyValue.array_value
  }
  const std::string value(reversed.rbegin(), reversed.rend());
  std::string span;
  WireWriter writer(span);
  writer.Bytes(1, IdOf(77, kTraceIdBytes));
  writer.Bytes(2, IdOf(7, kSpanIdBytes));
  writer.Bytes(9, Wrapped(1, "nest") + Wrapped(2, value));
  return RequestOfSpan(span);
}

std::vector<ModelSpan> SpansOfInvalidIds() {
  std::vector<ModelSpan> spans;
  const auto add = [&spans](auto spoil) {
    // Apart by their starts: each is a span of its own, whatever of its ids is read.
    ModelSpan span = SpanOf(1, 1, "odd");
    span.start_nanoseconds = 1'700'000'000'000'000'000 + spans.size();
    span.end_nanoseconds = span.start_nanoseconds + 1000;
    spoil(span);
    spans.push_back(span);
  };
  for (const std::size_t bytes : {0, 1, 8, 15, 17, 32, 1000}) {
    add([bytes](ModelSpan& span) { span.trace_id = std::string(bytes, 'x'); });
  }
  for (const std::size_t bytes : {0, 1, 7, 9, 16, 1000}) {
    add([bytes](ModelSpan& span) { span.span_id = std::string(bytes, 'x'); });
  }
  for (const std::size_t bytes : {1, 7, 9, 16, 1000}) {
    add([bytes](ModelSpan& span) { span.parent_span_id = std::string(bytes, 'x'); });
  }
  add([](ModelSpan& span) { span.trace_id = std::string(kTraceIdBytes, '\0'); });
  add([](ModelSpan& span) { span.span_id = std::string(kSpanIdBytes, '\0'); });
  return spans;
}

std::vector<ModelSpan> ChainOf(const Chain& chain) {
  std::vector<ModelSpan> spans;
  spans.reserve(chain.spans);
  for (std::uint64_t i = 1; i <= chain.spans; ++i) {
    ModelSpan span = SpanOf(chain.trace, i, "deep");
    span.start_nanoseconds = chain.start;
    span.end_nanoseconds = chain.end;
    if (i == 1) {
      span.kind = kServer;
      span.name = "GET /";
    } else {
      span.parent_span_id = IdOf(chain.is_wide ? 1 : i - 1, kSpanIdBytes);
    }
    spans.push_back(std::move(span));
  }
  return spans;
}

std::vector<ModelSpan> RequestsOfOneTraceparent(std::uint64_t first, std::uint64_t count) {
  constexpr std::uint64_t kTenthOfASecond = 100'000'000;
  std::vector<ModelSpan> spans;
  for (std::uint64_t request = first; request < first + count; ++request) {
    ModelSpan server = SpanOf(666, 2 * request + 10, "front");
    server.parent_span_id = IdOf(1, kSpanIdBytes);
    server.kind = kServer;
    server.name = "GET /";
    server.start_nanoseconds = 1'700'000'000'000'000'000 + request * kTenthOfASecond;
    server.end_nanoseconds = server.start_nanoseconds + kTenthOfASecond / 10;
    ModelSpan step = SpanOf(666, 2 * request + 11, "front");
    step.parent_span_id = server.span_id;
    step.start_nanoseconds = server.start_nanoseconds;
    step.end_nanoseconds = server.end_nanoseconds;
    spans.push_back(std::move(server));
    spans.push_back(std::move(step));
  }
  return spans;
}

}  // namespace tracekeeper::analysis
