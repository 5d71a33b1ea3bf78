#include "operator/domain/renewable_workload.h"

#include <fmt/format.h>

#include "operator/domain/workload.h"

namespace tracekeeper::domain {
namespace {

std::optional<RenewableWorkload> OfReplicaSet(std::string_view namespace_name,
                                              std::string_view name, LabelsView labels) {
  const std::string where(namespace_name);
  if (const auto rollout = RolloutOfReplicaSet(name, labels); !rollout.empty()) {
    return RenewableWorkload{WorkloadKind::kArgoRollout, where, std::string(rollout)};
  }
  if (const auto deployment = DeploymentOfReplicaSet(name, labels); !deployment.empty()) {
    return RenewableWorkload{WorkloadKind::kDeployment, where, std::string(deployment)};
  }
  return RenewableWorkload{WorkloadKind::kReplicaSet, where, std::string(name)};
}

}  // namespace

std::string_view NameOf(WorkloadKind kind) {
  switch (kind) {
    case WorkloadKind::kDeployment:
      return "Deployment";
    case WorkloadKind::kArgoRollout:
      return "Rollout";
    case WorkloadKind::kReplicaSet:
      return "ReplicaSet";
    case WorkloadKind::kStatefulSet:
      return "StatefulSet";
    case WorkloadKind::kDaemonSet:
      return "DaemonSet";
  }
  return "Workload";
}

std::string RenewableWorkload::ToString() const {
  return fmt::format("{} {}/{}", NameOf(kind), namespace_name, name);
}

std::optional<RenewableWorkload> RenewableWorkloadOf(std::string_view namespace_name,
                                                     const PodOwner& owner, LabelsView labels) {
  if (owner.name.empty()) return std::nullopt;
  if (owner.kind == "ReplicaSet") return OfReplicaSet(namespace_name, owner.name, labels);
  for (const WorkloadKind kind : {WorkloadKind::kStatefulSet, WorkloadKind::kDaemonSet}) {
    if (owner.kind == NameOf(kind)) {
      return RenewableWorkload{kind, std::string(namespace_name), std::string(owner.name)};
    }
  }
  return std::nullopt;
}

std::string_view RevisionOf(const PodOwner& owner, LabelsView labels) {
  if (owner.kind == "ReplicaSet") return owner.name;
  return FindLabel(labels, "controller-revision-hash");
}

}  // namespace tracekeeper::domain
