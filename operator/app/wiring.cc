#include "operator/app/wiring.h"

#include <cstdlib>

#include "operator/app/control.h"
#include "operator/app/embedded_analyzer.h"
#include "operator/app/replicas.h"
#include "operator/app/rotation_control.h"
#include "operator/app/serving.h"
#include "operator/app/vault_control.h"
#include "src/base/version.h"
#include "src/kube/connect.h"
#include "src/kube/discovery.h"
#include "src/runtime/leader_elector.h"
#include "src/runtime/manager.h"
#include "src/telemetry/process_metrics.h"
#include "src/telemetry/prometheus_metrics.h"

namespace tracekeeper::app {
namespace {

constexpr std::string_view kLease = "tracekeeper-operator";

// What every part stands on.
struct Foundation {
  explicit Foundation(LogLevel level) : log(level), process(metrics) {
    metrics.BeforeText([this] { process.Refresh(); });
  }

  [[nodiscard]] Surroundings surroundings() { return {clock, metrics, logger}; }

  Log log;
  Logger logger{log};
  SystemClock clock;
  telemetry::PrometheusMetrics metrics;
  telemetry::ProcessMetrics process;
};

// One connection for each kind of traffic, so that none can starve another.
struct Cluster {
  std::unique_ptr<kube::Connection> everyday;
  std::unique_ptr<kube::Connection> secrets;  // calls whose bodies hold private keys
  std::unique_ptr<kube::Connection> lease;    // short deadlines: a call that hangs must not cost it
  std::string version;
  controllers::WebhookNames webhook_names;
};

Result<controllers::WebhookNames> WebhookNamesOf(const Options& options) {
  if (!options.webhook_url.empty()) return controllers::NamesOfUrl(options.webhook_url);
  return controllers::NamesOfService(options.webhook_service, options.namespace_name);
}

Result<Cluster> Connect(const Options& options, Foundation& foundation) {
  Cluster cluster;
  cluster.webhook_names = TRY(WebhookNamesOf(options));
  const kube::Config config = TRY(
      kube::LoadConfig(kube::ConfigSearch::FromEnvironment(options.kubeconfig, options.context)));
  foundation.logger.Info("Found cluster", {{"server", config.server}, {"origin", config.origin}});

  const auto connect = [&](kube::UnaryAdapter adapter, Duration deadline) {
    return kube::Connection::Make(config,
                                  {.component = "tracekeeper-operator",
                                   .version = std::string(kVersion),
                                   .deadline = deadline},
                                  adapter, foundation.clock, foundation.metrics, foundation.logger);
  };
  const Duration usual = kube::Client::Options().deadline;
  cluster.everyday = TRY(connect(kube::UnaryAdapter::kCpprest, usual));
  cluster.secrets = TRY(connect(kube::UnaryAdapter::kBeast, usual));
  cluster.lease = TRY(connect(kube::UnaryAdapter::kBeast, runtime::CallDeadline({})));
  return cluster;
}

}  // namespace

// In order of construction: each part uses only those above it, and is destroyed before them.
struct Wiring::Parts {
  Parts(const Options& options, std::unique_ptr<Foundation> made_foundation, Cluster made_cluster);

  const std::unique_ptr<Foundation> foundation;
  const Cluster cluster;
  Control control;
  VaultControl vault;
  RotationControl rotation;
  EmbeddedAnalyzer analyzer;
  Serving serving;
  Replicas replicas;
  runtime::LeaderElector elector;
  runtime::Manager manager;
};

Wiring::Parts::Parts(const Options& options, std::unique_ptr<Foundation> made_foundation,
                     Cluster made_cluster)
    : foundation(std::move(made_foundation)),
      cluster(std::move(made_cluster)),
      control(options, cluster.version, cluster.webhook_names,
              {cluster.everyday->client(), cluster.secrets->client()}, foundation->surroundings()),
      vault(options, {cluster.everyday->client(), cluster.secrets->client()}, control.events(),
            foundation->surroundings()),
      rotation(options, {cluster.everyday->client(), cluster.secrets->client()}, control, vault,
               foundation->surroundings()),
      analyzer(options, control.caches(), cluster.everyday->client(), foundation->surroundings()),
      serving(options, control, {foundation->metrics, analyzer}, foundation->surroundings()),
      replicas(options, cluster.everyday->client(), foundation->surroundings()),
      elector(
          {.lease = {options.namespace_name, std::string(kLease)}, .identity = options.identity},
          cluster.lease->client(), foundation->clock, foundation->metrics, foundation->logger),
      manager({.on_grace_exceeded =
                   [this](std::string_view part) {
                     foundation->logger.Error("Gave up waiting for a part to stop",
                                              {{"part", part}});
                     std::_Exit(1);
                   }},
              foundation->clock, foundation->logger) {
  control.AddTo(serving.readyz(), serving.livez());
  serving.AddTo(manager);
  control.AddTo(manager);
  vault.AddTo(manager);
  vault.AddTo(serving.readyz(), serving.livez());
  rotation.AddTo(manager);
  rotation.AddTo(serving.livez());
  foundation->metrics.BeforeText([this] { rotation.RefreshMetrics(); });
  replicas.AddTo(manager);
  analyzer.AddTo(manager);
  analyzer.AddTo(serving.livez());
  if (!options.leader_election) return;
  serving.livez().Add("leader-election", [this] { return elector.Check(); });
  manager.UseLeaderElection(elector);
}

Wiring::Wiring(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Wiring::~Wiring() = default;

Result<std::unique_ptr<Wiring>> Wiring::Make(const Options& given, const StopToken& stop) {
  Options options = given;
  if (options.identity.empty()) options.identity = runtime::MakeIdentity();
  auto foundation = std::make_unique<Foundation>(options.log_level);
  const Logger& log = foundation->logger;
  log.Info("Started tracekeeper-operator",
           {{"version", kVersion}, {"commit", kCommit}, {"identity", options.identity}});

  Cluster cluster = TRY(Connect(options, *foundation));
  cluster.version = TRY(kube::GetServerVersion(cluster.everyday->client(), stop)).git_version;
  log.Info("Reached API server", {{"version", cluster.version}});
  return std::unique_ptr<Wiring>(
      new Wiring(std::make_unique<Parts>(options, std::move(foundation), std::move(cluster))));
}

Status Wiring::Run(const StopToken& stop) { return parts_->manager.Run(stop); }

}  // namespace tracekeeper::app
