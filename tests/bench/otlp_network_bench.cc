// DEPENDS: tracekeeper::otlp tracekeeper::net tracekeeper::bed
// SOURCES: trace_corpus.cc otlp_load.cc process_figures.cc
//
// The whole way of a span, from the network to a counted verdict, in the real analyzer: spans per
// second of that process's own CPU time. Beside it, on the same bytes in the same run, an
// OpenTelemetry Collector whose spanmetrics connector makes metrics of them: what people run today
// where metrics are wanted of spans. It counts spans by name and tells nothing of lost context.
//
//   http_plain, http_gzip   OTLP/HTTP, protobuf, 16 connections
//   grpc_plain              OTLP/gRPC, 4 connections
//
// Every span must be received, and judged: the analyzer's time ends when nothing is pending.

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "src/codec/compression.h"
#include "src/net/transports.h"
#include "tests/bench/otlp_load.h"
#include "tests/bench/process_figures.h"
#include "tests/bench/report.h"
#include "tests/bench/trace_corpus.h"
#include "tests/support/built_program.h"
#include "tests/support/eventually.h"
#include "tests/support/free_port.h"
#include "tests/support/process.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper::bench {
namespace {

namespace fs = std::filesystem;
using test_support::ChildProcess;
using test_support::FreePort;
using test_support::TemporaryFolder;

constexpr std::size_t kTraces = 32'768;           // of a pass: 512 requests, 125 MB
constexpr std::uint64_t kMicroseconds = 262'144;  // it is sent within: a million spans a second
constexpr std::size_t kWarmUp = 2;                // passes
constexpr std::chrono::seconds kLimit{120};

struct Way {
  const char* name;
  bool is_grpc;
  bool is_gzip;
  std::size_t connections;
  double goal;
};
constexpr Way kWays[] = {{"http_plain", false, false, 16, 3.5e6},
                         {"http_gzip", false, true, 16, 2.5e6},
                         {"grpc_plain", true, false, 4, 3e6}};

[[noreturn]] void Stop(const std::string& why) {
  fmt::print(stderr, "otlp_network_bench: {}\n", why);
  std::exit(1);
}

template <typename T>
T Must(Result<T> result) {
  if (!result) Stop(result.error().message);
  return *std::move(result);
}

/// A process under test, which takes OTLP on one port.
struct Server {
  ChildProcess process;
  std::uint16_t port = 0;
  std::uint16_t metrics_port = 0;
};

Server StartProcess(std::vector<std::string> argv, const TemporaryFolder& folder,
                    std::string_view mark, std::uint16_t port, std::uint16_t metrics_port) {
  Server server{Must(ChildProcess::Start({.argv = std::move(argv)}, folder / "log")), port,
                metrics_port};
  if (!server.process.WaitForLog(mark, kLimit)) {
    Stop("a server did not start: " + server.process.ReadLog());
  }
  return server;
}

Server StartAnalyzer(const TemporaryFolder& folder, const Way& way) {
  // <build>/bench/otlp_network_bench and <build>/bin/tracekeeper-analyzer
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "bin" /
                           "tracekeeper-analyzer";
  const std::uint16_t grpc = FreePort();
  const std::uint16_t http = FreePort();
  const std::uint16_t metrics = FreePort();
  return StartProcess(
      {program, "--address=127.0.0.1", fmt::format("--otlp-grpc-port={}", grpc),
       fmt::format("--otlp-http-port={}", http), fmt::format("--metrics-port={}", metrics),
       "--api-port=0", "--memory-mib=1024", "--queue-mib=256", "--warm-up-seconds=0.5",
       "--settle-seconds=1", "--join-seconds=1", "--repair-seconds=10"},
      folder, "msg=Started", way.is_grpc ? grpc : http, metrics);
}

Server StartCollector(const TemporaryFolder& folder, const Way& way) {
  const fs::path program = Must(test_support::BuiltProgram("otelcol", "otelcol"));
  const std::uint16_t port = FreePort();
  const std::uint16_t metrics = FreePort();
  std::ofstream(folder / "collector.yaml") << fmt::format(
      R"(receivers:
  otlp: {{protocols: {{{}: {{endpoint: 127.0.0.1:{}}}}}}}
connectors:
  spanmetrics: {{metrics_flush_interval: 15s}}
exporters:
  prometheus: {{endpoint: 127.0.0.1:{}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [spanmetrics]}}
    metrics: {{receivers: [spanmetrics], exporters: [prometheus]}}
)",
      way.is_grpc ? "grpc" : "http", port, metrics);
  return StartProcess({program, "--config", folder / "collector.yaml"}, folder,
                      "Everything is ready", port, metrics);
}

/// The sum of a metric's samples.
double SumOf(const std::string& text, const std::string& metric) {
  double sum = 0;
  for (std::size_t at = text.find("\n" + metric); at != std::string::npos;
       at = text.find("\n" + metric, at + 1)) {
    const std::size_t end = text.find('\n', at + 1);
    const char after = text[at + 1 + metric.size()];
    if (after != '{' && after != ' ') continue;
    sum += std::stod(text.substr(text.rfind(' ', end)));
  }
  return sum;
}

/// Waits until the analyzer has received so many spans and judged all of them.
void WaitUntilJudged(const Server& server, double spans) {
  const auto transport = Must(net::MakeBeastTransport(
      {.name = "metrics", .base_url = fmt::format("http://127.0.0.1:{}", server.metrics_port)}));
  std::string text;
  const auto is_judged = [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const auto answer =
        transport->Send({.method = "GET", .target = "/metrics"}, {.deadline = kLimit}, StopToken());
    text = answer ? answer->body : answer.error().message;
    return SumOf(text, "tracekeeper_spans_received_total") == spans &&
           SumOf(text, "tracekeeper_spans_pending") == 0;
  };
  if (!test_support::Eventually(is_judged, kLimit)) Stop("not all spans were judged: " + text);
  if (SumOf(text, "tracekeeper_shed_traces_total") != 0) Stop("some traces were shed");
}

/// A pass of the corpus over the network, with ids that no other pass has.
class Passes {
 public:
  explicit Passes(TraceCorpus& corpus) : corpus_(corpus) {}

  /// Returns how often a request had to be sent again.
  std::size_t Send(const Way& way, OtlpLoad& load) {
    corpus_.Renew();
    std::vector<net::Request> requests;
    for (const std::string& bytes : corpus_.requests()) {
      requests.push_back(way.is_gzip ? OtlpRequest(way.is_grpc, "gzip", Gzipped(bytes))
                                     : OtlpRequest(way.is_grpc, "", bytes));
    }
    const Sent sent = load.Send(requests);
    if (!sent.failure.empty()) Stop(fmt::format("{}: {}", way.name, sent.failure));
    return sent.pushed_back;
  }
  [[nodiscard]] double spans() const { return static_cast<double>(corpus_.spans()); }

 private:
  std::string Gzipped(const std::string& bytes) {
    return std::string(*compressor_.Compress(codec::Compression::kGzip, bytes));
  }

  TraceCorpus& corpus_;
  codec::Compressor compressor_;
};

struct Measured {
  double spans_per_cpu_second = 0;
  double peak_bytes = 0;
  double pushed_back = 0;
};

/// Of one fresh process. `wait(server, spans)` returns when so many are done with.
template <typename Start, typename Wait>
Measured Measure(const Way& way, Passes& passes, std::size_t count, Start start, Wait wait) {
  const TemporaryFolder folder("otlp-network-bench");
  Server server = start(folder, way);
  OtlpLoad load(way.is_grpc, server.port, way.connections);
  for (std::size_t i = 0; i < kWarmUp; ++i) passes.Send(way, load);
  wait(server, passes.spans() * kWarmUp);
  const double before = CpuSecondsOf(server.process.id());
  Measured measured;
  for (std::size_t i = 0; i < count; ++i) {
    measured.pushed_back += static_cast<double>(passes.Send(way, load));
  }
  wait(server, passes.spans() * static_cast<double>(kWarmUp + count));
  const double cpu = CpuSecondsOf(server.process.id()) - before;
  measured.spans_per_cpu_second = passes.spans() * static_cast<double>(count) / cpu;
  measured.peak_bytes = MemoryOf(server.process.id(), "VmHWM");
  server.process.Terminate();
  return measured;
}

void MeasureWay(Report& report, const Way& way, Passes& passes, bool is_quick) {
  const int runs = is_quick ? 1 : 5;
  std::vector<double> ours;
  std::vector<double> our_memory;
  std::vector<double> pushed_back;
  std::vector<double> theirs;
  for (int run = 0; run < runs; ++run) {
    const Measured analyzer = Measure(way, passes, 12, StartAnalyzer, WaitUntilJudged);
    ours.push_back(analyzer.spans_per_cpu_second);
    our_memory.push_back(analyzer.peak_bytes);
    pushed_back.push_back(analyzer.pushed_back);
    // Its connector has counted a span before the request is answered.
    theirs.push_back(
        Measure(way, passes, 2, StartCollector, [](const Server&, double) {}).spans_per_cpu_second);
  }
  const std::string name = std::string("analyzer_") + way.name;
  report.Add({.name = name,
              .metric = "spans_per_cpu_second",
              .unit = "1/s",
              .samples = ours,
              .better = Better::kHigher,
              .peer = Peer{"OpenTelemetry Collector with spanmetrics", Median(theirs)},
              .goal = AtLeast(way.goal)});
  report.Add({.name = name, .metric = "peak_rss", .unit = "bytes", .samples = our_memory});
  report.Add({.name = name, .metric = "pushed_back", .unit = "requests", .samples = pushed_back});
}

}  // namespace
}  // namespace tracekeeper::bench

int main(int argc, char** argv) {
  using namespace tracekeeper::bench;
  const bool is_quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  TraceCorpus corpus(kTraces, kMicroseconds, 1);
  Passes passes(corpus);
  Report report("otlp");
  for (const Way& way : kWays) MeasureWay(report, way, passes, is_quick);
  return report.Write();
}
