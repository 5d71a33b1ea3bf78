#include "operator/controllers/workload_restart.h"

#include "operator/domain/credential_marks.h"
#include "operator/domain/names.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kManager = "tracekeeper-rollout";
constexpr std::string_view kCredentialManager = "tracekeeper-rotation";
constexpr kube::Resource kArgoRollouts{"argoproj.io", "v1alpha1", "rollouts", "Rollout"};

struct Target {
  kube::Resource resource;
  kube::ObjectKey key;
  std::string uid;
};

Result<Target> OwnerOfReplicaSet(kube::Client& client, const PodWorkload& pod,
                                 const StopToken& stop) {
  const kube::ObjectKey key{pod.workload.namespace_name, pod.owner_name};
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
Result<Target> Itself(kube::Client& client, const kube::Resource& resource, const PodWorkload& pod,
                      const StopToken& stop) {
  const kube::ObjectKey key{pod.workload.namespace_name, pod.workload.name};
  const kube::Document object = TRY(client.Get(resource, key, stop));
  return Target{resource, key, TRY(kube::DecodeMeta(object.root())).uid};
}

Result<Target> TargetOf(kube::Client& client, const PodWorkload& pod, const StopToken& stop) {
  using enum domain::WorkloadKind;
  if (pod.workload.kind == kStatefulSet) return Itself(client, kube::kStatefulSets, pod, stop);
  if (pod.workload.kind == kDaemonSet) return Itself(client, kube::kDaemonSets, pod, stop);
  return OwnerOfReplicaSet(client, pod, stop);
}

/// `resource_version` empty: whatever stands there.
std::string PatchOf(const Target& target, std::string_view resource_version,
                    std::string_view annotation, std::string_view mark) {
  codec::JsonWriter json;
  json.BeginObject()
      .Member("apiVersion", target.resource.ApiVersion())
      .Member("kind", target.resource.kind);
  json.Key("metadata").BeginObject();
  json.Member("name", target.key.name).Member("namespace", target.key.namespace_name);
  json.Member("uid", target.uid);
  if (!resource_version.empty()) json.Member("resourceVersion", resource_version);
  json.EndObject();
  json.Key("spec").BeginObject().Key("template").BeginObject().Key("metadata").BeginObject();
  json.Key("annotations").BeginObject().Member(annotation, mark).EndObject();
  json.EndObject().EndObject().EndObject().EndObject();
  return json.Take();
}

}  // namespace

Status RestartWorkload(kube::Client& client, const domain::RenewalAction& action,
                       const StopToken& stop) {
  const Target target = TRY(TargetOf(client, {action.workload, action.owner_name}, stop));
  TRY(client.Apply(target.resource, target.key,
                   PatchOf(target, "", domain::kRenewedForAnnotation, action.mark),
                   {.field_manager = std::string(kManager), .force = kube::Force::kYes}, stop));
  return {};
}

Status MarkCredential(kube::Client& client, const PodWorkload& workload,
                      std::string_view credential, std::int64_t number, const StopToken& stop) {
  const Target target = TRY(TargetOf(client, workload, stop));
  const kube::Document there = TRY(client.Get(target.resource, target.key, stop));
  const auto annotations = there["spec"]["template"]["metadata"]["annotations"];
  domain::CredentialMarks marks =
      domain::ParseCredentialMarks(annotations[domain::kCredentialsAnnotation].StringOr(""));
  std::int64_t& mark = marks[std::string(credential)];
  if (mark >= number) return {};
  mark = number;
  TRY(client.Apply(target.resource, target.key,
                   PatchOf(target, there["metadata"]["resourceVersion"].StringOr(""),
                           domain::kCredentialsAnnotation, domain::FormatCredentialMarks(marks)),
                   {.field_manager = std::string(kCredentialManager), .force = kube::Force::kYes},
                   stop));
  return {};
}

}  // namespace tracekeeper::controllers
