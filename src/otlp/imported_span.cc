#include "src/otlp/imported_span.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "src/codec/protobuf_wire.h"

namespace tracekeeper::otlp {
namespace {

using codec::WireWriter;

void WriteAttribute(WireWriter& out, std::uint32_t field, const ImportedAttribute& attribute) {
  const auto key_value = out.Begin(field);
  out.Bytes(1, attribute.first);
  const auto value = out.Begin(2);
  out.Bytes(1, attribute.second);
  out.End(value);
  out.End(key_value);
}

void WriteSpan(WireWriter& out, const ImportedSpan& span) {
  out.Bytes(1, span.trace_id);
  out.Bytes(2, span.span_id);
  if (!span.parent_span_id.empty()) out.Bytes(4, span.parent_span_id);
  out.Bytes(5, span.name);
  out.Varint(6, static_cast<std::uint64_t>(span.kind));
  out.Fixed64(7, span.start_nanoseconds);
  out.Fixed64(8, span.end_nanoseconds);
  for (const ImportedAttribute& attribute : span.attributes) WriteAttribute(out, 9, attribute);
  for (const auto& [trace_id, span_id] : span.links) {
    const auto link = out.Begin(13);
    out.Bytes(1, trace_id);
    out.Bytes(2, span_id);
    out.End(link);
  }
  if (span.status == SpanStatus::kUnset) return;
  const auto status = out.Begin(15);
  out.Bytes(2, span.status_message);
  out.Varint(3, static_cast<std::uint64_t>(span.status));
  out.End(status);
}

}  // namespace

void AppendSpan(const ImportedSpan& span, std::string& requests) {
  WireWriter out(requests);
  const auto resource_spans = out.Begin(1);
  const auto resource = out.Begin(1);
  WriteAttribute(out, 1, {"service.name", span.service});
  for (const ImportedAttribute& attribute : span.resource) WriteAttribute(out, 1, attribute);
  out.End(resource);
  const auto scope_spans = out.Begin(2);
  const auto item = out.Begin(2);
  WriteSpan(out, span);
  out.End(item);
  out.End(scope_spans);
  out.End(resource_spans);
}

Result<std::string> IdFromHex(std::string_view hex, std::size_t bytes) {
  if (hex.empty()) return std::string();
  if (hex.starts_with("0x")) hex.remove_prefix(2);
  if (hex.empty() || hex.size() > 2 * bytes) {
    return Fail(ErrorKind::kDecode, "\"{}\" is no id of up to {} hexadecimal digits", hex,
                2 * bytes);
  }
  std::string id(bytes, '\0');
  for (std::size_t i = 0; i < hex.size(); ++i) {
    const char c = hex[hex.size() - 1 - i];
    const bool is_digit = c >= '0' && c <= '9';
    const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!is_digit && (lower < 'a' || lower > 'f')) {
      return Fail(ErrorKind::kDecode, "\"{}\" is no id in hexadecimal digits", hex);
    }
    const int value = is_digit ? c - '0' : lower - 'a' + 10;
    char& byte = id[bytes - 1 - i / 2];
    byte = static_cast<char>(static_cast<unsigned char>(byte) | (value << (i % 2 * 4)));
  }
  return id;
}

Status SetMicroseconds(std::uint64_t start, std::uint64_t duration, ImportedSpan& span) {
  constexpr std::uint64_t kNanoseconds = 1000;
  if (start > kLatestMicroseconds || duration > kLatestMicroseconds) {
    return Fail(ErrorKind::kDecode, "{} + {} microseconds are beyond what a span can say", start,
                duration);
  }
  span.start_nanoseconds = start * kNanoseconds;
  span.end_nanoseconds = (start + duration) * kNanoseconds;
  return {};
}

SpanKind KindNamed(std::string_view name) {
  constexpr std::string_view kPrefix = "SPAN_KIND_";
  constexpr std::array<std::pair<std::string_view, SpanKind>, 5> kKinds = {{
      {"INTERNAL", SpanKind::kInternal},
      {"SERVER", SpanKind::kServer},
      {"CLIENT", SpanKind::kClient},
      {"PRODUCER", SpanKind::kProducer},
      {"CONSUMER", SpanKind::kConsumer},
  }};
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  const auto same = [](char a, char b) { return std::toupper(static_cast<unsigned char>(a)) == b; };
  for (const auto& [known, kind] : kKinds) {
    if (std::ranges::equal(name, known, same)) return kind;
  }
  return SpanKind::kUnspecified;
}

}  // namespace tracekeeper::otlp
