#pragma once
// Security defaults for a pod's own containers (podSecurityDefaults: Restricted): the four fields
// that Pod Security "restricted" demands, each set at the container where neither it nor the pod
// says anything. Fields of the pod are left alone: they would reach into containers that chose
// otherwise.
//
// Not set: runAsNonRoot where the user is explicitly 0, anything on a privileged container (the API
// server refuses the combination). Such choices are the author's; a finding names them.
//
// Threads:  pure.

#include <string>
#include <vector>

#include "operator/domain/injection_record.h"
#include "operator/domain/pod_view.h"

namespace tracekeeper::domain {

/// One field to add; `path` is below the container: "securityContext/runAsNonRoot".
struct SecurityField {
  std::string path;
  std::string json;
};

struct SecurityPlan {
  std::vector<SecurityField> fields;
  std::vector<Origin> was;
  /// The author's settings that "restricted" refuses: "privileged", "capabilities.drop".
  std::vector<std::string> kept;
};

SecurityPlan PlanSecurityDefaults(const PodView& pod, const ContainerView& container);

/// The securityContext of containers of ours: all four fields, a read-only root, a numeric user.
std::string OwnSecurityContextJson(std::int64_t user);

}  // namespace tracekeeper::domain
