#pragma once
// WebhookController owns the operator's MutatingWebhookConfiguration: one key, one server-side
// apply of the whole object under one field manager. It applies when the policies, the namespaces
// or the trusted authorities changed, and when somebody else touched or deleted the object.
//
// Threads:  Reconcile on the controller's one worker.
// Owner:    wiring.
// Failure:  without a certificate there is nothing to apply yet: the certificate controller calls.
//           The owner (the chart's ClusterRole) is read before each apply: an apply with a stale
//           uid would be garbage-collected. No such ClusterRole: applied without an owner, said in
//           the log.

#include <functional>
#include <string>
#include <vector>

#include "operator/controllers/observed.h"
#include "operator/controllers/policy_catalog.h"
#include "operator/controllers/webhook_coverage.h"
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

  /// The key of its one object, for the queue.
  static kube::ObjectKey Key();

  Result<runtime::Requeue> Reconcile(const kube::ObjectKey& key,
                                     runtime::ReconcileContext& context);

 private:
  [[nodiscard]] domain::WebhookCoverage PlanNow() const;
  Result<std::optional<kube::OwnerReference>> ReadOwner(runtime::ReconcileContext& context);
  [[nodiscard]] bool IsInForce(const std::string& json) const;

  const Options options_;
  kube::Client& client_;
  const PolicyCatalog& catalog_;
  const runtime::Store<kube::ObjectMeta>& namespaces_;
  const runtime::Store<ObservedWebhook>& webhooks_;
  WebhookCoverageLedger& coverage_;
  WebhookTrust& trust_;

  bool looked_at_cluster_ = false;
  std::string applied_json_;
  std::string applied_version_;
};

}  // namespace tracekeeper::controllers
