// DEPENDS: tracekeeper::sidecar tracekeeper::otlp tracekeeper::net tracekeeper::bed
// SOURCES: otlp_corpus.cc process_figures.cc
//
// What relaying costs, of the sidecar and of an OpenTelemetry Collector that does the same relay on
// the same bytes: OTLP in from four connections, batches of 8192 spans, OTLP out to a backend that
// this process plays. Spans per second of the relay's own CPU time; every span must arrive.
//
//   http_plain   OTLP/HTTP in and out, no compression
//   http_gzip    the same, gzip out (the default of both)
//   grpc_plain, grpc_gzip   the same over gRPC
//   dead_backend the sidecar's memory while its backend accepts connections and never answers, at
//                full load: ten minutes, a quarter of a minute with --quick

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "src/codec/compression.h"
#include "src/config/sidecar_config.h"
#include "src/net/grpc.h"
#include "src/net/http2_client.h"
#include "src/net/server.h"
#include "src/net/transports.h"
#include "src/otlp/request.h"
#include "src/otlp/signal.h"
#include "tests/bench/otlp_corpus.h"
#include "tests/bench/process_figures.h"
#include "tests/bench/report.h"
#include "tests/support/built_program.h"
#include "tests/support/eventually.h"
#include "tests/support/free_port.h"
#include "tests/support/process.h"
#include "tests/support/spawn.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper::bench {
namespace {

namespace fs = std::filesystem;
using test_support::ChildProcess;
using test_support::FreePort;
using test_support::TemporaryFolder;

constexpr std::size_t kSpansOfARequest = 512;
constexpr std::size_t kRequests = 256;  // distinct ones, sent again and again
constexpr int kConnections = 4;
constexpr std::chrono::seconds kLimit{60};
constexpr double kMebibyte = 1U << 20U;

[[noreturn]] void Stop(const std::string& why) {
  fmt::print(stderr, "sidecar_relay_bench: {}\n", why);
  std::exit(1);
}

template <typename T>
T Must(Result<T> result) {
  if (!result) Stop(result.error().message);
  return *std::move(result);
}

struct Way {
  const char* name;
  bool is_grpc;
  bool is_gzip;
};
constexpr Way kWays[] = {{"http_plain", false, false},
                         {"http_gzip", false, true},
                         {"grpc_plain", true, false},
                         {"grpc_gzip", true, true}};

/// The backend: takes everything and counts spans.
class Backend {
 public:
  Backend() {
    net::ServerOptions options;
    options.limits.body_bytes = 64U << 20U;
    http_ = net::MakeBeastServer(
        options, [this](const net::Request& request) { return AnswerHttp(request); }, Logger(log_));
    grpc_ = net::MakeHttp2Server(
        options, [this](const net::Request& request) { return AnswerGrpc(request); }, Logger(log_));
    if (!http_->Start() || !grpc_->Start()) Stop("the backend could not listen");
  }

  [[nodiscard]] std::string Endpoint(bool is_grpc) const {
    return fmt::format("http://127.0.0.1:{}", is_grpc ? grpc_->port() : http_->port());
  }
  [[nodiscard]] std::size_t spans() const { return spans_; }

 private:
  bool Count(codec::Decompressor& decompressor, std::string_view encoding, std::string_view body) {
    const auto plain =
        decompressor.Decompress(codec::CompressionNamed(encoding).value(), body, 256U << 20U);
    if (!plain) return false;
    const auto items = otlp::CountItems(otlp::Signal::kTraces, *plain);
    if (items) spans_ += *items;
    return items.has_value();
  }
  net::Response AnswerHttp(const net::Request& request) {
    const bool good =
        Count(http_decompressor_, request.headers.Get("Content-Encoding"), request.body);
    return {good ? 200 : 400, {{"Content-Type", "application/x-protobuf"}}, ""};
  }
  net::Response AnswerGrpc(const net::Request& request) {
    const auto call = net::ReadGrpcRequest(request);
    if (!call) return net::WriteGrpcResponse({.status = call.error()});
    const bool good = Count(grpc_decompressor_, call->encoding, call->message);
    return net::WriteGrpcResponse(
        {.status = {.code = good ? net::GrpcCode::kOk : net::GrpcCode::kInvalidArgument}});
  }

  Log log_{LogLevel::kError};
  codec::Decompressor http_decompressor_;  // each server has one thread
  codec::Decompressor grpc_decompressor_;
  std::atomic<std::size_t> spans_ = 0;
  std::unique_ptr<net::Server> http_;
  std::unique_ptr<net::Server> grpc_;
};

/// One connection's worth of an application.
class Sender {
 public:
  Sender(bool is_grpc, std::uint16_t port) {
    net::TransportOptions options{.name = "relay",
                                  .base_url = fmt::format("http://127.0.0.1:{}", port)};
    if (is_grpc) {
      grpc_ = Must(net::MakeHttp2Client({.transport = std::move(options)}));
    } else {
      http_ = Must(net::MakeBeastTransport(std::move(options)));
    }
  }
  /// True when the relay took it.
  bool Send(const std::string& message) {
    if (grpc_) {
      const auto response =
          grpc_->Send(net::WriteGrpcRequest(
                          {.method = GrpcMethodOf(otlp::Signal::kTraces), .message = message}, {}),
                      {.deadline = kLimit}, StopToken());
      return response && net::ReadGrpcResponse(*response).status.ok();
    }
    request_.body = message;
    const auto response = http_->Send(request_, {.deadline = kLimit}, StopToken());
    return response && response->status == 200;
  }

 private:
  net::Request request_{.method = "POST",
                        .target = "/v1/traces",
                        .headers = {{"Content-Type", "application/x-protobuf"}}};
  std::unique_ptr<net::Http2Client> grpc_;
  std::unique_ptr<net::Transport> http_;
};

bool Listens(std::uint16_t port) {
  const test_support::FileHandle socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
}

/// A relay under test: a process that takes OTLP on one port.
struct Relay {
  ChildProcess process;
  std::uint16_t port;
};

Relay StartProcess(std::vector<std::string> argv, const TemporaryFolder& folder,
                   std::uint16_t port) {
  Relay relay{Must(ChildProcess::Start({.argv = std::move(argv)}, folder / "log")), port};
  if (!test_support::Eventually([&] { return Listens(port); }, kLimit)) {
    Stop("a relay did not start: " + relay.process.ReadLog());
  }
  return relay;
}

Relay StartSidecar(const TemporaryFolder& folder, const Way& way, const std::string& endpoint,
                   std::optional<config::Relay> limits) {
  config::SidecarConfig config;
  config.policy = {"shop", "checkout"};
  config.export_to = config::Export{
      .endpoint = endpoint,
      .protocol =
          way.is_grpc ? config::ExportProtocol::kGrpc : config::ExportProtocol::kHttpProtobuf,
      .compression = way.is_gzip ? config::Compression::kGzip : config::Compression::kNone};
  config.relay = limits;
  config.ports.otlp_grpc = FreePort();
  config.ports.otlp_http = FreePort();
  std::ofstream(folder / "config.yaml") << config::EncodeSidecarConfig(config);
  // <build>/bench/sidecar_relay_bench and <build>/bin/tracekeeper-sidecar
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "bin" /
                           "tracekeeper-sidecar";
  return StartProcess(
      {program, "--config", folder / "config.yaml", "--status-address", "127.0.0.1",
       "--status-port", "0"},
      folder,
      static_cast<std::uint16_t>(way.is_grpc ? config.ports.otlp_grpc : config.ports.otlp_http));
}

Relay StartCollector(const TemporaryFolder& folder, const Way& way, const std::string& endpoint) {
  const fs::path program = Must(test_support::BuiltProgram("otelcol", "otelcol"));
  const std::uint16_t port = FreePort();
  const char* compression = way.is_gzip ? "gzip" : "none";
  // Its queue is made large enough to lose nothing, as the sidecar's is here.
  std::ofstream(folder / "collector.yaml") << fmt::format(
      R"(receivers:
  otlp: {{protocols: {{{}: {{endpoint: 127.0.0.1:{}}}}}}}
processors:
  batch: {{send_batch_size: 8192, timeout: 200ms}}
exporters:
  {}:
    endpoint: {}
    compression: {}
    tls: {{insecure: true}}
    sending_queue: {{queue_size: 100000, num_consumers: 4}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [batch], exporters: [{}]}}
)",
      way.is_grpc ? "grpc" : "http", port, way.is_grpc ? "otlp_grpc" : "otlp_http",
      way.is_grpc ? endpoint.substr(endpoint.find("//") + 2) : endpoint, compression,
      way.is_grpc ? "otlp_grpc" : "otlp_http");
  return StartProcess({program, "--config", folder / "collector.yaml"}, folder, port);
}

/// Sends `rounds` times all of `requests` from kConnections threads; the spans that were taken.
std::size_t Load(const Relay& relay, const Way& way, const std::vector<std::string>& requests,
                 std::size_t rounds) {
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> taken = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kConnections; ++i) {
    threads.emplace_back([&] {
      Sender sender(way.is_grpc, relay.port);
      for (std::size_t at = next++; at < rounds * requests.size(); at = next++) {
        if (sender.Send(requests[at % requests.size()])) taken += kSpansOfARequest;
      }
    });
  }
  threads.clear();
  return taken;
}

struct Measured {
  double spans_per_cpu_second;
  double resident;
};

template <typename Start>
Measured Measure(const Way& way, const std::vector<std::string>& requests, std::size_t rounds,
                 Start start) {
  const TemporaryFolder folder("sidecar-relay-bench");
  Backend backend;
  Relay relay = start(folder, way, backend.Endpoint(way.is_grpc));
  // The first round pays for connections, contexts and what a garbage collector learns.
  const std::size_t warm = Load(relay, way, requests, 1);
  const auto wait_for = [&](std::size_t spans) {
    if (!test_support::Eventually([&] { return backend.spans() >= spans; }, kLimit)) {
      Stop(fmt::format("{}: {} of {} spans arrived: {}", way.name, backend.spans(), spans,
                       relay.process.ReadLog()));
    }
  };
  wait_for(warm);
  const double before = CpuSecondsOf(relay.process.id());
  const std::size_t taken = Load(relay, way, requests, rounds);
  wait_for(warm + taken);
  const double cpu = CpuSecondsOf(relay.process.id()) - before;
  const double resident = MemoryOf(relay.process.id(), "VmHWM");
  relay.process.Terminate();
  if (taken != rounds * requests.size() * kSpansOfARequest) {
    Stop(fmt::format("{}: only {} spans were taken: {}", way.name, taken, relay.process.ReadLog()));
  }
  return {static_cast<double>(taken) / cpu, resident};
}

void MeasureThroughput(Report& report, const std::vector<std::string>& requests, bool is_quick) {
  const int runs = is_quick ? 1 : 5;
  const std::size_t rounds = is_quick ? 6 : 12;
  for (const Way& way : kWays) {
    std::vector<double> ours;
    std::vector<double> theirs;
    std::vector<double> their_memory;
    for (int run = 0; run < runs; ++run) {
      ours.push_back(
          Measure(way, requests, rounds,
                  [](const TemporaryFolder& folder, const Way& to, const std::string& endpoint) {
                    return StartSidecar(folder, to, endpoint,
                                        config::Relay{.queue_bytes = 1LL << 30});
                  })
              .spans_per_cpu_second);
      const Measured collector = Measure(way, requests, is_quick ? 1 : 2, StartCollector);
      theirs.push_back(collector.spans_per_cpu_second);
      their_memory.push_back(collector.resident);
    }
    report.Add({.name = std::string("relay_") + way.name,
                .metric = "spans_per_cpu_second",
                .unit = "1/s",
                .samples = ours,
                .better = Better::kHigher,
                .peer = Peer{"OpenTelemetry Collector", Median(theirs)},
                .goal = RatioAtLeast(10)});
  }
}

/// Accepts connections, by the kernel's hand alone, and never answers.
class SilentBackend {
 public:
  SilentBackend() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_.get(), generic, size) != 0 || ::listen(socket_.get(), 128) != 0 ||
        ::getsockname(socket_.get(), generic, &size) != 0) {
      Stop("the silent backend could not listen");
    }
    port_ = ntohs(address.sin_port);
  }
  [[nodiscard]] std::string endpoint() const { return fmt::format("http://127.0.0.1:{}", port_); }

 private:
  test_support::FileHandle socket_;
  std::uint16_t port_ = 0;
};

void MeasureDeadBackend(Report& report, const std::vector<std::string>& requests, bool is_quick) {
  const std::chrono::seconds duration{is_quick ? 15 : 600};
  for (const Way& way : {kWays[1], kWays[3]}) {
    const TemporaryFolder folder("sidecar-relay-bench");
    const SilentBackend backend;
    Relay relay = StartSidecar(folder, way, backend.endpoint(), std::nullopt);
    std::atomic<bool> done = false;
    std::atomic<std::size_t> spans = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < kConnections; ++i) {
      threads.emplace_back([&, i] {
        Sender sender(way.is_grpc, relay.port);
        for (std::size_t at = static_cast<std::size_t>(i); !done; at += kConnections) {
          if (sender.Send(requests[at % requests.size()])) spans += kSpansOfARequest;
        }
      });
    }
    std::this_thread::sleep_for(duration);
    done = true;
    threads.clear();
    const std::string name = std::string("dead_backend_") + (way.is_grpc ? "grpc" : "http");
    report.Add({.name = name,
                .metric = "peak_rss",
                .unit = "bytes",
                .samples = {MemoryOf(relay.process.id(), "VmHWM")},
                .goal = AtMost(50 * kMebibyte)});
    report.Add({.name = name,
                .metric = "spans_taken",
                .unit = "1/s",
                .samples = {static_cast<double>(spans) / static_cast<double>(duration.count())},
                .better = Better::kHigher});
    relay.process.Terminate();
  }
}

}  // namespace
}  // namespace tracekeeper::bench

int main(int argc, char** argv) {
  using namespace tracekeeper::bench;
  const bool is_quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  const std::vector<std::string> requests = MakeTraceRequests(kRequests, kSpansOfARequest, 1);
  Report report("sidecar");
  MeasureThroughput(report, requests, is_quick);
  MeasureDeadBackend(report, requests, is_quick);
  return report.Write();
}
