// What telemetry_model.h says of values, requests and differences.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "src/otlp/telemetry_scanner.h"
#include "tests/truth/oracle_story.h"
#include "tests/truth/telemetry_model.h"

namespace tracekeeper::truth {
namespace {

/// What a scanner reads, as values again; of resources and attributes what it tells.
struct Reader {
  void OnResource(const otlp::ResourceFields& from) {
    resource = {{"service.name", std::string(from.service)},
                {"service.instance.id", std::string(from.instance)}};
    ++resources;
  }
  void OnScope(std::string_view name) { scope = name; }
  void OnSpan(const otlp::SpanFields& from) {
    ModelSpan span;
    span.trace_id = from.trace_id;
    span.span_id = from.span_id;
    span.parent_span_id = from.parent_span_id;
    span.tracestate = from.tracestate;
    span.flags = from.flags;
    span.name = from.name;
    span.scope = scope;
    span.kind = static_cast<int>(from.kind);
    span.status = static_cast<int>(from.status);
    span.status_message = from.status_message;
    span.start_nanoseconds = from.start_nanoseconds;
    span.end_nanoseconds = from.end_nanoseconds;
    span.resource = resource;
    if (!from.peer.service.empty()) {
      span.attributes = {{"peer.service", std::string(from.peer.service)}};
    }
    for (const otlp::LinkFields& link : from.links) {
      span.links.emplace_back(link.trace_id, link.span_id);
    }
    span.exception_message = from.exception_message;
    spans.push_back(span);
  }
  void OnLog(const otlp::LogFields& from) {
    ModelLog log;
    log.trace_id = from.trace_id;
    log.span_id = from.span_id;
    log.flags = from.flags;
    log.time_nanoseconds = from.time_nanoseconds;
    log.resource = resource;
    logs.push_back(log);
  }

  Attributes resource;
  std::string scope;
  std::vector<ModelSpan> spans;
  std::vector<ModelLog> logs;
  int resources = 0;
};

TEST(TelemetryModel, TracesRequestHoldsEachSpanAsItIs) {
  const Story story = Story()
                          .Server("shop", 1)
                          .Tracestate("ot=th:8")
                          .Flags(0x303)
                          .Client("shop", 2)
                          .Under(1)
                          .Peer("cart")
                          .Failed("refused")
                          .Linked()
                          .Internal("shop", 3)
                          .OfScope("another")
                          .Unfinished()
                          .WithoutKind("cart", 4)
                          .OfScope("");
  std::vector<ModelSpan> spans = story.spans();
  spans.back().exception_message = "connection reset";
  Reader reader;
  otlp::TelemetryScanner scanner;
  ASSERT_TRUE(scanner.ScanTraces(TracesRequest(spans), reader));
  EXPECT_EQ(reader.spans, spans);
  EXPECT_EQ(reader.resources, 2);
}

TEST(TelemetryModel, LogsRequestHoldsEachRecordAsItIs) {
  std::vector<ModelLog> logs(3);
  logs[0].trace_id = TraceIdOf(1);
  logs[0].span_id = SpanIdOf(2);
  logs[0].flags = 1;
  for (ModelLog& log : logs) {
    log.time_nanoseconds = NanosecondsOf(5);
    log.resource = {{"service.name", "shop"}, {"service.instance.id", "shop-0"}};
  }
  logs[2].resource = {{"service.name", "cart"}, {"service.instance.id", "cart-0"}};
  Reader reader;
  otlp::TelemetryScanner scanner;
  ASSERT_TRUE(scanner.ScanLogs(LogsRequest(logs), reader));
  EXPECT_EQ(reader.logs, logs);
  EXPECT_EQ(reader.resources, 2);
}

TEST(TelemetryModel, EmptyTelemetryIsAnEmptyRequest) {
  EXPECT_EQ(TracesRequest({}), "");
  EXPECT_EQ(LogsRequest({}), "");
}

TEST(TelemetryModel, DifferenceHasALineForEachEntryThatIsNotShared) {
  Verdicts expected;
  expected.units = {{"hop good", 2}, {"log good", 1}};
  expected.findings = {"unfinished 01 02"};
  Verdicts found;
  found.units = {{"hop good", 3}, {"log good", 1}};
  found.requests = {{"shop good", 1}};
  found.findings = {"unfinished 01 03"};
  EXPECT_EQ(Difference(expected, expected), "");
  EXPECT_EQ(Difference(expected, found),
            "units: hop good: expected 2, found 3\n"
            "requests: shop good: expected 0, found 1\n"
            "finding expected, not found: unfinished 01 02\n"
            "finding not expected: unfinished 01 03\n");
}

}  // namespace
}  // namespace tracekeeper::truth
