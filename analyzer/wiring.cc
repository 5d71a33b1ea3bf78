#include "analyzer/wiring.h"

#include <utility>

#include "src/base/version.h"
#include "src/telemetry/exposition.h"

namespace tracekeeper::analyzer {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20U;

Duration Seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

analysis::AnalysisOptions AnalysisOptionsOf(const Options& options) {
  return {.shards = static_cast<std::size_t>(options.shards),
          .memory_bytes = static_cast<std::size_t>(options.memory_mib) * kMiB,
          .queue_bytes = static_cast<std::size_t>(options.queue_mib) * kMiB,
          .series = {.edges = static_cast<std::size_t>(options.max_edges),
                     .services = static_cast<std::size_t>(options.max_services),
                     .policies = static_cast<std::size_t>(options.max_policies)},
          .settle_window = Seconds(options.settle_seconds),
          .join_window = Seconds(options.join_seconds),
          .repair_window = Seconds(options.repair_seconds),
          .warm_up = Seconds(options.warm_up_seconds),
          .learning_interval = Seconds(options.learning_seconds)};
}

analysis::AnalysisServerOptions ServerOptionsOf(const Options& options) {
  return {.analysis = AnalysisOptionsOf(options),
          .address = options.address,
          .otlp_grpc_port = static_cast<std::uint16_t>(options.otlp_grpc_port),
          .otlp_http_port = static_cast<std::uint16_t>(options.otlp_http_port),
          .api_port = static_cast<std::uint16_t>(options.api_port),
          .drain_patience = Seconds(options.drain_seconds)};
}

/// For scrapers and probes: small requests, few connections.
net::ServerOptions MetricsOf(const Options& options) {
  net::ServerOptions server;
  server.name = "metrics";
  server.address = options.address;
  server.port = static_cast<std::uint16_t>(options.metrics_port);
  server.limits.drain_deadline = Seconds(options.drain_seconds);
  server.limits.body_bytes = 0;
  server.limits.connections = 64;
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
      analysis_(ServerOptionsOf(options_), policies.rules, clock, log_),
      files_(command_line, std::move(policies), clock, log, analysis_),
      metrics_server_(net::MakeBeastServer(
          MetricsOf(options_),
          [this](const net::Request& request) { return HandleMetrics(request); }, log_)) {
  metrics_.BeforeText([this] { process_.Refresh(); });
  metrics_
      .MakeGauge("tracekeeper_analyzer_info", "The version that runs.",
                 {{"version", std::string(kVersion)}})
      .Set(1);
}

Status Wiring::Start() {
  TRY(metrics_server_->Start());
  TRY(analysis_.Start());
  files_.Start();
  const auto ports = analysis_.ports();
  log_.Info("Started", {{"version", kVersion},
                        {"otlp_grpc_port", ports.otlp_grpc},
                        {"otlp_http_port", ports.otlp_http},
                        {"metrics_port", metrics_server_->port()},
                        {"api_port", ports.api},
                        {"policies", policies_}});
  return {};
}

void Wiring::Drain() {
  is_draining_ = true;
  analysis_.Drain();
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
  analysis_.WriteMetrics(text);
  metrics_.WriteTo(text);
  return {200, {{"Content-Type", std::string(ContentTypeOf(text.format()))}}, text.Finish(), {}};
}

}  // namespace tracekeeper::analyzer
