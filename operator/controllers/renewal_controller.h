#pragma once
// RenewalController renews the pods of one TracingPolicy that run without, or with an older,
// injection, where the policy's injection.rollout says so: it shows domain::PlanRenewal the pods,
// their disruption budgets and the journal, writes the journal, then does what the plan says.
//
// Journal:  status.rollout of the policy, by server-side apply under "tracekeeper-rollout", written
//           before a pod is touched. Evictions carry the pod's uid, a restart's annotation is a
//           function of the journal: the next leader goes on, and what was done is not done again.
// Threads:  Reconcile on several workers at once, never twice for one policy. Retry() from any.
// Owner:    wiring; everything it is given outlives it.
// Failure:  a step that is refused (429 of a disruption budget, a right that is missing, a template
//           that does not take the annotation) is shown in the journal with the server's sentence
//           and tried again after 5 s doubling to 5 min, at once when a budget changes.
// Rights:   create pods/eviction; for Template get replicasets, patch the workloads.

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "operator/api/tracing_policy.h"
#include "operator/controllers/observed.h"
#include "operator/controllers/policy_pods.h"
#include "operator/domain/plan_renewal.h"
#include "src/base/backoff.h"
#include "src/base/metrics.h"
#include "src/kube/client.h"
#include "src/kube/events.h"
#include "src/runtime/controller.h"
#include "src/runtime/store.h"

namespace tracekeeper::controllers {

class RenewalController {
 public:
  struct Parts {
    const runtime::Store<api::TracingPolicy>& policies;
    const PolicyPods& pods;
    const runtime::Store<ObservedBudget>& budgets;
    runtime::IndexId budgets_by_namespace;
  };

  RenewalController(Parts parts, kube::Client& client, kube::EventRecorder& events,
                    Metrics& metrics);

  Result<runtime::Requeue> Reconcile(const kube::ObjectKey& key,
                                     runtime::ReconcileContext& context);

  /// A disruption budget of that namespace changed: what it refused may be allowed now. The
  /// policies that wait there.
  std::vector<kube::ObjectKey> Retry(std::string_view namespace_name);

 private:
  /// What this leader remembers of a workload.
  struct Memory {
    std::string namespace_name;
    unsigned refusals = 0;
    Instant not_before{};
    std::string refusal;
    Instant watched_since{};
    Instant unchanged_since{};
    std::size_t pods_seen = 0;  // a hash of them
    std::int64_t best = 0;      // most pods that were right and ready
    std::optional<Instant> last_progress;
    std::optional<Instant> restarted_for;
    std::set<std::string> evicted;  // uids that the cache may still show as alive
  };
  struct Journal {
    std::string uid;
    std::uint64_t version = 0;
    std::optional<api::RolloutStatus> rollout;
  };
  struct Known {
    Journal journal;
    std::map<std::string, Memory> workloads;
  };
  using Workloads = std::map<domain::RenewableWorkload, domain::RenewalWorkload>;

  [[nodiscard]] Workloads CollectPods(const domain::CompiledPolicy& policy) const;
  void AddBudgets(domain::RenewalWorkload& workload, const ObservedPod& pod) const;
  void Recall(Known& known, domain::RenewalWorkload& workload, Instant now);
  [[nodiscard]] domain::RenewalObservation Observe(const api::TracingPolicy& policy,
                                                   const domain::CompiledPolicy& compiled,
                                                   Instant now);
  Status WriteJournal(const api::TracingPolicy& policy,
                      const std::optional<api::RolloutStatus>& journal,
                      runtime::ReconcileContext& context);
  /// False: it was refused.
  bool Perform(const kube::ObjectKey& policy, const domain::RenewalAction& action,
               runtime::ReconcileContext& context);
  Status Evict(const domain::RenewalAction& action, const StopToken& stop);
  void Tell(const api::TracingPolicy& policy, const domain::RenewalPlan& plan);

  const Parts parts_;
  kube::Client& client_;
  kube::EventRecorder& events_;
  Counter& evictions_;
  Counter& restarts_;
  Counter& refusals_;

  std::mutex mutex_;
  std::unordered_map<kube::ObjectKey, Known> known_;
};

}  // namespace tracekeeper::controllers
