#include "analyzer/wiring.h"

#include <algorithm>
#include <random>
#include <utility>

#include "src/analysis/continuity_metrics.h"
#include "src/base/version.h"
#include "src/telemetry/exposition.h"

namespace tracekeeper::analyzer {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20U;

Duration Seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

std::uint64_t RandomKey() {
  std::random_device random;
  return std::uint64_t{random()} << 32U | random();
}

std::size_t QueueBytesOf(const Options& options) {
  return static_cast<std::size_t>(options.queue_mib) * kMiB;
}

analysis::AnalysisOptions AnalysisOptionsOf(const Options& options) {
  return {.shards = static_cast<std::size_t>(options.shards),
          .memory_bytes = static_cast<std::size_t>(options.memory_mib) * kMiB,
          .queue_bytes = QueueBytesOf(options),
          .series = {.edges = static_cast<std::size_t>(options.max_edges),
                     .services = static_cast<std::size_t>(options.max_services),
                     .policies = static_cast<std::size_t>(options.max_policies)},
          .settle_window = Seconds(options.settle_seconds),
          .join_window = Seconds(options.join_seconds),
          .repair_window = Seconds(options.repair_seconds),
          .warm_up = Seconds(options.warm_up_seconds),
          .learning_interval = Seconds(options.learning_seconds),
          .key = RandomKey()};
}

net::ServerOptions ServerOf(const Options& options, const char* name, std::int64_t port) {
  net::ServerOptions server;
  server.name = name;
  server.address = options.address;
  server.port = static_cast<std::uint16_t>(port);
  server.limits.drain_deadline = Seconds(options.drain_seconds);
  return server;
}

/// For scrapers, probes and people: small requests, few connections.
net::ServerOptions PagesOf(const Options& options, const char* name, std::int64_t port) {
  net::ServerOptions server = ServerOf(options, name, port);
  server.limits.body_bytes = 0;
  server.limits.connections = 64;
  return server;
}

/// What would find no room in the queue need not be held while it arrives.
otlp::ReceiverLimits LimitsOf(const Options& options) {
  otlp::ReceiverLimits limits = otlp::kBulkLimits;
  limits.request_bytes = std::min(limits.request_bytes, QueueBytesOf(options));
  return limits;
}

net::ServerOptions ReceiverOf(const Options& options) {
  net::ServerOptions server = ServerOf(options, "otlp-http", options.otlp_http_port);
  const Duration drain_deadline = server.limits.drain_deadline;
  server.limits = otlp::BulkServerLimits();
  server.limits.drain_deadline = drain_deadline;
  server.limits.body_bytes = LimitsOf(options).request_bytes;
  server.limits.arriving_bytes = 2 * QueueBytesOf(options);
  server.limits.kept_body_bytes =
      std::min(server.limits.kept_body_bytes, QueueBytesOf(options) / 4);
  return server;
}

ingest::GrpcServerOptions GrpcOf(const Options& options) {
  ingest::GrpcServerOptions server;
  server.address = options.address;
  server.port = static_cast<std::uint16_t>(options.otlp_grpc_port);
  server.limits = LimitsOf(options);
  server.memory_bytes = 2 * QueueBytesOf(options);
  return server;
}

net::Response Text(int status, std::string_view text) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::string(text), {}};
}

}  // namespace

Result<std::unique_ptr<Wiring>> Wiring::Make(const CommandLine& command_line, const Clock& clock,
                                             Log& log) {
  ReadPolicies policies = TRY(ReadPolicyFiles(command_line.options.policies));
  return std::unique_ptr<Wiring>(new Wiring(command_line, std::move(policies), clock, log));
}

Wiring::Wiring(const CommandLine& command_line, ReadPolicies policies, const Clock& clock, Log& log)
    : options_(command_line.options),
      policies_(policies.names.size()),
      log_(log),
      process_(metrics_),
      analysis_(AnalysisOptionsOf(options_), policies.rules, clock, Logger(log)),
      files_(command_line, std::move(policies), clock, log, analysis_),
      api_([this] { return analysis_.TakeSnapshot(); }),
      receiver_(analysis_, LimitsOf(options_)),
      metrics_server_(net::MakeBeastServer(
          PagesOf(options_, "metrics", options_.metrics_port),
          [this](const net::Request& request) { return HandleMetrics(request); }, Logger(log))),
      api_server_(net::MakeBeastServer(
          PagesOf(options_, "api", options_.api_port),
          [this](const net::Request& request) { return api_.Handle(request); }, Logger(log))),
      http_server_(net::MakeBeastServer(
          ReceiverOf(options_),
          [this](const net::Request& request) { return receiver_.Handle(request); }, Logger(log))),
      grpc_server_(GrpcOf(options_), analysis_, Logger(log)) {
  metrics_.BeforeText([this] { process_.Refresh(); });
  metrics_
      .MakeGauge("tracekeeper_analyzer_info", "The version that runs.",
                 {{"version", std::string(kVersion)}})
      .Set(1);
}

Status Wiring::Start() {
  analysis_.Start();
  TRY(metrics_server_->Start());
  TRY(api_server_->Start());
  TRY(http_server_->Start());
  TRY(grpc_server_.Start());
  files_.Start();
  log_.Info("Started", {{"version", kVersion},
                        {"otlp_grpc_port", grpc_server_.port()},
                        {"otlp_http_port", http_server_->port()},
                        {"metrics_port", metrics_server_->port()},
                        {"api_port", api_server_->port()},
                        {"policies", policies_}});
  return {};
}

void Wiring::Drain() {
  is_draining_ = true;
  grpc_server_.Drain(Seconds(options_.drain_seconds));
  http_server_->Stop();
  analysis_.Drain();
  const auto last = analysis_.TakeSnapshot();
  std::uint64_t seen = 0;
  for (const auto& [policy, units] : last->series.seen) {
    for (const std::uint64_t of_family : units) seen += of_family;
  }
  log_.Info("Judged what was pending", {{"units_seen", seen}, {"spans", last->counts.spans}});
  api_server_->Stop();
  metrics_server_->Stop();
}

net::Response Wiring::HandleMetrics(const net::Request& request) {
  const std::string_view path = net::PathOf(request.target);
  if (path == "/healthz") return Text(200, "ok\n");
  if (path == "/readyz") {
    return is_draining_ ? Text(503, "draining\n") : Text(200, "ok\n");
  }
  if (path != "/metrics") return Text(404, "there are /metrics, /healthz and /readyz\n");
  telemetry::Exposition text(telemetry::FormatFor(request.headers.Get("Accept")));
  analysis::WriteContinuityMetrics(*analysis_.TakeSnapshot(), text);
  metrics_.WriteTo(text);
  return {200, {{"Content-Type", std::string(ContentTypeOf(text.format()))}}, text.Finish(), {}};
}

}  // namespace tracekeeper::analyzer
