// DEPENDS: tracekeeper::otlp
// SOURCES: otlp_corpus.cc
//
// How fast spans are read from OTLP protobuf, against the machine's own limit: adding up the same
// bytes. The corpus is larger than the caches, so every request comes from memory.

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "src/otlp/telemetry_scanner.h"
#include "tests/bench/otlp_corpus.h"
#include "tests/bench/report.h"

namespace tracekeeper::bench {
namespace {

constexpr std::size_t kRequests = 500;
constexpr std::size_t kSpansOfARequest = 512;
constexpr double kSpans = kRequests * kSpansOfARequest;
constexpr int kRuns = 9;
constexpr double kGoal = 20e6;

/// Touches what the engine would keep.
struct Sum {
  std::uint64_t value = 0;
  void OnResource(const otlp::ResourceFields& resource) { value += resource.service.size(); }
  void OnScope(std::string_view name) { value += name.size(); }
  void OnSpan(const otlp::SpanFields& span) {
    value += span.trace_id.size() + span.span_id.size() + span.parent_span_id.size() + span.flags +
             span.start_nanoseconds + span.end_nanoseconds + span.name.size() +
             span.peer.http_method.size() + static_cast<std::uint64_t>(span.kind);
  }
};

double ScanOnce(const std::vector<std::string>& requests) {
  otlp::TelemetryScanner scanner;
  Sum sum;
  const double began = ThreadCpuSeconds();
  for (const std::string& request : requests) {
    if (!scanner.ScanTraces(request, sum)) std::abort();
  }
  const double took = ThreadCpuSeconds() - began;
  Keep(sum.value);
  return kSpans / took;
}

double AddBytesOnce(const std::vector<std::string>& requests) {
  std::uint64_t sum = 0;
  const double began = ThreadCpuSeconds();
  for (const std::string& request : requests) {
    for (std::size_t at = 0; at + sizeof sum <= request.size(); at += sizeof sum) {
      std::uint64_t word = 0;
      std::memcpy(&word, request.data() + at, sizeof word);
      sum += word;
    }
  }
  const double took = ThreadCpuSeconds() - began;
  Keep(sum);
  return kSpans / took;
}

void Measure(Report& report) {
  const std::vector<std::string> requests = MakeTraceRequests(kRequests, kSpansOfARequest, 1);
  std::vector<double> scanned;
  std::vector<double> added;
  for (int run = 0; run < kRuns; ++run) {
    scanned.push_back(ScanOnce(requests));
    added.push_back(AddBytesOnce(requests));
  }
  report.Add({.name = "scan_protobuf",
              .metric = "spans_per_cpu_second",
              .unit = "1/s",
              .samples = scanned,
              .better = Better::kHigher,
              .peer = Peer{"adding up the bytes", Median(added)},
              .goal = AtLeast(kGoal)});
}

}  // namespace
}  // namespace tracekeeper::bench

int main() {
  tracekeeper::bench::Report report("otlp");
  tracekeeper::bench::Measure(report);
  return report.Write();
}
