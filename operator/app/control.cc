#include "operator/app/control.h"

#include "src/runtime/predicate.h"

namespace tracekeeper::app {
namespace {

constexpr std::string_view kTlsSecret = "tracekeeper-webhook-tls";
// Pods come and go in bursts; counting waits for the burst to end.
constexpr Duration kPodBatch = std::chrono::seconds(1);
const kube::ObjectKey kCatalogKey{"", "catalog"};

domain::CompileOptions CompileOptionsOf(const Options& options) {
  domain::CompileOptions result;
  result.operator_namespace = options.namespace_name;
  result.sidecar_image = options.sidecar_image;
  return result;
}

controllers::WebhookController::Options WebhookOptionsOf(
    const Options& options, std::function<void(const kube::ObjectKey&)> notify_policy) {
  return {.endpoint = {.url = options.webhook_url,
                       .service_namespace = options.namespace_name,
                       .service_name = options.webhook_service},
          .owner_cluster_role = options.owner_cluster_role,
          .notify_policy = std::move(notify_policy)};
}

controllers::RightsCheck::Options RightsOptionsOf(const Options& options) {
  controllers::RightsCheck::Options result{.namespace_name = options.namespace_name,
                                           .cluster_role = options.owner_cluster_role};
  result.secret_namespaces = options.secret_namespaces;
  result.period = options.rights_check_period;
  if (options.nudge_pods) result.values.insert("liveConfiguration.nudge");
  return result;
}

kube::EventRecorder::Options EventOptionsOf(const Options& options) {
  return {.reporting_controller = "tracekeeper.dev/operator",
          .reporting_instance = options.identity,
          .default_namespace = options.namespace_name};
}

}  // namespace

template <typename Target>
runtime::Controller Control::MakeLoop(std::string_view name, unsigned workers, Target& target,
                                      const Surroundings& surroundings) {
  return runtime::Controller(
      {.name = std::string(name), .workers = workers},
      [&target](const kube::ObjectKey& key, runtime::ReconcileContext& context) {
        return target.Reconcile(key, context);
      },
      surroundings.clock, surroundings.metrics, surroundings.log);
}

Control::Control(const Options& options, const std::string& server_version,
                 const controllers::WebhookNames& names, ControlClients clients,
                 const Surroundings& around)
    : tls_secret_{options.namespace_name, std::string(kTlsSecret)},
      caches_(tls_secret_, clients.everyday, around.clock, around.log),
      events_(EventOptionsOf(options), clients.everyday, around.clock, around.metrics, around.log),
      events_part_(
          "events", [this] { return events_.Start(), Status(); }, [this] { events_.Stop(); }),
      rights_check_(RightsOptionsOf(options), clients.everyday, around.clock, around.metrics,
                    around.log),
      catalog_(CompileOptionsOf(options), server_version, caches_.policies.store(),
               caches_.nodes.store()),
      policy_pods_(caches_.namespaces.store(), caches_.pods.store(), caches_.pods_by_namespace,
                   catalog_),
      sidecar_ledger_(options.read_sidecars),
      tls_(std::make_shared<crypto::ServerTlsSource>()),
      config_maps_(clients.everyday, caches_.config_maps.store(), caches_.config_maps_by_policy),
      injection_metrics_(around.metrics),
      injector_(catalog_, caches_.namespaces.store(), injection_metrics_, around.log),
      certificate_loader_(tls_secret_, clients.secrets, *tls_),
      certificate_({.secret = tls_secret_,
                    .names = names,
                    .policy = domain::CertificatePolicy::ForLifetime(options.certificate_lifetime)},
                   clients.secrets, trust_),
      webhook_(
          WebhookOptionsOf(
              options, [this](const kube::ObjectKey& policy) { policy_loop_.queue().Add(policy); }),
          clients.everyday, catalog_, caches_.namespaces.store(), caches_.webhooks.store(),
          coverage_, trust_),
      only_installation_(
          "only-installation", [this] { return webhook_.CheckIsOurs(); }, [] {}),
      policies_({.policies = caches_.policies.store(),
                 .pods = policy_pods_,
                 .config_maps = config_maps_,
                 .coverage = coverage_,
                 .sidecars = sidecar_ledger_,
                 .credentials = credential_ledger_},
                clients.everyday, events_, around.metrics),
      renewal_({.policies = caches_.policies.store(),
                .pods = policy_pods_,
                .budgets = caches_.budgets.store(),
                .budgets_by_namespace = caches_.budgets_by_namespace},
               clients.everyday, events_, around.metrics),
      sidecar_reader_(catalog_.options().status_port),
      sidecars_({.policies = caches_.policies.store(),
                 .pods = policy_pods_,
                 .config_maps = caches_.config_maps.store(),
                 .ledger = sidecar_ledger_,
                 .reader = sidecar_reader_},
                options.nudge_pods ? controllers::Nudge::kYes : controllers::Nudge::kNo,
                clients.everyday),
      catalog_loop_(
          {.name = "policy-catalog"}, [this](const auto&, const auto&) { return RebuildCatalog(); },
          around.clock, around.metrics, around.log),
      loader_loop_(MakeLoop("certificate-loader", 1, certificate_loader_, around)),
      certificate_loop_(MakeLoop("certificate", 1, certificate_, around)),
      webhook_loop_(MakeLoop("webhook-configuration", 1, webhook_, around)),
      policy_loop_(MakeLoop("tracingpolicy", options.workers, policies_, around)),
      renewal_loop_(MakeLoop("renewal", options.workers, renewal_, around)),
      sidecar_loop_(MakeLoop("sidecar", 1, sidecars_, around)) {
  ConnectCaches();
  ConnectPods();
  ConnectRenewal();
  ConnectLedgers();
}

Result<runtime::Requeue> Control::RebuildCatalog() {
  catalog_.Rebuild();
  EnqueueWebhook();
  EnqueuePolicies();
  return runtime::Requeue::Never();
}

void Control::ConnectCaches() {
  using runtime::Change;
  const auto rebuild = [this] { catalog_loop_.queue().Add(kCatalogKey); };
  rebuild();  // without any policy too: the webhook answers only once the catalog is built

  auto& policies = caches_.policies.store();
  policies.AddHandler(runtime::EnqueueKey<api::TracingPolicy>(policy_loop_.queue()));
  policies.AddHandler(runtime::Filtered<api::TracingPolicy>(
      runtime::GenerationChanged<api::TracingPolicy>(),
      [rebuild](const Change<api::TracingPolicy>&) { rebuild(); }));

  caches_.nodes.store().AddHandler([rebuild](const Change<controllers::ObservedNode>& change) {
    const bool same = change.kind == runtime::ChangeKind::kUpdated &&
                      change.before->kubelet_version == change.after->kubelet_version;
    if (!same) rebuild();
  });
  caches_.namespaces.store().AddHandler(runtime::Filtered<kube::ObjectMeta>(
      runtime::LabelsChanged<kube::ObjectMeta>(), [this](const Change<kube::ObjectMeta>&) {
        EnqueueWebhook();
        EnqueuePolicies();
      }));
  caches_.webhooks.store().AddHandler(
      [this](const Change<controllers::ObservedWebhook>&) { EnqueueWebhook(); });

  caches_.tls_secret.store().AddHandler([this](const Change<kube::ObjectMeta>&) {
    loader_loop_.queue().Add(tls_secret_);
    certificate_loop_.queue().Add(tls_secret_);
  });
  certificate_loop_.queue().Add(tls_secret_);  // missing at first, so nothing would call
}

void Control::ConnectPods() {
  using runtime::Change;
  caches_.pods.store().AddHandler([this](const Change<controllers::ObservedPod>& change) {
    const bool same =
        change.kind == runtime::ChangeKind::kUpdated && change.before->CountsAs(*change.after);
    if (!same) EnqueuePoliciesOf(change.object(), policy_loop_.queue());
  });
  caches_.config_maps.store().AddHandler(
      [this](const Change<controllers::ObservedConfigMap>& change) {
        const auto snapshot = catalog_.snapshot();
        for (const domain::PolicyPointer& policy : snapshot->All()) {
          if (policy->uid != change.object().policy_uid()) continue;
          policy_loop_.queue().Add(policy->key);
          sidecar_loop_.queue().Add(policy->key);
        }
      });
}

void Control::ConnectRenewal() {
  using runtime::Change;
  caches_.policies.store().AddHandler(
      runtime::EnqueueKey<api::TracingPolicy>(renewal_loop_.queue()));
  caches_.pods.store().AddHandler([this](const Change<controllers::ObservedPod>& change) {
    const bool same =
        change.kind == runtime::ChangeKind::kUpdated && change.before->RenewsAs(*change.after);
    if (same) return;
    EnqueuePoliciesOf(change.object(), renewal_loop_.queue());
    EnqueuePoliciesOf(change.object(), sidecar_loop_.queue());
  });
  caches_.budgets.store().AddHandler([this](const Change<controllers::ObservedBudget>& change) {
    for (const auto& policy : renewal_.Retry(change.object().key.namespace_name)) {
      renewal_loop_.queue().AddAfter(policy, kPodBatch);
    }
  });
}

void Control::ConnectLedgers() {
  sidecar_ledger_.OnChanged(
      [this](const kube::ObjectKey& policy) { policy_loop_.queue().Add(policy); });
  credential_ledger_.OnChanged(
      [this](const kube::ObjectKey& policy) { policy_loop_.queue().Add(policy); });
  coverage_.OnPrepared([this] { EnqueueWebhook(); });
  trust_.OnDesired([this] { EnqueueWebhook(); });
  trust_.OnApplied([this] { certificate_loop_.queue().Add(tls_secret_); });
}

void Control::EnqueueWebhook() { webhook_loop_.queue().Add(controllers::WebhookController::Key()); }

void Control::EnqueuePolicies() {
  for (const auto& policy : caches_.policies.store().List()) {
    policy_loop_.queue().Add(policy->metadata.key);
    renewal_loop_.queue().Add(policy->metadata.key);
    sidecar_loop_.queue().Add(policy->metadata.key);
  }
}

void Control::EnqueuePoliciesOf(const controllers::ObservedPod& pod, runtime::WorkQueue& queue) {
  const auto snapshot = catalog_.snapshot();
  for (const auto& concerned : {snapshot->Local(pod.namespace_name()), snapshot->Fleet()}) {
    for (const domain::PolicyPointer& policy : concerned) {
      queue.AddAfter(policy->key, kPodBatch);
    }
  }
}

void Control::AddTo(runtime::Manager& manager) {
  manager.Add(runtime::Phase::kHttp, rights_check_);  // caches may wait for a right
  caches_.AddTo(manager);
  manager.Add(runtime::Phase::kAlways, events_part_);
  manager.Add(runtime::Phase::kAlways, catalog_loop_);
  manager.Add(runtime::Phase::kAlways, loader_loop_);
  manager.Add(runtime::Phase::kLeader, only_installation_);
  manager.Add(runtime::Phase::kLeader, certificate_loop_);
  manager.Add(runtime::Phase::kLeader, webhook_loop_);
  manager.Add(runtime::Phase::kLeader, policy_loop_);
  manager.Add(runtime::Phase::kLeader, renewal_loop_);
  if (sidecar_ledger_.reads()) manager.Add(runtime::Phase::kLeader, sidecar_loop_);
}

void Control::AddTo(runtime::HealthChecks& readyz, runtime::HealthChecks& livez) {
  caches_.AddTo(readyz);
  readyz.Add("policy-catalog", [this]() -> Status {
    if (catalog_.is_built()) return {};
    return Fail(ErrorKind::kUnavailable, "policies are not compiled yet");
  });
  readyz.Add("webhook-certificate", [this]() -> Status {
    if (tls_->Certificate() != nullptr) return {};
    return Fail(ErrorKind::kUnavailable, "no certificate is loaded yet: the leader makes it");
  });
  for (const runtime::Controller* loop :
       {&catalog_loop_, &loader_loop_, &certificate_loop_, &webhook_loop_, &policy_loop_,
        &renewal_loop_, &sidecar_loop_}) {
    livez.Add(std::string(loop->name()), [loop] { return loop->Check(); });
  }
}

}  // namespace tracekeeper::app
