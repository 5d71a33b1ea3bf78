#include "operator/app/embedded_analyzer.h"

#include <mutex>
#include <optional>

#include "operator/controllers/continuity_feed.h"
#include "operator/controllers/otlp_endpoint_controller.h"
#include "src/analysis/analysis_server.h"

namespace tracekeeper::app {
namespace {

using controllers::ContinuityFeed;

/// The Service's endpoint, for as long as this replica leads.
class EndpointPart final : public runtime::Runnable {
 public:
  EndpointPart(const Options& options, kube::Client& client, const Surroundings& around)
      : controller_({.service = options.analyzer.service,
                     .namespace_name = options.namespace_name,
                     .pod = options.identity,
                     .address = options.analyzer.pod_ip,
                     .otlp_grpc_port = options.analyzer.otlp_grpc_port,
                     .otlp_http_port = options.analyzer.otlp_http_port,
                     .api_port = options.analyzer.api_port},
                    options.owner_cluster_role, client, around.clock, around.log),
        loop_(
            {.name = "otlp-endpoint"},
            [this](const kube::ObjectKey& key, runtime::ReconcileContext& context) {
              return controller_.Reconcile(key, context);
            },
            around.clock, around.metrics, around.log) {
    loop_.queue().Add(controller_.Key());
  }

  [[nodiscard]] std::string_view name() const override { return loop_.name(); }
  Status Start() override { return loop_.Start(); }
  void Stop() override {
    loop_.Stop();
    controller_.Leave();
  }
  [[nodiscard]] Status Check() const { return loop_.Check(); }

 private:
  controllers::OtlpEndpointController controller_;
  runtime::Controller loop_;
};

}  // namespace

struct EmbeddedAnalyzer::Parts {
  Parts(const Options& options, Caches& caches, kube::Client& client, const Surroundings& around);

  Status StartServer();
  void StopServer();
  [[nodiscard]] std::shared_ptr<analysis::AnalysisServer> server() const {
    const std::scoped_lock lock(mutex_);
    return server_;
  }

  const analysis::AnalysisServerOptions server_options;
  const Clock& clock;
  const Logger log;
  runtime::CallbackRunnable server_part;
  ContinuityFeed feed;
  runtime::Controller feed_loop;
  std::optional<EndpointPart> endpoint;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<analysis::AnalysisServer> server_;  // null before this replica leads
};

EmbeddedAnalyzer::Parts::Parts(const Options& options, Caches& caches, kube::Client& client,
                               const Surroundings& around)
    : server_options(ServerOptionsOf(options.analyzer, options.bind_address)),
      clock(around.clock),
      log(around.log),
      server_part(
          "analyzer", [this] { return StartServer(); }, [this] { StopServer(); }),
      feed(caches.policies.store(), caches.pods.store()),
      feed_loop(
          {.name = "analyzer-feed"},
          [this](const kube::ObjectKey& key, runtime::ReconcileContext& context) {
            return feed.Reconcile(key, context);
          },
          around.clock, around.metrics, around.log) {
  if (!options.analyzer.service.empty()) endpoint.emplace(options, client, around);
  ContinuityFeed::Follow(caches.policies.store(), caches.pods.store(), feed_loop.queue());
}

// Made when this replica leads, because its memory is for the one that does.
Status EmbeddedAnalyzer::Parts::StartServer() {
  auto made = std::make_shared<analysis::AnalysisServer>(server_options, continuity::PolicyRules(),
                                                         clock, log);
  TRY(made->Start());
  feed.SetTarget({.use_rules = [made](auto rules) { made->UseRules(std::move(rules)); },
                  .use_pods = [made](auto pods) { made->UsePods(std::move(pods)); }});
  feed_loop.queue().Add(ContinuityFeed::PoliciesKey());
  feed_loop.queue().Add(ContinuityFeed::PodsKey());
  const auto ports = made->ports();
  log.Info("Started the analyzer", {{"otlp_grpc_port", ports.otlp_grpc},
                                    {"otlp_http_port", ports.otlp_http},
                                    {"api_port", ports.api}});
  const std::scoped_lock lock(mutex_);
  server_ = std::move(made);
  return {};
}

void EmbeddedAnalyzer::Parts::StopServer() { server()->Drain(); }

EmbeddedAnalyzer::EmbeddedAnalyzer(const Options& options, Caches& caches, kube::Client& client,
                                   const Surroundings& around) {
  if (!options.analyzer.is_on) return;
  parts_ = std::make_unique<Parts>(options, caches, client, around);
}

EmbeddedAnalyzer::~EmbeddedAnalyzer() = default;

// The last that is started ends first: no spans come, then no rules, then it drains.
void EmbeddedAnalyzer::AddTo(runtime::Manager& manager) {
  if (!parts_) return;
  manager.Add(runtime::Phase::kLeader, parts_->server_part);
  manager.Add(runtime::Phase::kLeader, parts_->feed_loop);
  if (parts_->endpoint) manager.Add(runtime::Phase::kLeader, *parts_->endpoint);
}

void EmbeddedAnalyzer::AddTo(runtime::HealthChecks& livez) {
  if (!parts_) return;
  livez.Add("analyzer-feed", [this] { return parts_->feed_loop.Check(); });
  if (!parts_->endpoint) return;
  livez.Add("otlp-endpoint", [this] { return parts_->endpoint->Check(); });
}

void EmbeddedAnalyzer::WriteMetrics(telemetry::Exposition& text) const {
  if (!parts_) return;
  if (const auto server = parts_->server()) server->WriteMetrics(text);
}

}  // namespace tracekeeper::app
