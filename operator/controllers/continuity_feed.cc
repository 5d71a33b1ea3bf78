#include "operator/controllers/continuity_feed.h"

#include <utility>

namespace tracekeeper::controllers {

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
