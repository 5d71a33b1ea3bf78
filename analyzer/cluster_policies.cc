#include "analyzer/cluster_policies.h"

#include <utility>

#include "analyzer/cluster_trouble.h"
#include "operator/api/tracing_policy.h"
#include "operator/controllers/continuity_feed.h"
#include "operator/controllers/observed.h"
#include "src/base/metrics.h"
#include "src/base/version.h"
#include "src/kube/config.h"
#include "src/kube/connect.h"
#include "src/kube/resource.h"
#include "src/runtime/controller.h"
#include "src/runtime/informer.h"

namespace tracekeeper::analyzer {
namespace {

using controllers::ContinuityFeed;

// How often it is looked whether the first list is whole.
constexpr Duration kListPause = std::chrono::milliseconds(100);

}  // namespace

// In order of construction: each part uses only those above it.
struct ClusterPolicies::Parts {
  Parts(const Options& options, std::unique_ptr<kube::Connection> made, const Clock& clock,
        const Logger& log);

  [[nodiscard]] runtime::ReflectorOptions Reading(const kube::Resource& resource,
                                                  ClusterResource name, ClusterTrouble& trouble);
  Result<runtime::Requeue> Reconcile(const kube::ObjectKey& key,
                                     runtime::ReconcileContext& context);

  const std::string namespace_name;
  const std::unique_ptr<kube::Connection> connection;
  ClusterTrouble policies_trouble;
  ClusterTrouble pods_trouble;
  runtime::Informer<api::TracingPolicy> policies;
  runtime::Informer<controllers::ObservedPod> pods;
  ContinuityFeed feed;
  runtime::Controller loop;
};

ClusterPolicies::Parts::Parts(const Options& options, std::unique_ptr<kube::Connection> made,
                              const Clock& clock, const Logger& log)
    : namespace_name(options.namespace_name),
      connection(std::move(made)),
      policies_trouble(ClusterResource::kPolicies, clock, log),
      pods_trouble(ClusterResource::kPods, clock, log),
      policies(Reading(api::kTracingPolicies, ClusterResource::kPolicies, policies_trouble),
               api::DecodeTracingPolicy, connection->client(), clock, log),
      pods(Reading(kube::kPods, ClusterResource::kPods, pods_trouble),
           controllers::ObservedPodProjection(), connection->client(), clock, log),
      feed(policies.store(), pods.store()),
      loop(
          {.name = "policies"},
          [this](const kube::ObjectKey& key, runtime::ReconcileContext& context) {
            return Reconcile(key, context);
          },
          clock, NoMetrics(), log) {
  ContinuityFeed::Follow(policies.store(), pods.store(), loop.queue());
}

runtime::ReflectorOptions ClusterPolicies::Parts::Reading(const kube::Resource& resource,
                                                          ClusterResource name,
                                                          ClusterTrouble& trouble) {
  runtime::ReflectorOptions reading{.resource = resource};
  reading.selection.namespace_name = namespace_name;
  reading.on_failure = [this, name, &trouble](const Error& error) {
    const bool is_synced =
        name == ClusterResource::kPolicies ? policies.store().synced() : pods.store().synced();
    trouble.Tell(error, is_synced ? HeldBefore::kSomething : HeldBefore::kNothing);
  };
  return reading;
}

// Half of the policies are no rules to judge by: the first list must be whole.
Result<runtime::Requeue> ClusterPolicies::Parts::Reconcile(const kube::ObjectKey& key,
                                                           runtime::ReconcileContext& context) {
  const bool is_whole =
      key == ContinuityFeed::PoliciesKey() ? policies.store().synced() : pods.store().synced();
  if (!is_whole) return runtime::Requeue::After(kListPause);
  return feed.Reconcile(key, context);
}

ClusterPolicies::ClusterPolicies(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

ClusterPolicies::~ClusterPolicies() { Stop(); }

Result<std::unique_ptr<ClusterPolicies>> ClusterPolicies::Make(const Options& options,
                                                               const Clock& clock, Log& log) {
  const kube::Config config = TRY(
      kube::LoadConfig(kube::ConfigSearch::FromEnvironment(options.kubeconfig, options.context)));
  const Logger logger(log);
  auto connection = TRY(kube::Connection::Make(
      config, {.component = "tracekeeper-analyzer", .version = std::string(kVersion)},
      kube::UnaryAdapter::kBeast, clock, NoMetrics(), logger));
  logger.Info("Found cluster", {{"server", config.server}, {"origin", config.origin}});
  return std::unique_ptr<ClusterPolicies>(
      new ClusterPolicies(std::make_unique<Parts>(options, std::move(connection), clock, logger)));
}

Status ClusterPolicies::Start(analysis::AnalysisServer& analysis) {
  parts_->feed.SetTarget(
      {.use_rules = [&analysis](auto rules) { analysis.UseRules(std::move(rules)); },
       .use_pods = [&analysis](auto pods) { analysis.UsePods(std::move(pods)); }});
  is_running_ = true;
  TRY(parts_->loop.Start());
  TRY(parts_->policies.Start());
  return parts_->pods.Start();
}

// The informers last: their handlers put keys into the loop's queue.
void ClusterPolicies::Stop() {
  if (!std::exchange(is_running_, false)) return;
  parts_->loop.Stop();
  parts_->policies.Stop();
  parts_->pods.Stop();
}

}  // namespace tracekeeper::analyzer
