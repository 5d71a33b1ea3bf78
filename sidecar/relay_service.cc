#include "sidecar/relay_service.h"

#include <algorithm>
#include <utility>

#include "src/otlp/receiver_limits.h"

namespace tracekeeper::sidecar {
namespace {

net::ServerOptions ReceiverOptions(const char* name, std::uint16_t port) {
  net::ServerOptions options;
  options.name = name;
  options.address = "127.0.0.1";  // the pod's own containers, nobody else
  options.port = port;
  options.limits.body_bytes = otlp::kMaxRequestBytes;
  options.limits.connections = 64;
  options.limits.streams = 16;
  options.limits.arriving_bytes = 2 * otlp::kMaxRequestBytes;
  // Exporters of metrics come once a minute; a connection closed at that moment costs them an
  // error.
  options.limits.idle_deadline = std::chrono::minutes(10);
  options.limits.drain_deadline = std::chrono::seconds(2);
  return options;
}

otlp::BatchQueue::Options QueueOf(const config::Relay& relay) {
  return {.budget = static_cast<std::size_t>(relay.queue_bytes),
          .batch = {.request = {.items = static_cast<std::size_t>(relay.batch_items),
                                .bytes = static_cast<std::size_t>(relay.batch_bytes)},
                    .age = relay.batch_age}};
}

}  // namespace

RelayService::RelayService(const Clock& clock, const Logger& log)
    : clock_(clock),
      log_(log),
      relay_(clock, log),
      grpc_receiver_(relay_),
      http_receiver_(relay_) {}

void RelayService::Apply(const config::SidecarConfig& config) {
  const std::scoped_lock guard(mutex_);
  if (draining_) return;
  ApplyExport(config);
  ApplyListener(grpc_, config.ports.otlp_grpc, &RelayService::MakeGrpc);
  ApplyListener(http_, config.ports.otlp_http, &RelayService::MakeHttp);
  configured_ = true;
}

void RelayService::ApplyExport(const config::SidecarConfig& config) {
  // An edit of anything else keeps the exporter, so its connections live on.
  if (config.export_to != export_ || !problem_.empty()) {
    problem_.clear();
    ExportTarget target;
    if (config.export_to) {
      auto made = MakeExportTarget(*config.export_to, clock_, log_);
      if (made) {
        target = *std::move(made);
      } else {
        problem_ = made.error().message;
        log_.Error("Could not use the export of the configuration, keeps the last one",
                   {{"error", problem_}});
      }
    }
    if (problem_.empty()) {
      target_ = std::move(target);
      export_ = config.export_to;
    }
  }
  // The configuration was checked: its ratio can be read.
  const auto sampler = otlp::Sampler::ForRatio(config.sampling.sidecar.value_or("1"));
  relay_.Configure({.queue = QueueOf(config.relay.value_or(config::Relay{})),
                    .sampler = sampler.value_or(otlp::Sampler()),
                    .exporter = target_.exporter});
}

void RelayService::ApplyListener(
    Listener& listener, std::int64_t port,
    std::unique_ptr<net::Server> (RelayService::*make)(std::uint16_t)) {
  const auto wanted = static_cast<std::uint16_t>(port);
  if (listener.server != nullptr && listener.port == wanted) return;
  listener.server.reset();
  listener.port = wanted;
  auto server = (this->*make)(wanted);
  if (const Status started = server->Start(); !started) {
    listener.problem = started.error().message;
    log_.Error("Could not listen for spans", {{"error", listener.problem}});
    return;
  }
  listener.problem.clear();
  listener.server = std::move(server);
}

std::unique_ptr<net::Server> RelayService::MakeGrpc(std::uint16_t port) {
  return net::MakeHttp2Server(
      ReceiverOptions("otlp-grpc", port),
      [this](const net::Request& request) { return grpc_receiver_.Handle(request); }, log_);
}

std::unique_ptr<net::Server> RelayService::MakeHttp(std::uint16_t port) {
  return net::MakeBeastServer(
      ReceiverOptions("otlp-http", port),
      [this](const net::Request& request) { return http_receiver_.Handle(request); }, log_);
}

void RelayService::Drain(Duration patience) {
  const MonotonicTime deadline = clock_.Monotonic() + patience;
  std::unique_ptr<net::Server> grpc;
  std::unique_ptr<net::Server> http;
  {
    const std::scoped_lock guard(mutex_);
    draining_ = true;
    grpc = std::move(grpc_.server);
    http = std::move(http_.server);
  }
  if (grpc) grpc->Stop();
  if (http) http->Stop();
  relay_.Drain(std::max<Duration>(deadline - clock_.Monotonic(), Duration::zero()));
}

RelayStatus RelayService::Report() const {
  const std::scoped_lock guard(mutex_);
  RelayStatus status{.configured = configured_, .problem = problem_, .relay = relay_.Report()};
  status.listeners.push_back({"grpc", grpc_.port, grpc_.problem});
  status.listeners.push_back({"http", http_.port, http_.problem});
  if (target_.credential) status.credential = target_.credential->Report();
  return status;
}

}  // namespace tracekeeper::sidecar
