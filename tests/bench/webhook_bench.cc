// DEPENDS: tracekeeper::operator_controllers tracekeeper::webhook tracekeeper::net
// SOURCES: admission_pods.cc
//
// What the whole webhook does: HTTPS with keep-alive, AdmissionReview in, patch out. The server is
// a process of its own, so that its CPU time is its own; the clients of this process only ask.
//
//   throughput  8 connections, each asks again as soon as it is answered: reviews per second of the
//               server's CPU time
//   half_load   the same connections at half of that rate by a fixed timetable (open loop): latency
//               from the moment a review was due, so that a stall counts for all that waited

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <thread>

#include "operator/controllers/pod_injector.h"
#include "src/crypto/certificate_maker.h"
#include "src/crypto/server_tls_source.h"
#include "src/net/server.h"
#include "src/net/transports.h"
#include "src/telemetry/prometheus_metrics.h"
#include "src/webhook/webhook_server.h"
#include "tests/bench/admission_pods.h"
#include "tests/bench/report.h"

namespace tracekeeper::bench {
namespace {

constexpr int kRuns = 5;
constexpr int kConnections = 8;
constexpr double kSecondsOfARun = 3.0;
constexpr std::string_view kPath = "/inject/best-effort";
using SteadyClock = std::chrono::steady_clock;

[[noreturn]] void Stop(const std::string& why) {
  std::fprintf(stderr, "webhook_bench: %s\n", why.c_str());
  std::exit(1);
}

template <typename T>
T Must(Result<T> result) {
  if (!result) Stop(result.error().message);
  return *std::move(result);
}

struct Certificates {
  std::string authority_pem;
  std::shared_ptr<const crypto::CertificatePair> server;
};

Certificates MakeCertificates() {
  const crypto::CertificateValidity validity{.now = SystemClock().Now()};
  const auto authority = Must(crypto::MakeCertificateAuthority("bench", validity));
  auto server = Must(crypto::IssueCertificate(
      authority, {.common_name = "webhook", .ip_addresses = {"127.0.0.1"}}, validity));
  return {authority.chain_pem(),
          std::make_shared<const crypto::CertificatePair>(std::move(server))};
}

/// The server's process: answers until it is killed. Writes its port to `port_pipe`.
[[noreturn]] void Serve(const Certificates& certificates, int port_pipe) {
  Log log(LogLevel::kWarn);
  const Logger logger(log);
  const SystemClock clock;
  telemetry::PrometheusMetrics metrics;
  runtime::Store<api::TracingPolicy> policies("policies", api::DecodeTracingPolicy, logger);
  runtime::Store<controllers::ObservedNode> nodes("nodes", controllers::ObservedNode::From, logger);
  runtime::Store<kube::ObjectMeta> namespaces("namespaces", controllers::ObservedMeta, logger);
  codec::JsonParser parser;
  policies.BeginReplace();
  policies.Upsert(Must(parser.Parse(
      R"({"metadata":{"namespace":"shop","name":"checkout","uid":"2","generation":3},
          "spec":{"selector":{"matchLabels":{"app":"checkout"}}}})")));
  policies.EndReplace();
  domain::CompileOptions options;
  options.sidecar_image = "registry.example.com/tracekeeper-sidecar:0.1.0";
  controllers::PolicyCatalog catalog(options, "v1.34.4", policies, nodes);
  catalog.Rebuild();
  controllers::InjectionMetrics injections(metrics);
  controllers::PodInjector injector(catalog, namespaces, injections, logger);
  webhook::Webhooks webhooks(clock, metrics, logger);
  webhooks.Register(std::string(kPath), [&](const webhook::AdmissionRequest& request) {
    return injector.Review(request);
  });
  net::ServerOptions server_options;
  server_options.tls = std::make_shared<crypto::ServerTlsSource>();
  if (!server_options.tls->Swap(certificates.server)) Stop("certificate refused");
  const auto server = net::MakeBeastServer(
      server_options, [&](const net::Request& request) { return webhooks.Handle(request); },
      logger);
  if (const Status started = server->Start(); !started) Stop(started.error().message);
  const std::uint16_t port = server->port();
  if (::write(port_pipe, &port, sizeof(port)) != sizeof(port)) Stop("pipe");
  for (;;) ::pause();
}

/// CPU seconds that process `id` has used.
double CpuSecondsOf(pid_t id) {
  std::ifstream file(fmt::format("/proc/{}/stat", id));
  std::string text;
  std::getline(file, text);
  unsigned long user = 0;
  unsigned long system = 0;
  const std::string rest = text.substr(text.rfind(')') + 2);
  std::sscanf(rest.c_str(), "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
  return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::string MakeReview() {
  return fmt::format(
      R"({{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u-1",
          "operation":"CREATE","namespace":"shop","resource":{{"group":"","version":"v1",
          "resource":"pods"}},"dryRun":false,"object":{}}}}})",
      MakePod({}));
}

class Client {
 public:
  Client(std::uint16_t port, const std::string& authority_pem) {
    net::TransportOptions options;
    options.base_url = fmt::format("https://127.0.0.1:{}", port);
    options.authorities_pem = [authority_pem]() -> Result<std::string> { return authority_pem; };
    options.connection_age = std::chrono::hours(1);
    transport_ = Must(net::MakeBeastTransport(std::move(options)));
    request_.method = "POST";
    request_.target = kPath;
    request_.headers.Add("Content-Type", "application/json");
    request_.body = MakeReview();
  }

  void Ask() {
    const auto response = transport_->Send(request_, {}, {});
    if (!response || response->status != 200) Stop("a review failed");
    if (response->body.find("JSONPatch") == std::string::npos) Stop("no patch: " + response->body);
  }

 private:
  std::unique_ptr<net::Transport> transport_;
  net::Request request_;
};

struct ClosedLoop {
  double per_second = 0;
  double per_cpu_second = 0;
};

ClosedLoop RunClosedLoop(std::vector<Client>& clients, pid_t server) {
  std::atomic<long> reviews = 0;
  const double cpu_before = CpuSecondsOf(server);
  const auto start = SteadyClock::now();
  {
    std::vector<std::jthread> threads;
    for (Client& client : clients) {
      threads.emplace_back([&] {
        const auto end = start + std::chrono::duration<double>(kSecondsOfARun);
        while (SteadyClock::now() < end) {
          client.Ask();
          ++reviews;
        }
      });
    }
  }
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  const double cpu = CpuSecondsOf(server) - cpu_before;
  return {static_cast<double>(reviews) / seconds, static_cast<double>(reviews) / cpu};
}

/// Latencies in milliseconds at `rate` reviews per second in all.
std::vector<double> RunOpenLoop(std::vector<Client>& clients, double rate) {
  const auto interval = std::chrono::duration<double>(kConnections / rate);
  std::vector<std::vector<double>> latencies(clients.size());
  {
    std::vector<std::jthread> threads;
    const auto start = SteadyClock::now();
    for (std::size_t i = 0; i < clients.size(); ++i) {
      threads.emplace_back([&, i] {
        const auto offset = interval * (static_cast<double>(i) / kConnections);
        for (int n = 0; interval * n < std::chrono::duration<double>(kSecondsOfARun); ++n) {
          const auto due =
              start + std::chrono::duration_cast<SteadyClock::duration>(offset + interval * n);
          std::this_thread::sleep_until(due);
          clients[i].Ask();
          latencies[i].push_back(
              std::chrono::duration<double, std::milli>(SteadyClock::now() - due).count());
        }
      });
    }
  }
  std::vector<double> all;
  for (const auto& part : latencies) all.insert(all.end(), part.begin(), part.end());
  return all;
}

int Main() {
  const Certificates certificates = MakeCertificates();
  int pipe_ends[2];
  if (::pipe(pipe_ends) != 0) Stop("pipe");
  const pid_t server = ::fork();  // before any thread
  if (server == 0) Serve(certificates, pipe_ends[1]);
  std::uint16_t port = 0;
  if (::read(pipe_ends[0], &port, sizeof(port)) != sizeof(port)) Stop("the server did not start");

  std::vector<Client> clients;
  for (int i = 0; i < kConnections; ++i) clients.emplace_back(port, certificates.authority_pem);
  RunClosedLoop(clients, server);  // connections, caches, allocator

  std::vector<double> per_cpu_second;
  std::vector<double> per_second;
  for (int run = 0; run < kRuns; ++run) {
    const ClosedLoop result = RunClosedLoop(clients, server);
    per_cpu_second.push_back(result.per_cpu_second);
    per_second.push_back(result.per_second);
  }
  const double half = Median(per_second) / 2;
  std::vector<double> p50;
  std::vector<double> p99;
  for (int run = 0; run < kRuns; ++run) {
    const std::vector<double> latencies = RunOpenLoop(clients, half);
    p50.push_back(Percentile(latencies, 50));
    p99.push_back(Percentile(latencies, 99));
  }
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);

  Report report("webhook");
  report.Add({.name = "https_keep_alive_7kb",
              .metric = "reviews_per_cpu_second",
              .unit = "1/s",
              .samples = per_cpu_second,
              .better = Better::kHigher,
              .goal = AtLeast(10'000)});
  report.Add({.name = "https_keep_alive_7kb",
              .metric = "reviews_per_second",
              .unit = "1/s",
              .samples = per_second,
              .better = Better::kHigher});
  report.Add({.name = "half_load", .metric = "latency_p50", .unit = "ms", .samples = p50});
  report.Add({.name = "half_load",
              .metric = "latency_p99",
              .unit = "ms",
              .samples = p99,
              .goal = AtMost(2)});
  return report.Write();
}

}  // namespace
}  // namespace tracekeeper::bench

int main() { return tracekeeper::bench::Main(); }
