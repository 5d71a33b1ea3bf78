#include "src/analysis/analysis_server.h"

#include <algorithm>
#include <random>
#include <utility>

#include "src/analysis/continuity_metrics.h"

namespace tracekeeper::analysis {
namespace {

AnalysisOptions WithKey(AnalysisOptions options) {
  if (options.key != 0) return options;
  std::random_device random;
  options.key = std::uint64_t{random()} << 32U | random();
  return options;
}

otlp::ReceiverLimits RequestLimitsOf(const AnalysisServerOptions& options) {
  otlp::ReceiverLimits limits = otlp::kBulkLimits;
  limits.request_bytes = std::min(limits.request_bytes, options.analysis.queue_bytes);
  return limits;
}

/// For programs and people: small requests, few connections.
net::ServerOptions ApiOf(const AnalysisServerOptions& options) {
  net::ServerOptions server;
  server.name = "api";
  server.address = options.address;
  server.port = options.api_port;
  server.limits.body_bytes = 0;
  server.limits.connections = 64;
  server.limits.drain_deadline = options.drain_patience;
  return server;
}

net::ServerOptions HttpOf(const AnalysisServerOptions& options) {
  net::ServerOptions server;
  server.name = "otlp-http";
  server.tls = options.tls;
  server.address = options.address;
  server.port = options.otlp_http_port;
  server.limits = otlp::BulkServerLimits();
  server.limits.body_bytes = RequestLimitsOf(options).request_bytes;
  server.limits.arriving_bytes = options.analysis.queue_bytes;
  server.limits.kept_body_bytes =
      std::min(server.limits.kept_body_bytes, options.analysis.queue_bytes / 4);
  server.limits.drain_deadline = options.drain_patience;
  return server;
}

ingest::GrpcServerOptions GrpcOf(const AnalysisServerOptions& options) {
  ingest::GrpcServerOptions server;
  server.address = options.address;
  server.port = options.otlp_grpc_port;
  server.limits = RequestLimitsOf(options);
  server.memory_bytes = 2 * options.analysis.queue_bytes;
  server.tls = options.tls;
  return server;
}

}  // namespace

AnalysisServer::AnalysisServer(const AnalysisServerOptions& options, continuity::PolicyRules rules,
                               const Clock& clock, const Logger& log)
    : drain_patience_(options.drain_patience),
      log_(log),
      analysis_(WithKey(options.analysis), std::move(rules), clock, log),
      api_([this] { return analysis_.TakeSnapshot(); },
           [this](const otlp::TraceId& trace) { return analysis_.LookAt(trace); }),
      receiver_(analysis_, RequestLimitsOf(options)),
      api_server_(net::MakeBeastServer(
          ApiOf(options), [this](const net::Request& request) { return api_.Handle(request); },
          log)),
      http_server_(net::MakeBeastServer(
          HttpOf(options),
          [this](const net::Request& request) { return receiver_.Handle(request); }, log)),
      grpc_server_(GrpcOf(options), analysis_, log) {}

Status AnalysisServer::Start() {
  analysis_.Start();
  TRY(api_server_->Start());
  TRY(http_server_->Start());
  return grpc_server_.Start();
}

void AnalysisServer::Drain() {
  grpc_server_.Drain(drain_patience_);
  http_server_->Stop();
  analysis_.Drain();
  const auto last = analysis_.TakeSnapshot();
  std::uint64_t seen = 0;
  for (const auto& [policy, units] : last->series.seen) {
    for (const std::uint64_t of_family : units) seen += of_family;
  }
  log_.Info("Judged what was pending", {{"units_seen", seen}, {"spans", last->counts.spans}});
  api_server_->Stop();
}

void AnalysisServer::WriteMetrics(telemetry::Exposition& text) {
  WriteContinuityMetrics(*analysis_.TakeSnapshot(), text);
}

AnalysisServer::Ports AnalysisServer::ports() const {
  return {.otlp_grpc = grpc_server_.port(),
          .otlp_http = http_server_->port(),
          .api = api_server_->port()};
}

}  // namespace tracekeeper::analysis
