#include "operator/app/caches.h"

#include "operator/domain/names.h"
#include "operator/domain/plan_webhook.h"

namespace tracekeeper::app {
namespace {

runtime::ReflectorOptions Metadata(const kube::Resource& resource) {
  runtime::ReflectorOptions options{.resource = resource};
  options.selection.projection = kube::Projection::kMetadataOnly;
  return options;
}

runtime::ReflectorOptions Named(runtime::ReflectorOptions options, const kube::ObjectKey& key) {
  options.selection.namespace_name = key.namespace_name;
  options.selection.field_selector = "metadata.name=" + key.name;
  return options;
}

runtime::ReflectorOptions OurConfigMaps() {
  runtime::ReflectorOptions options{.resource = kube::kConfigMaps};
  options.selection.label_selector = fmt::format("{}={},{}", domain::kManagedByLabel,
                                                 domain::kManagedByValue, domain::kPolicyUidLabel);
  return options;
}

}  // namespace

Caches::Caches(const kube::ObjectKey& tls_secret_key, kube::Client& client, const Clock& clock,
               const Logger& log)
    : policies({.resource = api::kTracingPolicies}, api::DecodeTracingPolicy, client, clock, log),
      namespaces(Metadata(kube::kNamespaces), controllers::ObservedMeta, client, clock, log),
      nodes({.resource = kube::kNodes}, controllers::ObservedNode::From, client, clock, log),
      pods({.resource = kube::kPods}, controllers::ObservedPodProjection(), client, clock, log),
      budgets({.resource = controllers::kPodDisruptionBudgets}, controllers::ObservedBudget::From,
              client, clock, log),
      config_maps(OurConfigMaps(), controllers::ObservedConfigMap::From, client, clock, log),
      webhooks(Named({.resource = kube::kMutatingWebhookConfigurations},
                     {"", std::string(domain::kWebhookConfigurationName)}),
               controllers::ObservedWebhook::From, client, clock, log),
      tls_secret(Named(Metadata(kube::kSecrets), tls_secret_key), controllers::ObservedMeta, client,
                 clock, log),
      pods_by_namespace(pods.store().AddIndex([](const controllers::ObservedPod& pod) {
        return std::vector<std::string>{std::string(pod.namespace_name())};
      })),
      budgets_by_namespace(budgets.store().AddIndex([](const controllers::ObservedBudget& budget) {
        return std::vector<std::string>{budget.key.namespace_name};
      })),
      config_maps_by_policy(
          config_maps.store().AddIndex([](const controllers::ObservedConfigMap& config_map) {
            return std::vector<std::string>{std::string(config_map.policy_uid())};
          })) {}

void Caches::AddTo(runtime::Manager& manager) {
  const auto add = [&manager](auto&... informers) {
    (manager.Add(runtime::Phase::kCache, informers), ...);
  };
  add(policies, namespaces, nodes, pods, budgets, config_maps, webhooks, tls_secret);
}

void Caches::AddTo(runtime::HealthChecks& readyz) {
  const auto add = [&readyz](auto&... informers) {
    (readyz.Add(std::string(informers.name()), [&informers] { return informers.Check(); }), ...);
  };
  add(policies, namespaces, nodes, pods, budgets, config_maps, webhooks, tls_secret);
}

}  // namespace tracekeeper::app
