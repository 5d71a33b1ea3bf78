#pragma once
// NodeCapability is what injection must know of the nodes: whether a container that is to stay
// beside a pod can be a native sidecar (an init container with restartPolicy Always).
//
// Threads:  values and pure functions.
// Source:   Kubernetes: SidecarContainers is on by default since 1.29, in API server and kubelet.
//           The API server drops the field when it is older, an older kubelet would wait for the
//           sidecar to end, so one old node is enough to say no.

#include <span>
#include <string_view>

namespace tracekeeper::domain {

struct NodeCapability {
  bool native_sidecars = true;

  bool operator==(const NodeCapability&) const = default;
};

/// Of a cluster: the API server's version ("v1.34.4", also "1.30+" forms) and every node's
/// status.nodeInfo.kubeletVersion. A version that cannot be read counts as old; no nodes counts as
/// nodes of the API server's version.
NodeCapability CapabilityOf(std::string_view server_version,
                            std::span<const std::string_view> kubelet_versions);

}  // namespace tracekeeper::domain
