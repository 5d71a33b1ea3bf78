#include "operator/app/serving.h"

#include "operator/domain/webhook_probe.h"

namespace tracekeeper::app {
namespace {

// The API server closes idle connections after 90 s (Go's http.Transport). Were we first, a review
// sent at that moment would be lost, and its pod made without a sidecar: a POST is not repeated.
constexpr Duration kWebhookIdle = std::chrono::seconds(150);

net::ServerOptions ServerOptionsOf(const Options& options, std::string name, std::uint16_t port) {
  net::ServerOptions result;
  result.name = std::move(name);
  result.address = options.bind_address;
  result.port = port;
  return result;
}

net::Response Text(int status, std::string body, std::string_view type = "text/plain") {
  return {status, {{"Content-Type", std::string(type)}}, std::move(body)};
}

}  // namespace

Serving::Serving(const Options& options, Control& control, const Shown& shown,
                 const Surroundings& around)
    : control_(control), shown_(shown), webhooks_(around.clock, around.metrics, around.log) {
  for (const std::string_view path : {domain::kBestEffortPath, domain::kRequiredPath}) {
    webhooks_.Register(std::string(path), [this](const webhook::AdmissionRequest& request) {
      return control_.injector().Review(request);
    });
  }
  webhooks_.Register(std::string(domain::kProbePath), [](const webhook::AdmissionRequest&) {
    return webhook::AdmissionResponse{.patch = std::string(domain::ProbeAnswerPatch())};
  });
  AddServer(
      runtime::Phase::kHttp, ServerOptionsOf(options, "health", options.health_port),
      [this](const net::Request& request) { return ServeHealth(request); }, around.log);
  AddServer(
      runtime::Phase::kHttp, ServerOptionsOf(options, "metrics", options.metrics_port),
      [this](const net::Request& request) { return ServeMetrics(request); }, around.log);
  net::ServerOptions webhook_options = ServerOptionsOf(options, "webhook", options.webhook_port);
  webhook_options.tls = control.tls();
  webhook_options.threads = 2;
  webhook_options.limits.idle_deadline = kWebhookIdle;
  AddServer(
      runtime::Phase::kWebhook, std::move(webhook_options),
      [this](const net::Request& request) { return ServeWebhook(request); }, around.log);
}

void Serving::AddServer(runtime::Phase phase, net::ServerOptions options, net::Handler handler,
                        const Logger& log) {
  std::string name = options.name;
  auto server = net::MakeBeastServer(std::move(options), std::move(handler), log);
  net::Server* const started = server.get();
  auto runnable = std::make_unique<runtime::CallbackRunnable>(
      std::move(name), [started] { return started->Start(); }, [started] { started->Stop(); });
  parts_.push_back({phase, std::move(server), std::move(runnable)});
}

void Serving::AddTo(runtime::Manager& manager) {
  for (const Part& part : parts_) manager.Add(part.phase, *part.runnable);
}

net::Response Serving::ServeHealth(const net::Request& request) const {
  std::string target = request.target;
  constexpr std::string_view kOldName = "/healthz";  // what many probes still ask for
  if (net::PathOf(target) == kOldName) target.replace(0, kOldName.size(), "/livez");
  const runtime::HealthChecks& checks = target.starts_with("/livez") ? livez_ : readyz_;
  runtime::HealthChecks::Answer answer = checks.Serve(target);
  return Text(answer.status, std::move(answer.body));
}

net::Response Serving::ServeMetrics(const net::Request& request) const {
  if (net::PathOf(request.target) != "/metrics") return Text(404, "see /metrics\n");
  telemetry::Exposition text(telemetry::FormatFor(request.headers.Get("Accept")));
  shown_.analyzer.WriteMetrics(text);
  shown_.metrics.WriteTo(text);
  return Text(200, text.Finish(), telemetry::ContentTypeOf(text.format()));
}

net::Response Serving::ServeWebhook(const net::Request& request) {
  // No answer is better than a wrong one: failurePolicy then decides.
  if (!control_.may_answer()) return Text(503, "caches are not synced yet\n");
  return webhooks_.Handle(request);
}

}  // namespace tracekeeper::app
