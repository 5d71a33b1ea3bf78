#pragma once
// OTLP requests for tests, as protobuf, and what is in them, as sets to compare.
//
// Threads:  pure functions.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tracekeeper::test_support {

struct TestSpan {
  std::string trace_id = std::string(16, '\x01');  // 16 bytes
  std::string span_id = std::string(8, '\x02');    // 8 bytes
  std::string tracestate = {};
  std::string name = "GET /";
  std::string padding = {};  // an attribute of that text
};

/// Bytes of an id whose last bytes are `number`, most significant first.
std::string IdOf(std::uint64_t number, std::size_t bytes);

/// One ExportTraceServiceRequest with one resource named `service` and one scope.
std::string TracesRequest(std::string_view service, const std::vector<TestSpan>& spans);
/// One ExportLogsServiceRequest: a record for each trace id, which may be empty.
std::string LogsRequest(const std::vector<std::string>& trace_ids);
/// One ExportMetricsServiceRequest: a gauge for each number, with that many data points.
std::string MetricsRequest(const std::vector<int>& points);

/// A span as it arrived, with what stands above it.
struct FoundSpan {
  std::string service;
  std::string scope;
  TestSpan span;
};
/// Every span of a request in its order; fails the test when the request is damaged.
std::vector<FoundSpan> SpansOf(std::string_view request);
/// Their span ids, in order.
std::vector<std::string> SpanIdsOf(std::string_view request);

}  // namespace tracekeeper::test_support
