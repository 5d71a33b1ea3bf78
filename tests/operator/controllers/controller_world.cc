#include "tests/operator/controllers/controller_world.h"

namespace tracekeeper::controllers {
namespace {

domain::CompileOptions Options() {
  domain::CompileOptions options;
  options.operator_namespace = kOwnNamespace;
  options.sidecar_image = "sidecar:1";
  return options;
}

}  // namespace

ControllerWorld::ControllerWorld()
    : client_({}, server_, server_, nullptr, clock_, metrics_),
      policies_("policies", api::DecodeTracingPolicy, logger_),
      namespaces_("namespaces", ObservedMeta, logger_),
      nodes_("nodes", ObservedNode::From, logger_),
      pods_("pods", ObservedPodProjection(), logger_),
      budgets_("poddisruptionbudgets", ObservedBudget::From, logger_),
      config_maps_("configmaps", ObservedConfigMap::From, logger_),
      webhooks_("webhooks", ObservedWebhook::From, logger_),
      pods_by_namespace_(pods_.AddIndex([](const ObservedPod& pod) {
        return std::vector<std::string>{std::string(pod.namespace_name())};
      })),
      budgets_by_namespace_(budgets_.AddIndex([](const ObservedBudget& budget) {
        return std::vector<std::string>{budget.key.namespace_name};
      })),
      config_maps_by_policy_(config_maps_.AddIndex([](const ObservedConfigMap& config_map) {
        return std::vector<std::string>{std::string(config_map.policy_uid())};
      })),
      catalog_(Options(), "v1.34.4", policies_, nodes_) {
  server_.Serve(api::kTracingPolicies);
  server_.Serve(kPodDisruptionBudgets);
}

runtime::ReconcileContext ControllerWorld::Context() {
  return {.now = clock_.Now(),
          .stop = {},
          .deadline = MonotonicTime::max(),
          .reconcile_id = "test",
          .log = logger_};
}

void ControllerWorld::AddNamespace(std::string_view name, std::string_view labels_json) {
  server_.Put(kube::kNamespaces,
              fmt::format(R"({{"metadata":{{"name":"{}","labels":{}}}}})", name, labels_json));
  Sync(namespaces_, kube::kNamespaces);
}

void ControllerWorld::AddPod(std::string_view namespace_name, std::string_view name,
                             std::string_view extra_json, std::string_view init_containers_json) {
  server_.Put(kube::kPods, fmt::format(R"({{"metadata":{{"namespace":"{}","name":"{}",{}}},"spec":{{
                  "initContainers":{},"containers":[{{"name":"app","image":"app:1"}}]}},
                  "status":{{"phase":"Running"}}}})",
                                       namespace_name, name, extra_json, init_containers_json));
  Sync(pods_, kube::kPods);
}

void ControllerWorld::AddInjectedPod(std::string_view name, std::string_view digest) {
  AddPod("shop", name,
         fmt::format(R"("labels":{{"app":"checkout"}},"annotations":{{
             "tracekeeper.dev/policy":"shop/checkout","tracekeeper.dev/digest":"{}"}})",
                     digest),
         R"([{"name":"tracekeeper-sidecar","image":"sidecar:1","restartPolicy":"Always"}])");
}

void ControllerWorld::AddPolicy(const kube::ObjectKey& key, std::string_view spec_json,
                                std::string_view extra_metadata) {
  server_.Put(api::kTracingPolicies,
              fmt::format(R"({{"metadata":{{"namespace":"{}","name":"{}",
                  "generation":1{}}},"spec":{}}})",
                          key.namespace_name, key.name, extra_metadata, spec_json));
  SyncPolicies();
  catalog_.Rebuild();
}

void ControllerWorld::SyncPolicies() { Sync(policies_, api::kTracingPolicies); }
void ControllerWorld::SyncPods() { Sync(pods_, kube::kPods); }
void ControllerWorld::SyncBudgets() { Sync(budgets_, kPodDisruptionBudgets); }
void ControllerWorld::SyncConfigMaps() { Sync(config_maps_, kube::kConfigMaps); }
void ControllerWorld::SyncNodes() { Sync(nodes_, kube::kNodes); }
void ControllerWorld::SyncWebhooks() { Sync(webhooks_, kube::kMutatingWebhookConfigurations); }

template <typename T>
void ControllerWorld::Sync(runtime::Store<T>& store, const kube::Resource& resource) {
  store.BeginReplace();
  for (const kube::ObjectKey& key : server_.Keys(resource)) {
    codec::JsonParser parser;
    store.Upsert(*parser.Parse(*server_.Find(resource, key)));
  }
  store.EndReplace();
}

std::string ControllerWorld::LogText() const {
  std::string text;
  for (const std::string& line : lines_) text += line + "\n";
  return text;
}

std::string ControllerWorld::Stored(const kube::Resource& resource,
                                    const kube::ObjectKey& key) const {
  return server_.Find(resource, key).value_or("");
}

}  // namespace tracekeeper::controllers
