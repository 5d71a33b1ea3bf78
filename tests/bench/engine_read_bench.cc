// DEPENDS: tracekeeper::continuity
// SOURCES: trace_corpus.cc
//
// The engine's way in: from the bytes of OTLP requests to spans with ids and the number of their
// shape, one core, against adding up the same bytes. The corpus is larger than the caches.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "src/continuity/span_reader.h"
#include "src/otlp/telemetry_scanner.h"
#include "tests/bench/report.h"
#include "tests/bench/trace_corpus.h"

namespace tracekeeper::bench {
namespace {

using namespace continuity;

constexpr std::size_t kTraces = 32'768;  // 125 MB
constexpr std::uint64_t kMicroseconds = 262'144;
constexpr int kRuns = 9;
constexpr double kScanGoal = 20e6;
constexpr double kReadGoal = 12e6;

/// Touches what the engine would keep.
struct Sum {
  std::uint64_t value = 0;
  void OnResource(const otlp::ResourceFields& resource) { value += resource.service.size(); }
  void OnScope(std::string_view name) { value += name.size(); }
  void OnSpan(const otlp::SpanFields& span) {
    value += span.trace_id.size() + span.span_id.size() + span.parent_span_id.size() + span.flags +
             span.start_nanoseconds + span.name.size() + static_cast<std::uint64_t>(span.kind);
  }
};

struct Reading {
  SpanReader& reader;
  std::uint64_t value = 0;
  void OnResource(const otlp::ResourceFields& resource) { reader.OnResource(resource); }
  void OnScope(std::string_view name) { reader.OnScope(name); }
  void OnSpan(const otlp::SpanFields& fields) {
    const ReadSpan read = reader.Read(fields);
    value += read.trace.low + read.span.id + read.span.shape;
  }
};

template <typename Visitor>
void Scan(const std::vector<std::string>& requests, Visitor& visitor) {
  otlp::TelemetryScanner scanner;
  for (const std::string& request : requests) {
    if (!scanner.ScanTraces(request, visitor)) std::abort();
  }
}

std::uint64_t AddBytes(const std::vector<std::string>& requests) {
  std::uint64_t sum = 0;
  for (const std::string& request : requests) {
    for (std::size_t at = 0; at + sizeof sum <= request.size(); at += sizeof sum) {
      std::uint64_t word = 0;
      std::memcpy(&word, request.data() + at, sizeof word);
      sum += word;
    }
  }
  return sum;
}

void Measure(Report& report) {
  TraceCorpus corpus(kTraces, kMicroseconds, 1);
  Names names;
  ShapeTable shapes;
  SpanReader reader(names, shapes);
  std::vector<double> scanned;
  std::vector<double> read;
  std::vector<double> added;
  const auto measure = [&corpus](std::vector<double>& samples, auto work) {
    const double began = ThreadCpuSeconds();
    work();
    samples.push_back(static_cast<double>(corpus.spans()) / (ThreadCpuSeconds() - began));
  };
  for (int run = 0; run < kRuns; ++run) {
    measure(added, [&] { Keep(AddBytes(corpus.requests())); });
    Sum sum;
    measure(scanned, [&] { Scan(corpus.requests(), sum); });
    Keep(sum.value);
    Reading reading{reader};
    measure(read, [&] { Scan(corpus.requests(), reading); });
    Keep(reading.value);
  }
  const auto add = [&](const char* name, const std::vector<double>& samples, double goal) {
    report.Add({.name = name,
                .metric = "spans_per_cpu_second",
                .unit = "1/s",
                .samples = samples,
                .better = Better::kHigher,
                .peer = Peer{"adding up the bytes", Median(added)},
                .goal = AtLeast(goal)});
  };
  add("bytes_to_fields", scanned, kScanGoal);
  add("bytes_to_spans", read, kReadGoal);
}

}  // namespace
}  // namespace tracekeeper::bench

int main() {
  tracekeeper::bench::Report report("engine");
  tracekeeper::bench::Measure(report);
  return report.Write();
}
