#pragma once
// WebhookController owns the operator's MutatingWebhookConfiguration: one key, one server-side
// apply of the whole object under one field manager. It applies when the policies, the namespaces
// or the trusted authorities changed, and when somebody else touched or deleted the object. Then it
// probes until the API server has called the webhook by exactly that configuration: only then are
// namespaces covered.
//
// Threads:  Reconcile on the controller's one worker.
// Owner:    wiring.
// Failure:  without a certificate there is nothing to apply yet: the certificate controller calls.
//           The owner (the chart's ClusterRole) is read before each apply: an apply with a stale
//           uid would be garbage-collected. No such ClusterRole: applied without an owner, said in
//           the log. An API server that cannot call the webhook for kPatience is said so in the
//           policies' status, and probed on. Where somebody else's admission rule refuses the
//           probe, the apply's answer has to do. A configuration that calls another installation
//           is left alone: two operators would overwrite each other without end.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "operator/controllers/observed.h"
#include "operator/controllers/policy_catalog.h"
#include "operator/controllers/webhook_coverage.h"
#include "operator/controllers/webhook_probe.h"
#include "operator/controllers/webhook_trust.h"
#include "src/kube/client.h"
#include "src/runtime/controller.h"

namespace tracekeeper::controllers {

class WebhookController {
 public:
  struct Options {
    domain::WebhookEndpoint endpoint;  // its ca_bundle_pem comes from WebhookTrust
    std::string owner_cluster_role;    // empty: no owner
    /// Told which policies to look at again.
    std::function<void(const kube::ObjectKey&)> notify_policy;
  };

  WebhookController(Options options, kube::Client& client, const PolicyCatalog& catalog,
                    const runtime::Store<kube::ObjectMeta>& namespaces,
                    const runtime::Store<ObservedWebhook>& webhooks,
                    WebhookCoverageLedger& coverage, WebhookTrust& trust);

  /// Replicas come and go: a call that fails for less than this is not worth a transition.
  static constexpr Duration kPatience = std::chrono::seconds(5);

  /// The key of its one object, for the queue.
  static kube::ObjectKey Key();

  /// Fails, with what to do, where the configuration in the cluster is another installation's.
  [[nodiscard]] Status CheckIsOurs() const;

  Result<runtime::Requeue> Reconcile(const kube::ObjectKey& key,
                                     runtime::ReconcileContext& context);

 private:
  [[nodiscard]] domain::WebhookCoverage PlanNow() const;
  Result<std::optional<kube::OwnerReference>> ReadOwner(runtime::ReconcileContext& context);
  [[nodiscard]] bool IsApplied(const std::string& json) const;
  Result<runtime::Requeue> Confirm(const std::string& token,
                                   const domain::WebhookCoverage& coverage,
                                   runtime::ReconcileContext& context);
  Duration OnUnreachable(const std::string& detail, runtime::ReconcileContext& context);
  void Notify(const std::vector<kube::ObjectKey>& policies) const;

  const Options options_;
  kube::Client& client_;
  const PolicyCatalog& catalog_;
  const runtime::Store<kube::ObjectMeta>& namespaces_;
  const runtime::Store<ObservedWebhook>& webhooks_;
  WebhookCoverageLedger& coverage_;
  WebhookTrust& trust_;

  WebhookProbe probe_;
  bool looked_at_cluster_ = false;
  std::string applied_json_;
  std::string applied_version_;
  std::string confirmed_token_;
  unsigned probes_ = 0;  // since the last apply
  std::optional<Instant> unreachable_since_;
};

}  // namespace tracekeeper::controllers
