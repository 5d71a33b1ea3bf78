#include "operator/controllers/tracing_policy_controller.h"

#include "operator/domain/drift.h"
#include "operator/domain/names.h"
#include "operator/domain/plan_renewal.h"
#include "src/runtime/finalizer.h"

namespace tracekeeper::controllers {
namespace {

// On policies that write into other namespaces: nothing else would clean up there.
constexpr runtime::FinalizerChange kCleanup{"tracekeeper.dev/cleanup", "tracekeeper"};

MetricLabels PolicyLabels(const kube::ObjectKey& key) {
  return {{"policy", key.name}, {"policy_namespace", key.namespace_name}};
}

constexpr std::string_view kPolicies = "tracekeeper_policies";
constexpr std::string_view kMatched = "tracekeeper_policy_matched_pods";
constexpr std::string_view kInjected = "tracekeeper_policy_injected_pods";
constexpr std::string_view kOutdated = "tracekeeper_policy_outdated_pods";
constexpr std::string_view kReasons = "tracekeeper_policy_reason_pods";

Status WithoutValue(Result<bool> result) {
  if (!result) return Fail(std::move(result.error()));
  return {};
}

bool IsPaused(const api::TracingPolicy& policy) {
  const auto found = policy.metadata.annotations.find(domain::kPausedAnnotation);
  return found != policy.metadata.annotations.end() && found->second == "true";
}

domain::PodCounts PublishedPods(const api::TracingPolicyStatus& status) {
  domain::PodCounts pods{status.matched_pods, status.injected_pods, status.outdated_pods, {}};
  for (const api::ReasonCount& count : status.reasons) {
    if (const auto reason = domain::ReasonFromName(count.reason))
      pods.reasons[*reason] = count.pods;
  }
  return pods;
}

/// Not as the policy says, and not renewed although pods are.
bool IsLeftToOwner(const ObservedPod& pod, api::RolloutStrategy strategy) {
  if (strategy == api::RolloutStrategy::kNone) return false;
  const auto workload =
      domain::RenewableWorkloadOf(pod.namespace_name(), pod.owner(), pod.Labels());
  return !workload || !domain::CanRenew(workload->kind, strategy);
}

bool WasReady(const domain::PolicyObservation& seen) {
  const kube::Condition* ready = kube::FindCondition(seen.conditions, domain::kReadyCondition);
  return ready != nullptr && ready->status == kube::ConditionStatus::kTrue &&
         ready->observed_generation == seen.generation;
}

}  // namespace

TracingPolicyController::TracingPolicyController(Parts parts, kube::Client& client,
                                                 kube::EventRecorder& events, Metrics& metrics)
    : policies_(parts.policies),
      pods_(parts.pods),
      catalog_(parts.pods.catalog()),
      config_maps_(parts.config_maps),
      coverage_(parts.coverage),
      sidecars_(parts.sidecars),
      credentials_(parts.credentials),
      client_(client),
      status_(api::kTracingPolicies, client),
      events_(events),
      metrics_(metrics),
      owners_(events) {}

Result<runtime::Requeue> TracingPolicyController::Reconcile(const kube::ObjectKey& key,
                                                            runtime::ReconcileContext& context) {
  const auto policy = policies_.Find(key);
  if (policy == nullptr) {
    Forget(key);
    return runtime::Requeue::Never();
  }
  if (policy->metadata.IsBeingDeleted()) return Finalize(*policy, context);

  domain::PolicyObservation observation;
  observation.generation = policy->metadata.generation;
  const api::TracingPolicyStatus status = status_.Newest(policy->metadata, policy->status);
  observation.observed_generation = status.observed_generation;
  observation.conditions = status.conditions;
  observation.published_pods = PublishedPods(status);
  observation.published_configuration = status.configuration;
  observation.reads_sidecars = sidecars_.reads();
  observation.sidecars = sidecars_.Find(key);
  observation.paused = IsPaused(*policy);
  for (const api::Credential& credential : policy->spec.credentials) {
    observation.credentials.names.push_back(credential.name);
  }
  observation.credentials.reports = credentials_.Find(key);
  observation.credentials.published = status.credentials;

  const auto compilation = domain::CompilePolicy(*policy, catalog_.options());
  if (compilation && compilation->policy->is_fleet() && !observation.paused) {
    // The finalizer stands before the first object in a foreign namespace does.
    const auto added = SetFinalizer(*policy, context);
    if (added && *added) return runtime::Requeue::Never();  // the watch shows it and calls again
    if (!added && added.error().kind == ErrorKind::kConflict) return runtime::Requeue::Soon();
    if (!added) observation.config_map_errors.push_back(added.error().message);
  }
  if (compilation) {
    BringIntoForce(*policy, *compilation, observation, context);
  } else {
    observation.compile_error = compilation.error().message;
    observation.pods = observation.published_pods;
  }
  return Report(*policy, observation, context);
}

void TracingPolicyController::BringIntoForce(const api::TracingPolicy& policy,
                                             const domain::PolicyCompilation& compilation,
                                             domain::PolicyObservation& observation,
                                             runtime::ReconcileContext& context) {
  const domain::CompiledPolicy& compiled = *compilation.policy;
  const std::vector<std::string> namespaces = pods_.NamespacesOf(compiled);
  observation.findings = compilation.findings;
  observation.namespaces = namespaces.size();

  const auto note = [&](const Status& status) {
    if (status) return true;
    observation.config_map_errors.push_back(status.error().message);
    return false;
  };
  if (!observation.paused) {
    std::vector<std::string> prepared;
    const bool may_write = observation.config_map_errors.empty();
    for (const std::string& name : namespaces) {
      if (may_write && note(config_maps_.Ensure(compilation, name, context.stop))) {
        prepared.push_back(name);
      }
    }
    const bool is_clean = note(config_maps_.RemoveStale(compiled, namespaces, context.stop));
    if (is_clean && !compiled.is_fleet()) note(UnsetFinalizer(policy, context));
    coverage_.SetPrepared(compiled.key, std::move(prepared));
  }
  observation.webhook_trouble = coverage_.trouble();
  // A new leader has not looked at the webhook yet: what the status says of it still stands.
  if (coverage_.is_known() || !WasReady(observation)) {
    observation.uncovered_namespaces = coverage_.Uncovered(namespaces, context.now);
  }
  CountPods(policy, compiled, namespaces, context.now, observation);
  PublishReasons(compiled.key, observation.pods);
}

void TracingPolicyController::CountPods(const api::TracingPolicy& policy,
                                        const domain::CompiledPolicy& compiled,
                                        const std::vector<std::string>& namespaces, Instant now,
                                        domain::PolicyObservation& observation) {
  const api::RolloutStrategy strategy = policy.spec.injection.rollout.strategy;
  std::set<std::string> winners;
  bool has_won = false;
  domain::PodCounts& counts = observation.pods;
  OwnerNotices::Look owners(owners_, compiled.key, now);
  const auto count = [&](const ObservedPod& pod, domain::Reason reason) {
    if (++counts.reasons[reason] == 1) observation.examples[reason] = pod.key().ToString();
  };
  pods_.ForEach(compiled, namespaces, [&](const PolicyPods::Found& found) {
    if (found.winner.key != compiled.key) {
      winners.insert(found.winner.qualified_name);
      return;
    }
    using enum domain::InjectionState;
    has_won = true;
    const domain::InjectionState state = found.drift.state;
    if (state == kEnded) return;
    if (state != kInjected) count(found.pod, found.drift.reason);
    if (state == kMissing || state == kSkipped) owners.Note(found.pod, found.drift.reason);
    if (state == kSkipped) return;
    ++counts.matched;
    if (state != kMissing) ++counts.injected;
    if (state == kInjected) return;
    ++counts.outdated;
    if (IsLeftToOwner(found.pod, strategy)) {
      count(found.pod, domain::Reason::kRenewalLeftToOwner);
    }
  });
  if (!has_won) observation.shadowed_by.assign(winners.begin(), winners.end());
}

Result<runtime::Requeue> TracingPolicyController::Report(
    const api::TracingPolicy& policy, const domain::PolicyObservation& observation,
    runtime::ReconcileContext& context) {
  const kube::ObjectKey& key = policy.metadata.key;
  const domain::StatusPlan plan = domain::PlanStatus(observation, context.now);
  PublishGauges(key, plan.pods);

  Duration wait{};
  if (plan.counts_changed && !plan.conditions_changed) {
    const auto last = status_.LastWrite(key);
    if (last) wait = *last + domain::kPodCountInterval - context.now;
  }
  if (wait > Duration::zero()) return runtime::Requeue::After(wait);
  if (plan.conditions_changed || plan.counts_changed) {
    TRY(ReportStatus(policy, plan, context));
  }
  for (const domain::PlannedEvent& event : plan.events) {
    events_.Record({.regarding = {.api_version = api::kTracingPolicies.ApiVersion(),
                                  .kind = std::string(api::kTracingPolicyKind),
                                  .key = key,
                                  .uid = policy.metadata.uid,
                                  .resource_version = policy.metadata.resource_version},
                    .type = event.warning ? kube::EventType::kWarning : kube::EventType::kNormal,
                    .reason = event.reason,
                    .action = event.action,
                    .note = event.note});
  }
  if (!observation.config_map_errors.empty()) return runtime::Requeue::Soon();
  const auto settles_in = coverage_.SettlesIn(observation.uncovered_namespaces, context.now);
  if (settles_in) return runtime::Requeue::After(*settles_in);
  return runtime::Requeue::Never();  // what is not applied yet: the webhook's controller calls
}

Result<bool> TracingPolicyController::SetFinalizer(const api::TracingPolicy& policy,
                                                   runtime::ReconcileContext& context) {
  return runtime::AddFinalizer(client_, api::kTracingPolicies, policy.metadata, kCleanup,
                               context.stop);
}

Status TracingPolicyController::UnsetFinalizer(const api::TracingPolicy& policy,
                                               runtime::ReconcileContext& context) {
  return WithoutValue(runtime::RemoveFinalizer(client_, api::kTracingPolicies, policy.metadata,
                                               kCleanup, context.stop));
}

Status TracingPolicyController::ReportStatus(const api::TracingPolicy& policy,
                                             const domain::StatusPlan& plan,
                                             runtime::ReconcileContext& context) {
  api::TracingPolicyStatus status;
  status.observed_generation = plan.observed_generation;
  status.conditions = plan.conditions;
  status.matched_pods = plan.pods.matched;
  status.injected_pods = plan.pods.injected;
  status.outdated_pods = plan.pods.outdated;
  for (const auto& [reason, pods] : plan.pods.reasons) {
    status.reasons.push_back({std::string(domain::NameOf(reason)), pods});
  }
  status.configuration = plan.configuration;
  status.credentials = plan.credentials;

  TRY(status_.Write(policy.metadata, status, api::EncodeStatus(status), context.now, context.stop));
  return {};
}

Result<runtime::Requeue> TracingPolicyController::Finalize(const api::TracingPolicy& policy,
                                                           runtime::ReconcileContext& context) {
  Forget(policy.metadata.key);
  if (!policy.metadata.HasFinalizer(kCleanup.finalizer)) return runtime::Requeue::Never();
  TRY(config_maps_.RemoveAll(policy.metadata.uid, context.stop));
  TRY(UnsetFinalizer(policy, context));
  context.log.Info("Cleaned up after policy", {{"policy", policy.metadata.key.ToString()}});
  return runtime::Requeue::Never();
}

void TracingPolicyController::PublishGauges(const kube::ObjectKey& key,
                                            const domain::PodCounts& pods) {
  const MetricLabels labels = PolicyLabels(key);
  metrics_.MakeGauge(kPolicies, "TracingPolicies in force", labels).Set(1);
  metrics_.MakeGauge(kMatched, "Pods that a policy applies to", labels)
      .Set(static_cast<double>(pods.matched));
  metrics_.MakeGauge(kInjected, "Pods that carry the sidecar of a policy", labels)
      .Set(static_cast<double>(pods.injected));
  metrics_.MakeGauge(kOutdated, "Pods without, or with an older, injection of a policy", labels)
      .Set(static_cast<double>(pods.outdated));
}

void TracingPolicyController::PublishReasons(const kube::ObjectKey& key,
                                             const domain::PodCounts& pods) {
  const auto labels_of = [&](domain::Reason reason) {
    MetricLabels labels = PolicyLabels(key);
    labels.emplace_back("reason", domain::NameOf(reason));
    return labels;
  };
  std::set<domain::Reason> now;
  for (const auto& [reason, count] : pods.reasons) {
    now.insert(reason);
    metrics_
        .MakeGauge(kReasons, "Pods of a policy that are not injected as it says, by why",
                   labels_of(reason))
        .Set(static_cast<double>(count));
  }
  const std::scoped_lock lock(mutex_);
  std::set<domain::Reason>& before = reasons_[key];
  for (const domain::Reason reason : before) {
    if (!now.contains(reason)) metrics_.Remove(kReasons, labels_of(reason));
  }
  before = std::move(now);
}

void TracingPolicyController::Forget(const kube::ObjectKey& key) {
  coverage_.Forget(key);
  owners_.Forget(key);
  PublishReasons(key, {});
  const MetricLabels labels = PolicyLabels(key);
  for (const auto name : {kPolicies, kMatched, kInjected, kOutdated}) metrics_.Remove(name, labels);
  status_.Forget(key);
  const std::scoped_lock lock(mutex_);
  reasons_.erase(key);
}

}  // namespace tracekeeper::controllers
