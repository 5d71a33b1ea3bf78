#pragma once
// RenewableWorkload is what renews a pod: the workload that makes a new one when the pod goes. Told
// from owner reference and labels alone, as Workload is. Bare pods, pods of Jobs and of controllers
// that are not listed here have none: they are reported and never touched.
//
// Threads:  pure; values.

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "operator/domain/label_selector.h"

namespace tracekeeper::domain {

enum class WorkloadKind : std::uint8_t {
  kDeployment,
  kArgoRollout,
  kReplicaSet,  // of its own, without a Deployment
  kStatefulSet,
  kDaemonSet,
};

/// "Deployment", "Rollout" and so on: the kind as the API has it.
std::string_view NameOf(WorkloadKind kind);

struct RenewableWorkload {
  WorkloadKind kind = WorkloadKind::kDeployment;
  std::string namespace_name;
  std::string name;

  auto operator<=>(const RenewableWorkload&) const = default;

  /// "Deployment shop/web": how status, Events and logs name it.
  [[nodiscard]] std::string ToString() const;
};

/// The owner that controls a pod, by view; kind empty: it has none.
struct PodOwner {
  std::string_view kind;
  std::string_view name;
};

std::optional<RenewableWorkload> RenewableWorkloadOf(std::string_view namespace_name,
                                                     const PodOwner& owner, LabelsView labels);

/// Which revision of its workload's template made the pod: pods of one revision are alike.
std::string_view RevisionOf(const PodOwner& owner, LabelsView labels);

}  // namespace tracekeeper::domain
