#include "tests/support/otlp_requests.h"

#include <gtest/gtest.h>

#include "src/codec/protobuf_wire.h"

namespace tracekeeper::test_support {
namespace {

using codec::WireReader;
using codec::WireType;
using codec::WireWriter;

std::string Attribute(std::string_view key, std::string_view value) {
  std::string any;
  WireWriter(any).Bytes(1, value);
  std::string attribute;
  WireWriter writer(attribute);
  writer.Bytes(1, key);
  writer.Bytes(2, any);
  return attribute;
}

std::string Resource(std::string_view service) {
  std::string resource;
  WireWriter(resource).Bytes(1, Attribute("service.name", service));
  return resource;
}

std::string Scope(std::string_view name) {
  std::string scope;
  WireWriter(scope).Bytes(1, name);
  return scope;
}

std::string SpanBytes(const TestSpan& span) {
  std::string bytes;
  WireWriter writer(bytes);
  writer.Bytes(1, span.trace_id);
  writer.Bytes(2, span.span_id);
  if (!span.tracestate.empty()) writer.Bytes(3, span.tracestate);
  writer.Bytes(5, span.name);
  writer.Varint(6, 2);
  writer.Fixed64(7, 1'700'000'000'000'000'000U);
  writer.Fixed64(8, 1'700'000'000'500'000'000U);
  if (!span.padding.empty()) writer.Bytes(9, Attribute("padding", span.padding));
  writer.Fixed32(16, 0x101);
  return bytes;
}

/// The bytes of the request around `items`, which are whole fields of the scope.
std::string Request(std::string_view service, std::string_view items) {
  std::string request;
  WireWriter writer(request);
  const auto resource = writer.Begin(1);
  writer.Bytes(1, Resource(service));
  const auto scope = writer.Begin(2);
  writer.Bytes(1, Scope("test"));
  writer.Raw(items);
  writer.End(scope);
  writer.Bytes(3, "https://opentelemetry.io/schemas/1.24.0");
  writer.End(resource);
  return request;
}

/// The submessages `field` of `message`.
std::vector<std::string_view> Submessages(std::string_view message, std::uint32_t field) {
  std::vector<std::string_view> found;
  WireReader reader(message);
  while (reader.Next()) {
    if (reader.Is(field, WireType::kBytes)) found.push_back(reader.bytes());
  }
  EXPECT_TRUE(reader.Finish());
  return found;
}

std::string_view Only(std::string_view message, std::uint32_t field) {
  const auto all = Submessages(message, field);
  return all.empty() ? std::string_view() : all.front();
}

std::string_view ServiceOf(std::string_view resource_spans) {
  const std::string_view resource = Only(resource_spans, 1);
  return Only(Only(Only(resource, 1), 2), 1);
}

TestSpan SpanOf(std::string_view bytes) {
  return {.trace_id = std::string(Only(bytes, 1)),
          .span_id = std::string(Only(bytes, 2)),
          .tracestate = std::string(Only(bytes, 3)),
          .name = std::string(Only(bytes, 5))};
}

}  // namespace

std::string IdOf(std::uint64_t number, std::size_t bytes) {
  std::string id(bytes, '\0');
  for (std::size_t i = 0; i < sizeof(number) && i < bytes; ++i) {
    id[bytes - 1 - i] = static_cast<char>(number >> (8 * i));
  }
  return id;
}

std::string TracesRequest(std::string_view service, const std::vector<TestSpan>& spans) {
  std::string items;
  WireWriter writer(items);
  for (const TestSpan& span : spans) writer.Bytes(2, SpanBytes(span));
  return Request(service, items);
}

std::string LogsRequest(const std::vector<std::string>& trace_ids) {
  std::string items;
  WireWriter writer(items);
  for (const std::string& trace_id : trace_ids) {
    std::string record;
    WireWriter fields(record);
    fields.Fixed64(1, 1'700'000'000'000'000'000U);
    fields.Varint(2, 9);
    if (!trace_id.empty()) fields.Bytes(9, trace_id);
    writer.Bytes(2, record);
  }
  return Request("logger", items);
}

std::string MetricsRequest(const std::vector<int>& points) {
  std::string items;
  WireWriter writer(items);
  for (const int count : points) {
    const auto metric = writer.Begin(2);
    writer.Bytes(1, "requests");
    const auto gauge = writer.Begin(5);
    for (int i = 0; i < count; ++i) {
      const auto point = writer.Begin(1);
      writer.Fixed64(3, 1'700'000'000'000'000'000U);
      writer.Double(4, i);
      writer.End(point);
    }
    writer.End(gauge);
    writer.End(metric);
  }
  return Request("meter", items);
}

std::vector<FoundSpan> SpansOf(std::string_view request) {
  std::vector<FoundSpan> found;
  for (const std::string_view resource_spans : Submessages(request, 1)) {
    for (const std::string_view scope_spans : Submessages(resource_spans, 2)) {
      for (const std::string_view span : Submessages(scope_spans, 2)) {
        found.push_back({.service = std::string(ServiceOf(resource_spans)),
                         .scope = std::string(Only(Only(scope_spans, 1), 1)),
                         .span = SpanOf(span)});
      }
    }
  }
  return found;
}

std::vector<std::string> SpanIdsOf(std::string_view request) {
  std::vector<std::string> ids;
  for (const FoundSpan& found : SpansOf(request)) ids.push_back(found.span.span_id);
  return ids;
}

}  // namespace tracekeeper::test_support
