#include "analyzer/wiring.h"

#include <utility>

#include "src/base/version.h"
#include "src/telemetry/exposition.h"

namespace tracekeeper::analyzer {
namespace {

using analysis::DurationOfSeconds;

analysis::AnalysisOptions AnalysisOptionsOf(const Options& options) {
  analysis::AnalysisOptions analysis = OptionsOf(options);
  analysis.shards = static_cast<std::size_t>(options.shards);
  return analysis;
}

analysis::AnalysisServerOptions ServerOptionsOf(const Options& options,
                                                const crypto::ServerTlsFiles* tls) {
  return {.analysis = AnalysisOptionsOf(options),
          .address = options.address,
          .otlp_grpc_port = static_cast<std::uint16_t>(options.otlp_grpc_port),
          .otlp_http_port = static_cast<std::uint16_t>(options.otlp_http_port),
          .api_port = static_cast<std::uint16_t>(options.api_port),
          .tls = tls == nullptr ? nullptr : tls->source(),
          .drain_patience = DurationOfSeconds(options.drain_seconds)};
}

/// For scrapers and probes: small requests, few connections.
net::ServerOptions MetricsOf(const Options& options) {
  net::ServerOptions server;
  server.name = "metrics";
  server.address = options.address;
  server.port = static_cast<std::uint16_t>(options.metrics_port);
  server.limits.drain_deadline = DurationOfSeconds(options.drain_seconds);
  server.limits.body_bytes = 0;
  server.limits.connections = 64;
  return server;
}

/// Null where policies are those of files.
Result<std::unique_ptr<ClusterPolicies>> ClusterOf(const Options& options, const Clock& clock,
                                                   Log& log) {
  if (!options.kubernetes) return nullptr;
  return ClusterPolicies::Make({.kubeconfig = options.kubeconfig,
                                .context = options.context,
                                .namespace_name = options.namespace_name},
                               clock, log);
}

/// Null where no port speaks TLS.
Result<std::unique_ptr<crypto::ServerTlsFiles>> TlsOf(const Options& options) {
  if (options.tls_certificate.empty()) return nullptr;
  return crypto::ServerTlsFiles::Make({.certificate = options.tls_certificate,
                                       .key = options.tls_key,
                                       .client_authorities = options.tls_client_ca});
}

net::Response Text(int status, std::string_view text) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::string(text), {}};
}

}  // namespace

Result<std::unique_ptr<Wiring>> Wiring::Make(const CommandLine& command_line, const Clock& clock,
                                             Log& log) {
  const Options& options = command_line.options;
  Made made;
  made.policies = TRY(ReadPolicyFiles(options.policies));
  made.tls = TRY(TlsOf(options));
  made.cluster = TRY(ClusterOf(options, clock, log));
  return std::unique_ptr<Wiring>(new Wiring(command_line, std::move(made), clock, log));
}

Wiring::Wiring(const CommandLine& command_line, Made made, const Clock& clock, Log& log)
    : options_(command_line.options),
      policies_(made.policies.names.size()),
      log_(log),
      process_(metrics_),
      tls_(std::move(made.tls)),
      analysis_(ServerOptionsOf(options_, tls_.get()), made.policies.rules, clock, log_),
      files_(command_line, std::move(made.policies), tls_.get(), clock, log, analysis_),
      cluster_(std::move(made.cluster)),
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
  if (cluster_) TRY(cluster_->Start(analysis_));
  const auto ports = analysis_.ports();
  log_.Info("Started", {{"version", kVersion},
                        {"otlp_grpc_port", ports.otlp_grpc},
                        {"otlp_http_port", ports.otlp_http},
                        {"metrics_port", metrics_server_->port()},
                        {"api_port", ports.api},
                        {"policies_from", cluster_ ? "cluster" : "files"},
                        {"policies", policies_}});
  return {};
}

void Wiring::Drain() {
  is_draining_ = true;
  if (cluster_) cluster_->Stop();
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
