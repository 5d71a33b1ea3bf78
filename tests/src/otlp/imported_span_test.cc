// Spans of Jaeger and Zipkin, read and scanned again as the engine will scan them.

#include "src/otlp/imported_span.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/otlp/jaeger_json.h"
#include "src/otlp/telemetry_scanner.h"
#include "src/otlp/zipkin_json.h"

namespace tracekeeper::otlp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

/// One line for each span: service, name, kind, ids, times, what matters else.
struct Lines {
  std::vector<std::string> spans;
  std::string service;

  void OnResource(const ResourceFields& resource) {
    service =
        fmt::format("{}{}{}", resource.service, resource.host.empty() ? "" : "@", resource.host);
  }
  void OnScope(std::string_view /*name*/) {}
  void OnSpan(const SpanFields& span) {
    std::string line =
        fmt::format("{} {} {} {}/{}<{} {}+{}", service, span.name, static_cast<int>(span.kind),
                    Hex(span.trace_id), Hex(span.span_id), Hex(span.parent_span_id),
                    span.start_nanoseconds, span.end_nanoseconds - span.start_nanoseconds);
    if (span.status == SpanStatus::kError) line += " error";
    if (!span.peer.service.empty()) line += fmt::format(" to {}", span.peer.service);
    for (const LinkFields& link : span.links) line += fmt::format(" link {}", Hex(link.span_id));
    spans.push_back(std::move(line));
  }
};

std::vector<std::string> Scanned(const std::string& requests) {
  TelemetryScanner scanner;
  Lines lines;
  EXPECT_TRUE(scanner.ScanTraces(requests, lines));
  return lines.spans;
}

TEST(JaegerTrace, BecomesSpansOfItsProcesses) {
  std::string requests;
  std::vector<std::string> rejected;
  const Status read = TranscodeJaegerTrace(
      R"({
    "traceID": "a1", "spans": [
      {"traceID": "a1", "spanID": "1", "operationName": "GET /", "references": [],
       "startTime": 1000, "duration": 500, "processID": "p1",
       "tags": [{"key": "span.kind", "value": "server"}, {"key": "error", "value": true}]},
      {"traceID": "a1", "spanID": "2", "operationName": "query", "startTime": 1100, "duration": 5,
       "references": [{"refType": "FOLLOWS_FROM", "traceID": "a1", "spanID": "9"},
                      {"refType": "CHILD_OF", "traceID": "a1", "spanID": "1"},
                      {"refType": "CHILD_OF", "traceID": "b2", "spanID": "7"}],
       "processID": "p2", "tags": [{"key": "span.kind", "value": "client"},
                                   {"key": "peer.service", "value": "stock"}]}],
    "processes": {"p1": {"serviceName": "shop", "tags": [{"key": "hostname", "value": "h"}]},
                  "p2": {"serviceName": "cart", "tags": [{"key": "host.name", "value": "n1"}]}}})",
      [&](const Error& e) { rejected.push_back(e.message); }, requests);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(rejected, IsEmpty());
  const std::string trace = "000000000000000000000000000000a1";
  EXPECT_THAT(Scanned(requests),
              ElementsAre("shop GET / 2 " + trace + "/0000000000000001< 1000000+500000 error",
                          "cart@n1 query 3 " + trace +
                              "/0000000000000002<0000000000000001 1100000+5000 to stock"
                              " link 0000000000000007 link 0000000000000009"));
}

TEST(JaegerTrace, KeepsTheSpansThatCanBeRead) {
  std::string requests;
  std::vector<std::string> rejected;
  ASSERT_TRUE(TranscodeJaegerTrace(
      R"({"spans": [{"traceID": "xyz", "spanID": "1", "startTime": 1, "duration": 1},
                    {"traceID": "1", "spanID": "1", "startTime": -1, "duration": 1},
                    {"traceID": "1", "spanID": "2", "startTime": 1, "duration": 1}]})",
      [&](const Error& error) { rejected.push_back(error.message); }, requests));
  EXPECT_THAT(rejected, ElementsAre("\"xyz\" is no id in hexadecimal digits",
                                    "startTime and duration must be whole microseconds"));
  EXPECT_EQ(Scanned(requests).size(), 1U);
}

TEST(JaegerTrace, NeedsAListOfSpans) {
  std::string requests;
  EXPECT_FALSE(TranscodeJaegerTrace("{}", [](const Error&) {}, requests));
}

struct ZipkinCase {
  const char* name;
  const char* json;
  std::vector<std::string> spans;
};

class ZipkinSpan : public testing::TestWithParam<ZipkinCase> {};

TEST_P(ZipkinSpan, BecomesSpans) {
  std::string requests;
  const auto count = TranscodeZipkinSpan(GetParam().json, requests);
  ASSERT_TRUE(count) << count.error().message;
  EXPECT_EQ(*count, GetParam().spans.size());
  EXPECT_EQ(Scanned(requests), GetParam().spans);
}

const std::string kIds = "0000000000000000000000000000000a/000000000000000b<";

INSTANTIATE_TEST_SUITE_P(
    Rows, ZipkinSpan,
    testing::Values(
        ZipkinCase{"Version2",
                   R"({"traceId": "a", "id": "b", "parentId": "c", "name": "get",
                       "kind": "CLIENT", "timestamp": 10, "duration": 2,
                       "localEndpoint": {"serviceName": "web"}, "tags": {"error": "timeout"},
                       "remoteEndpoint": {"serviceName": "cart"}})",
                   {"web get 3 " + kIds + "000000000000000c 10000+2000 error to cart"}},
        ZipkinCase{"Version2WithoutKind",
                   R"({"traceId": "a", "id": "b", "name": "work", "timestamp": 1})",
                   {" work 0 " + kIds + " 1000+0"}},
        ZipkinCase{"Version1OfTheClient",
                   R"({"traceId": "a", "id": "b", "name": "get", "annotations": [
                       {"value": "cs", "timestamp": 10, "endpoint": {"serviceName": "web"}},
                       {"value": "cr", "timestamp": 14, "endpoint": {"serviceName": "web"}}]})",
                   {"web get 3 " + kIds + " 10000+4000"}},
        ZipkinCase{"Version1OfBothSides",
                   R"({"traceId": "a", "id": "b", "name": "get", "annotations": [
                       {"value": "cs", "timestamp": 10, "endpoint": {"serviceName": "web"}},
                       {"value": "sr", "timestamp": 11, "endpoint": {"serviceName": "cart"}},
                       {"value": "ss", "timestamp": 12, "endpoint": {"serviceName": "cart"}},
                       {"value": "cr", "timestamp": 14, "endpoint": {"serviceName": "web"}}]})",
                   {"web get 3 " + kIds + " 10000+4000", "cart get 2 " + kIds + " 11000+1000"}},
        ZipkinCase{"Version1WithoutSides",
                   R"({"traceId": "a", "id": "b", "name": "db", "timestamp": 3, "duration": 1,
                       "binaryAnnotations": [{"key": "sql.query", "value": "SELECT 1",
                                              "endpoint": {"serviceName": "cart"}}]})",
                   {"cart db 0 " + kIds + " 3000+1000"}}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ZipkinSpans, AreRefusedWithTheReason) {
  std::string requests;
  EXPECT_FALSE(TranscodeZipkinSpan("[]", requests));
  const auto bad =
      TranscodeZipkinSpan(R"({"traceId": "a", "id": "b", "timestamp": "x"})", requests);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "timestamp must be whole microseconds");
  for (const char* duration : {"18446744073709551615", "9223372036854776"}) {
    EXPECT_FALSE(TranscodeZipkinSpan(
        fmt::format(R"({{"traceId": "a", "id": "b", "timestamp": 1, "duration": {}}})", duration),
        requests))
        << duration;
  }
  EXPECT_TRUE(requests.empty());
}

TEST(IdFromHex, FillsShortIdsWithZeros) {
  EXPECT_EQ(Hex(*IdFromHex("f7C", 8)), "0000000000000f7c");
  EXPECT_EQ(Hex(*IdFromHex("0xf7", 8)), "00000000000000f7");
  EXPECT_EQ(*IdFromHex("", 8), "");
  EXPECT_FALSE(IdFromHex("12345678901234567", 8));
  EXPECT_FALSE(IdFromHex("0x", 8));
}

TEST(KindNamed, TakesEverySpelling) {
  EXPECT_EQ(KindNamed("server"), SpanKind::kServer);
  EXPECT_EQ(KindNamed("SPAN_KIND_CONSUMER"), SpanKind::kConsumer);
  EXPECT_EQ(KindNamed("worker"), SpanKind::kUnspecified);
}

}  // namespace
}  // namespace tracekeeper::otlp
