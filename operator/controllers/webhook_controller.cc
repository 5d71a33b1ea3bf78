#include "operator/controllers/webhook_controller.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kFieldManager = "tracekeeper-webhook";

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
      trust_(trust) {}

kube::ObjectKey WebhookController::Key() {
  return {"", std::string(domain::kWebhookConfigurationName)};
}

Result<runtime::Requeue> WebhookController::Reconcile(const kube::ObjectKey& /*key*/,
                                                      runtime::ReconcileContext& context) {
  if (!looked_at_cluster_) {
    if (const auto found = webhooks_.Find(Key())) coverage_.KeepCovered(found->namespaces);
    looked_at_cluster_ = true;
  }
  domain::WebhookEndpoint endpoint = options_.endpoint;
  endpoint.ca_bundle_pem = trust_.desired();
  if (endpoint.ca_bundle_pem.empty()) return runtime::Requeue::Never();

  const domain::WebhookCoverage coverage = PlanNow();
  const auto owner = TRY(ReadOwner(context));
  const std::string json = domain::WebhookConfigurationJson(coverage, endpoint, owner);
  if (!IsInForce(json)) {
    const kube::Document applied = TRY(client_.Apply(
        kube::kMutatingWebhookConfigurations, Key(), json,
        {.field_manager = std::string(kFieldManager), .force = kube::Force::kYes}, context.stop));
    applied_json_ = json;
    applied_version_ = applied["metadata"]["resourceVersion"].StringOr("");
    context.log.Info("Applied webhook configuration",
                     {{"best_effort_namespaces", coverage.best_effort.size()},
                      {"required_namespaces", coverage.required.size()}});
  }
  trust_.SetApplied(endpoint.ca_bundle_pem, context.now);
  for (const kube::ObjectKey& policy : coverage_.SetApplied(coverage, context.now)) {
    options_.notify_policy(policy);
  }
  return runtime::Requeue::Never();
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
  const kube::ObjectKey key{"", options_.owner_cluster_role};
  const auto role = client_.Get(kube::kClusterRoles, key, context.stop);
  if (!role && role.error().kind == ErrorKind::kNotFound) {
    context.log.Warn("Found no ClusterRole to own the webhook configuration",
                     {{"cluster_role", options_.owner_cluster_role}});
    return std::nullopt;
  }
  if (!role) return Fail(role.error());
  return kube::OwnerReference{.api_version = kube::kClusterRoles.ApiVersion(),
                              .kind = std::string(kube::kClusterRoles.kind),
                              .name = options_.owner_cluster_role,
                              .uid = std::string((*role)["metadata"]["uid"].StringOr(""))};
}

// What we applied last is what we want now, and nobody wrote the object since.
bool WebhookController::IsInForce(const std::string& json) const {
  if (json != applied_json_) return false;
  const auto seen = webhooks_.Find(Key());
  return seen != nullptr && seen->meta.resource_version == applied_version_;
}

}  // namespace tracekeeper::controllers
