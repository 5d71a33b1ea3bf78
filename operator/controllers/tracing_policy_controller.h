#pragma once
// TracingPolicyController brings one TracingPolicy into force: writes the sidecar's ConfigMap into
// every namespace whose pods it selects, says so to the webhook's controller, counts pods, and
// reports what is true in the status.
//
// Threads:  Reconcile on several workers at once, never twice for one policy.
// Owner:    wiring; everything it is given outlives it.
// Failure:  a ConfigMap that cannot be written is a condition with the server's sentence and a
//           retry; pods are injected all the same, their volume is optional. A policy that does
//           not compile keeps what is in force.
// Writes:   server-side apply under the manager "tracekeeper" (ConfigMaps) and
//           "tracekeeper-status" (status); nothing when nothing changed.

#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "operator/api/tracing_policy.h"
#include "operator/controllers/config_maps.h"
#include "operator/controllers/credential_ledger.h"
#include "operator/controllers/observed.h"
#include "operator/controllers/owner_notices.h"
#include "operator/controllers/policy_catalog.h"
#include "operator/controllers/policy_pods.h"
#include "operator/controllers/sidecar_ledger.h"
#include "operator/controllers/status_writer.h"
#include "operator/controllers/webhook_coverage.h"
#include "operator/domain/plan_status.h"
#include "src/base/metrics.h"
#include "src/kube/client.h"
#include "src/kube/events.h"
#include "src/runtime/controller.h"
#include "src/runtime/store.h"

namespace tracekeeper::controllers {

class TracingPolicyController {
 public:
  struct Parts {
    const runtime::Store<api::TracingPolicy>& policies;
    const PolicyPods& pods;
    ConfigMaps& config_maps;
    WebhookCoverageLedger& coverage;
    const SidecarLedger& sidecars;
    const CredentialLedger& credentials;
  };

  TracingPolicyController(Parts parts, kube::Client& client, kube::EventRecorder& events,
                          Metrics& metrics);

  Result<runtime::Requeue> Reconcile(const kube::ObjectKey& key,
                                     runtime::ReconcileContext& context);

 private:
  Result<runtime::Requeue> Finalize(const api::TracingPolicy& policy,
                                    runtime::ReconcileContext& context);
  void BringIntoForce(const api::TracingPolicy& policy,
                      const domain::PolicyCompilation& compilation,
                      domain::PolicyObservation& observation, runtime::ReconcileContext& context);
  /// Also which owners of pods, at most a few for each reason, are to hear of it.
  void CountPods(const api::TracingPolicy& policy, const domain::CompiledPolicy& compiled,
                 const std::vector<std::string>& namespaces, Instant now,
                 domain::PolicyObservation& observation);
  /// True when it was added now.
  Result<bool> SetFinalizer(const api::TracingPolicy& policy, runtime::ReconcileContext& context);
  Status UnsetFinalizer(const api::TracingPolicy& policy, runtime::ReconcileContext& context);
  Status ReportStatus(const api::TracingPolicy& policy, const domain::StatusPlan& plan,
                      runtime::ReconcileContext& context);
  Result<runtime::Requeue> Report(const api::TracingPolicy& policy,
                                  const domain::PolicyObservation& observation,
                                  runtime::ReconcileContext& context);
  void PublishGauges(const kube::ObjectKey& key, const domain::PodCounts& pods);
  void PublishReasons(const kube::ObjectKey& key, const domain::PodCounts& pods);
  void Forget(const kube::ObjectKey& key);

  const runtime::Store<api::TracingPolicy>& policies_;
  const PolicyPods& pods_;
  const PolicyCatalog& catalog_;
  ConfigMaps& config_maps_;
  WebhookCoverageLedger& coverage_;
  const SidecarLedger& sidecars_;
  const CredentialLedger& credentials_;
  kube::Client& client_;
  StatusWriter<api::TracingPolicyStatus> status_;
  kube::EventRecorder& events_;
  Metrics& metrics_;

  std::mutex mutex_;
  // Reasons that have a gauge of their own now.
  std::unordered_map<kube::ObjectKey, std::set<domain::Reason>> reasons_;
  OwnerNotices owners_;
};

}  // namespace tracekeeper::controllers
