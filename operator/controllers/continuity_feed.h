#pragma once
// ContinuityFeed tells an analyzer what the cluster's policies and pods mean for it: by which rules
// a policy's spans are judged, and which policy a pod's spans belong to.
//
// Threads:  SetTarget and Follow before the loop starts; Reconcile on its loop's one worker.
// Owner:    wiring; the stores outlive it, and the queue outlives their handlers.
// Cost:     pods: one look at each pod of the cluster a run, so runs are kept a second apart.

#include <functional>
#include <memory>

#include "operator/api/tracing_policy.h"
#include "operator/controllers/observed.h"
#include "operator/domain/continuity_rules.h"
#include "src/continuity/pod_policies.h"
#include "src/continuity/rules.h"
#include "src/runtime/controller.h"
#include "src/runtime/store.h"

namespace tracekeeper::controllers {

class ContinuityFeed {
 public:
  using Policies = runtime::Store<api::TracingPolicy>;
  using Pods = runtime::Store<ObservedPod>;

  struct Target {
    std::function<void(continuity::PolicyRules)> use_rules;
    std::function<void(std::shared_ptr<const continuity::PodPolicies>)> use_pods;
  };

  ContinuityFeed(const Policies& policies, const Pods& pods) : policies_(policies), pods_(pods) {}

  /// Its two keys, for the queue: policies changed, pods changed.
  static kube::ObjectKey PoliciesKey() { return {"", "policies"}; }
  static kube::ObjectKey PodsKey() { return {"", "pods"}; }
  /// Their spans belong to the same policy, as far as the analyzer can tell.
  static bool IsSame(const ObservedPod& one, const ObservedPod& other);

  /// Adds its keys to `queue` whenever the stores change in what an analyzer can tell.
  static void Follow(Policies& policies, Pods& pods, runtime::WorkQueue& queue);

  void SetTarget(Target target) { target_ = std::move(target); }

  Result<runtime::Requeue> Reconcile(const kube::ObjectKey& key,
                                     runtime::ReconcileContext& context);

 private:
  void TellRules(const Logger& log);
  void TellPods();

  const Policies& policies_;
  const Pods& pods_;
  Target target_;
  domain::SloByPolicy told_;
};

/// Of all policies that are not going.
domain::SloByPolicy SlosOf(const ContinuityFeed::Policies& policies);
/// Of all pods that are injected.
std::shared_ptr<const continuity::PodPolicies> PodPoliciesOf(const ContinuityFeed::Pods& pods);

}  // namespace tracekeeper::controllers
