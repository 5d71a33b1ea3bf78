#include "operator/app/rotation_control.h"

#include <vector>

#include "operator/app/jitter.h"
#include "operator/controllers/rotation_controller.h"
#include "operator/domain/names.h"
#include "operator/domain/plan_status.h"
#include "src/runtime/informer.h"

namespace tracekeeper::app {
namespace {

using runtime::Change;
using runtime::ChangeKind;

/// After an outage of Vault all credentials come back within so long, and not at once.
constexpr Duration kRecoverWithin = std::chrono::seconds(5);
/// Credentials wait for Vault and the API server more than they work.
constexpr unsigned kWorkers = 4;

/// Metadata alone: values are read by name, when they are needed.
runtime::ReflectorOptions OurSecrets(const std::string& namespace_name) {
  runtime::ReflectorOptions options{.resource = kube::kSecrets};
  options.selection.projection = kube::Projection::kMetadataOnly;
  options.selection.namespace_name = namespace_name;
  options.selection.label_selector = domain::kCredentialLabel;
  return options;
}

bool IsReady(const api::VaultConnection& connection) {
  const kube::Condition* ready =
      kube::FindCondition(connection.status.conditions, domain::kReadyCondition);
  return ready != nullptr && ready->status == kube::ConditionStatus::kTrue;
}

bool BecameReady(const Change<api::VaultConnection>& change) {
  if (change.kind == ChangeKind::kDeleted || !IsReady(*change.after)) return false;
  return change.kind == ChangeKind::kAdded || !IsReady(*change.before);
}

std::string Label(const kube::ObjectMeta& meta, std::string_view name) {
  const auto found = meta.labels.find(name);
  return found == meta.labels.end() ? std::string() : found->second;
}

}  // namespace

struct RotationControl::Parts {
  using Secrets = runtime::Informer<kube::ObjectMeta>;

  Parts(const Options& options, ControlClients clients, Control& control, VaultControl& vault,
        const Surroundings& around)
      : policies(control.caches().policies.store()),
        time(around.clock),
        consumers({.pods = control.policy_pods(),
                   .reader = control.sidecar_reader(),
                   .client = clients.everyday}),
        audit(control.events(), around.log),
        metrics(around.clock, around.metrics),
        controller({.policies = policies,
                    .connections = vault.connections(),
                    .time = time,
                    .ledger = control.credential_ledger(),
                    .metrics = metrics,
                    .ports = {.secrets = clients.secrets,
                              .config_maps = clients.everyday,
                              .time = time,
                              .consumers = consumers,
                              .audit = audit},
                    .actor = options.identity,
                    .random = [this] { return jitter(); }}),
        loop(
            {.name = "rotation", .workers = kWorkers},
            [this](const kube::ObjectKey& key, runtime::ReconcileContext& context) {
              return controller.Reconcile(key, context);
            },
            around.clock, around.metrics, around.log) {
    policies.AddHandler([this](const Change<api::TracingPolicy>& change) { OnPolicy(change); });
    vault.objects().AddHandler([this](const Change<api::VaultConnection>& change) {
      if (BecameReady(change)) OnVaultBack();
    });
    for (const std::string& namespace_name : options.secret_namespaces) {
      secrets.push_back(std::make_unique<Secrets>(OurSecrets(namespace_name),
                                                  controllers::ObservedMeta, clients.everyday,
                                                  around.clock, around.log));
      secrets.back()->store().AddHandler(
          [this](const Change<kube::ObjectMeta>& change) { OnSecret(change); });
    }
  }

  void OnPolicy(const Change<api::TracingPolicy>& change) {
    if (change.kind != ChangeKind::kDeleted) controller.Note(*change.after);
    const bool is_status_alone =
        change.kind == ChangeKind::kUpdated &&
        change.before->metadata.generation == change.after->metadata.generation &&
        change.before->metadata.annotations == change.after->metadata.annotations &&
        change.before->metadata.uid == change.after->metadata.uid;
    if (is_status_alone) return;
    // Also those that the policy no longer names.
    if (change.before != nullptr) Enqueue(*change.before);
    if (change.after != nullptr) Enqueue(*change.after);
  }

  void Enqueue(const api::TracingPolicy& policy) {
    for (const api::Credential& credential : policy.spec.credentials) {
      loop.queue().Add(
          controllers::RotationController::KeyOf(policy.metadata.key, credential.name));
    }
  }

  void OnVaultBack() {
    for (const auto& policy : policies.List()) {
      for (const api::Credential& credential : policy->spec.credentials) {
        loop.queue().AddAfter(
            controllers::RotationController::KeyOf(policy->metadata.key, credential.name),
            std::chrono::duration_cast<Duration>(kRecoverWithin * jitter()));
      }
    }
  }

  void OnSecret(const Change<kube::ObjectMeta>& change) {
    const kube::ObjectMeta& meta = change.object();
    const kube::OwnerReference* owner = meta.Controller();
    if (owner == nullptr || owner->kind != api::kTracingPolicyKind) return;
    const kube::ObjectKey policy{meta.key.namespace_name, owner->name};
    const std::string credential = Label(meta, domain::kCredentialLabel);
    if (!meta.annotations.contains(domain::kSequenceAnnotation)) return;  // the journal's
    const auto key = controllers::RotationController::KeyOf(policy, credential);
    const bool is_gone = change.kind == ChangeKind::kDeleted;
    if (controller.NoteTarget(key, is_gone ? std::string_view() : meta.resource_version)) {
      loop.queue().Add(key);
    }
  }

  runtime::Store<api::TracingPolicy>& policies;
  Jitter jitter;
  controllers::TrustedClock time;
  controllers::CredentialConsumers consumers;
  controllers::RotationAudit audit;
  controllers::RotationMetrics metrics;
  controllers::RotationController controller;
  std::vector<std::unique_ptr<Secrets>> secrets;
  runtime::Controller loop;
};

RotationControl::RotationControl(const Options& options, ControlClients clients, Control& control,
                                 VaultControl& vault, const Surroundings& around)
    : parts_(std::make_unique<Parts>(options, clients, control, vault, around)) {}

RotationControl::~RotationControl() = default;

void RotationControl::AddTo(runtime::Manager& manager) {
  for (const auto& secrets : parts_->secrets) manager.Add(runtime::Phase::kLeader, *secrets);
  manager.Add(runtime::Phase::kLeader, parts_->loop);
}

void RotationControl::AddTo(runtime::HealthChecks& livez) {
  livez.Add(std::string(parts_->loop.name()), [this] { return parts_->loop.Check(); });
}

void RotationControl::RefreshMetrics() { parts_->metrics.Refresh(); }

}  // namespace tracekeeper::app
