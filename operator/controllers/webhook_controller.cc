#include "operator/controllers/webhook_controller.h"

#include "operator/controllers/role_owner.h"
#include "src/base/backoff.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kFieldManager = "tracekeeper-webhook";
// Usually the first probe is answered; an API server whose own watch broke may take a while.
constexpr Backoff kProbeBackoff{.first = std::chrono::milliseconds(10),
                                .cap = std::chrono::seconds(2)};

}  // namespace

WebhookController::WebhookController(Options options, kube::Client& client,
                                     const PolicyCatalog& catalog,
                                     const runtime::Store<kube::ObjectMeta>& namespaces,
                                     const runtime::Store<ObservedWebhook>& webhooks,
                                     WebhookCoverageLedger& coverage, WebhookTrust& trust)
    : options_(std::move(options)),
      client_(client),
      catalog_(catalog),
      namespaces_(namespaces),
      webhooks_(webhooks),
      coverage_(coverage),
      trust_(trust),
      probe_(client, options_.endpoint.service_namespace) {}

kube::ObjectKey WebhookController::Key() {
  return {"", std::string(domain::kWebhookConfigurationName)};
}

Status WebhookController::CheckIsOurs() const {
  const auto found = webhooks_.Find(Key());
  if (found == nullptr) return {};
  const auto other = domain::OtherInstallation(found->service_namespace, options_.endpoint);
  if (!other) return {};
  return Fail(ErrorKind::kTerminal, "{}", *other);
}

Result<runtime::Requeue> WebhookController::Reconcile(const kube::ObjectKey& /*key*/,
                                                      runtime::ReconcileContext& context) {
  TRY(CheckIsOurs());
  if (!looked_at_cluster_) {
    if (const auto found = webhooks_.Find(Key())) coverage_.KeepCovered(found->namespaces);
    looked_at_cluster_ = true;
  }
  domain::WebhookEndpoint endpoint = options_.endpoint;
  endpoint.ca_bundle_pem = trust_.desired();
  if (endpoint.ca_bundle_pem.empty()) return runtime::Requeue::Never();

  const domain::WebhookCoverage coverage = PlanNow();
  const auto owner = TRY(ReadOwner(context));
  const domain::WebhookConfiguration wanted =
      domain::PlanWebhookConfiguration(coverage, endpoint, owner);
  if (!IsApplied(wanted.json)) {
    const kube::Document applied = TRY(client_.Apply(
        kube::kMutatingWebhookConfigurations, Key(), wanted.json,
        {.field_manager = std::string(kFieldManager), .force = kube::Force::kYes}, context.stop));
    applied_json_ = wanted.json;
    applied_version_ = applied["metadata"]["resourceVersion"].StringOr("");
    confirmed_token_.clear();
    probes_ = 0;
    context.log.Info("Applied webhook configuration",
                     {{"best_effort_namespaces", coverage.best_effort.size()},
                      {"required_namespaces", coverage.required.size()}});
  }
  // Not held back by the probe: a certificate that expired is one reason for a probe to fail.
  trust_.SetApplied(endpoint.ca_bundle_pem, context.now);
  if (confirmed_token_ == wanted.probe_token) return runtime::Requeue::Never();
  return Confirm(wanted.probe_token, coverage, context);
}

Result<runtime::Requeue> WebhookController::Confirm(const std::string& token,
                                                    const domain::WebhookCoverage& coverage,
                                                    runtime::ReconcileContext& context) {
  const ProbeResult result = TRY(probe_.Ask(token, context.stop));
  if (result.verdict == ProbeVerdict::kNotYet) {
    return runtime::Requeue::After(kProbeBackoff.Wait(probes_++, 0));
  }
  if (result.verdict == ProbeVerdict::kUnreachable) {
    return runtime::Requeue::After(OnUnreachable(result.detail, context));
  }
  if (result.verdict == ProbeVerdict::kRefused) {
    context.log.Warn(
        "Cannot prove that the webhook is in force: the dry run of a ConfigMap is "
        "refused; it counts as in force",
        {{"reason", result.detail}});
  }
  if (unreachable_since_) context.log.Info("The API server can call the webhook again", {});
  unreachable_since_.reset();
  confirmed_token_ = token;
  Notify(coverage_.SetApplied(coverage, context.now));
  return runtime::Requeue::Never();
}

Duration WebhookController::OnUnreachable(const std::string& detail,
                                          runtime::ReconcileContext& context) {
  if (!unreachable_since_) {
    unreachable_since_ = context.now;
    context.log.Warn("The API server cannot call the webhook", {{"reason", detail}});
  }
  if (context.now - *unreachable_since_ >= kPatience) {
    Notify(coverage_.SetTrouble("The API server cannot call the webhook: " + detail));
  }
  return kProbeBackoff.Wait(probes_++, 0);
}

void WebhookController::Notify(const std::vector<kube::ObjectKey>& policies) const {
  for (const kube::ObjectKey& policy : policies) options_.notify_policy(policy);
}

domain::WebhookCoverage WebhookController::PlanNow() const {
  const auto snapshot = catalog_.snapshot();
  const auto namespaces = namespaces_.List();
  std::vector<std::vector<domain::Label>> labels;
  std::vector<domain::NamespaceView> views;
  labels.reserve(namespaces.size());
  views.reserve(namespaces.size());
  for (const auto& meta : namespaces) {
    if (meta->IsBeingDeleted()) continue;
    labels.push_back(domain::LabelsOf(meta->labels));
    views.push_back({meta->key.name, labels.back()});
  }
  return coverage_.Prepared(
      domain::PlanCoverage(*snapshot, views, catalog_.options().operator_namespace));
}

Result<std::optional<kube::OwnerReference>> WebhookController::ReadOwner(
    runtime::ReconcileContext& context) {
  if (options_.owner_cluster_role.empty()) return std::nullopt;
  auto owner = TRY(ReadRoleOwner(client_, options_.owner_cluster_role, context.stop));
  if (!owner) {
    context.log.Warn("Found no ClusterRole to own the webhook configuration",
                     {{"cluster_role", options_.owner_cluster_role}});
  }
  return owner;
}

// What we applied last is what we want now, and nobody wrote the object since.
bool WebhookController::IsApplied(const std::string& json) const {
  if (json != applied_json_) return false;
  const auto seen = webhooks_.Find(Key());
  return seen != nullptr && seen->meta.resource_version == applied_version_;
}

}  // namespace tracekeeper::controllers
