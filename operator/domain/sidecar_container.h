#pragma once
// The containers and volumes that injection adds, as JSON text made once for each policy: the
// sidecar, the agents' init containers, and the volumes that they mount.
//
// Every container of ours satisfies Pod Security "restricted" by itself, has requests and limits (a
// ResourceQuota may demand them), and mounts an empty volume where the API server would otherwise
// mount the application's token.
//
// Threads:  pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "operator/domain/compile_policy.h"
#include "operator/domain/compiled_policy.h"

namespace tracekeeper::domain {

/// A volume that the sidecar reads from, and where it mounts it.
struct SidecarVolume {
  std::string name;
  std::string source_json;  // "configMap":{...}
  std::string mount_path;
};

struct SidecarShape {
  std::string image;
  std::string resources_json;  // {"requests":{...},"limits":{...}}
  std::vector<SidecarVolume> volumes;
  /// Traffic passes the sidecar: the pod is ready when it is.
  bool takes_ingress = false;
};

/// Fills the sidecar's texts and volumes into `plan`.
void WriteSidecar(const SidecarShape& shape, const CompileOptions& options, InjectionPlan& plan);

/// The agent of `language` ("java", "nodejs", "python", "dotnet"), copied out of `image`.
Agent MakeAgent(std::string_view language, std::string_view image, const CompileOptions& options);

/// The volume that agents are copied into.
std::string AgentVolumeJson();

}  // namespace tracekeeper::domain
