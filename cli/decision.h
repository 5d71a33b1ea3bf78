#pragma once
// Decide asks the same functions as the webhook what becomes of a pod: for `inject` and `explain`.
//
// Threads:  pure.

#include <string>
#include <string_view>
#include <vector>

#include "operator/domain/mutate.h"
#include "operator/domain/policy_snapshot.h"
#include "src/codec/json_value.h"
#include "src/kube/meta.h"

namespace tracekeeper::cli {

/// The sidecar's image for policies that name none, as `make images` names it. The operator gets
/// its own by a flag.
std::string DefaultSidecarImage();

struct Surroundings {
  std::string namespace_name;
  kube::StringMap namespace_labels;
  std::string operator_namespace;
  domain::NodeCapability nodes;
};

struct Decision {
  /// The policy that won, or null. Lives as long as the snapshot.
  const domain::CompiledPolicy* policy = nullptr;
  /// Others that select the pod too and lost.
  std::vector<const domain::CompiledPolicy*> shadowed;
  domain::Mutation mutation;
};

Decision Decide(const codec::JsonValue& pod, const domain::PolicySnapshot& snapshot,
                const Surroundings& surroundings);

/// Reads "team=a,tier=web".
Result<kube::StringMap> ParseLabels(std::string_view text);

}  // namespace tracekeeper::cli
