#pragma once
// What a policy means for its sidecars: the configuration document, and the volumes that it names
// files of. Both come from one place, so that a path in the document is always one that is mounted.
//
// Threads:  pure.
// Failure:  kInvalid with the sentences of CheckSidecarConfig: the policy's CRD refuses the same.

#include <string_view>
#include <vector>

#include "operator/domain/compile_policy.h"
#include "operator/domain/sidecar_container.h"
#include "src/base/result.h"

namespace tracekeeper::api {
struct TracingPolicy;
struct TracingPolicySpec;
}  // namespace tracekeeper::api

namespace tracekeeper::domain {

Result<ConfigMapContent> SidecarDocument(const api::TracingPolicy& policy,
                                         const CompileOptions& options);

/// Volumes of configuration, credential and certificates. All are optional: what comes late or
/// never may not hold a pod back.
std::vector<SidecarVolume> SidecarVolumes(const api::TracingPolicySpec& spec,
                                          std::string_view config_map_name);

}  // namespace tracekeeper::domain
