#include "operator/controllers/continuity_feed.h"

#include <utility>

namespace tracekeeper::controllers {
namespace {

// A rebuild looks at every pod of the cluster.
constexpr Duration kPodsApart = std::chrono::seconds(1);

}  // namespace

domain::SloByPolicy SlosOf(const ContinuityFeed::Policies& policies) {
  domain::SloByPolicy slos;
  for (const auto& policy : policies.List()) {
    if (policy->metadata.IsBeingDeleted()) continue;
    slos.emplace(policy->metadata.key.ToString(), policy->spec.slo);
  }
  return slos;
}

std::shared_ptr<const continuity::PodPolicies> PodPoliciesOf(const ContinuityFeed::Pods& pods) {
  auto known = std::make_shared<continuity::PodPolicies>();
  for (const auto& pod : pods.List()) {
    const domain::PodProjection injection = pod->Injection();
    if (injection.policy.empty()) continue;
    const std::string uid = pod->UidText();
    known->Add({.uid = uid, .namespace_name = pod->namespace_name(), .name = pod->name()},
               injection.policy);
  }
  return known;
}

bool ContinuityFeed::IsSame(const ObservedPod& one, const ObservedPod& other) {
  return one.uid() == other.uid() && one.Injection().policy == other.Injection().policy;
}

void ContinuityFeed::Follow(Policies& policies, Pods& pods, runtime::WorkQueue& queue) {
  policies.AddHandler(
      [&queue](const runtime::Change<api::TracingPolicy>&) { queue.Add(PoliciesKey()); });
  pods.AddHandler([&queue](const runtime::Change<ObservedPod>& change) {
    const bool is_update = change.kind == runtime::ChangeKind::kUpdated;
    const bool is_same = is_update ? IsSame(*change.before, *change.after)
                                   : change.object().Injection().policy.empty();
    if (!is_same) queue.AddAfter(PodsKey(), kPodsApart);
  });
}

Result<runtime::Requeue> ContinuityFeed::Reconcile(const kube::ObjectKey& key,
                                                   runtime::ReconcileContext& context) {
  if (key == PoliciesKey()) {
    TellRules(context.log);
  } else {
    TellPods();
  }
  return runtime::Requeue::Never();
}

void ContinuityFeed::TellRules(const Logger& log) {
  domain::SloByPolicy slos = SlosOf(policies_);
  if (slos == told_) return;
  target_.use_rules(domain::RulesOf(slos));
  told_ = std::move(slos);
  log.Info("Gave the analyzer the rules of the policies", {{"policies", told_.size()}});
}

void ContinuityFeed::TellPods() { target_.use_pods(PodPoliciesOf(pods_)); }

}  // namespace tracekeeper::controllers
