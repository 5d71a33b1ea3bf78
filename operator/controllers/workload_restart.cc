#include "operator/controllers/workload_restart.h"

#include "operator/domain/names.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kManager = "tracekeeper-rollout";
constexpr kube::Resource kArgoRollouts{"argoproj.io", "v1alpha1", "rollouts", "Rollout"};

struct Target {
  kube::Resource resource;
  kube::ObjectKey key;
  std::string uid;
};

Result<Target> OwnerOfReplicaSet(kube::Client& client, const domain::RenewalAction& action,
                                 const StopToken& stop) {
  const kube::ObjectKey key{action.workload.namespace_name, action.owner_name};
  const kube::Document replica_set = TRY(client.Get(kube::kReplicaSets, key, stop));
  const kube::ObjectMeta meta = TRY(kube::DecodeMeta(replica_set.root()));
  const kube::OwnerReference* owner = meta.Controller();
  for (const kube::Resource& resource : {kube::kDeployments, kArgoRollouts}) {
    if (owner == nullptr || owner->kind != resource.kind) continue;
    return Target{resource, {key.namespace_name, owner->name}, owner->uid};
  }
  return Fail(ErrorKind::kTerminal,
              "ReplicaSet {} belongs to no Deployment or Rollout, so its template cannot be "
              "touched: set injection.rollout.strategy to Evict",
              key.ToString());
}

// StatefulSet and DaemonSet own their pods themselves.
Result<Target> Itself(kube::Client& client, const kube::Resource& resource,
                      const domain::RenewalAction& action, const StopToken& stop) {
  const kube::ObjectKey key{action.workload.namespace_name, action.workload.name};
  const kube::Document object = TRY(client.Get(resource, key, stop));
  return Target{resource, key, TRY(kube::DecodeMeta(object.root())).uid};
}

Result<Target> TargetOf(kube::Client& client, const domain::RenewalAction& action,
                        const StopToken& stop) {
  using enum domain::WorkloadKind;
  if (action.workload.kind == kStatefulSet) {
    return Itself(client, kube::kStatefulSets, action, stop);
  }
  if (action.workload.kind == kDaemonSet) return Itself(client, kube::kDaemonSets, action, stop);
  return OwnerOfReplicaSet(client, action, stop);
}

std::string PatchOf(const Target& target, std::string_view mark) {
  codec::JsonWriter json;
  json.BeginObject()
      .Member("apiVersion", target.resource.ApiVersion())
      .Member("kind", target.resource.kind);
  json.Key("metadata").BeginObject();
  json.Member("name", target.key.name).Member("namespace", target.key.namespace_name);
  json.Member("uid", target.uid).EndObject();
  json.Key("spec").BeginObject().Key("template").BeginObject().Key("metadata").BeginObject();
  json.Key("annotations").BeginObject().Member(domain::kRenewedForAnnotation, mark).EndObject();
  json.EndObject().EndObject().EndObject().EndObject();
  return json.Take();
}

}  // namespace

Status RestartWorkload(kube::Client& client, const domain::RenewalAction& action,
                       const StopToken& stop) {
  const Target target = TRY(TargetOf(client, action, stop));
  TRY(client.Apply(target.resource, target.key, PatchOf(target, action.mark),
                   {.field_manager = std::string(kManager), .force = kube::Force::kYes}, stop));
  return {};
}

}  // namespace tracekeeper::controllers
