#pragma once
// Drift compares a running pod with the policy that selects it: is it injected as the policy says
// today, with an older injection, or not at all? Only what the pod's projection holds is needed, so
// a store of 10,000 pods can be asked without their JSON.
//
// Threads:  pure.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "operator/domain/compiled_policy.h"
#include "operator/domain/node_capability.h"
#include "operator/domain/reasons.h"
#include "src/codec/json_value.h"

namespace tracekeeper::domain {

enum class InjectionState : std::uint8_t {
  kInjected,  // as the policy says
  kOutdated,  // by another policy or another digest
  kMissing,   // selected, could be injected, is not: it slipped through
  kSkipped,   // never injected, with a reason
  kEnded,     // Succeeded, Failed or being deleted: not counted
};

/// OTLP over gRPC and HTTP, status: the sidecar's ports unless the operator was told others.
inline constexpr std::uint16_t kDefaultSidecarPorts[] = {4317, 4318, 9465};

/// What drift needs of a pod, by view of its JSON.
struct PodProjection {
  std::string_view policy;  // tracekeeper.dev/policy; empty: not injected
  std::string_view digest;
  std::optional<Reason> skip;  // why it is never injected: StaticSkipReason, or a conflict
  bool ended = false;
  bool is_to_end = false;       // of a Job, or not restarted: needs a native sidecar
  bool has_controller = false;  // somebody makes a new one when it is evicted

  bool operator==(const PodProjection&) const = default;
};

/// `sidecar_ports`: those whose declaration by a container keeps the sidecar away.
PodProjection ProjectPod(const codec::JsonValue& pod,
                         std::span<const std::uint16_t> sidecar_ports = kDefaultSidecarPorts);

struct Drift {
  InjectionState state = InjectionState::kMissing;
  Reason reason = Reason::kMissingInjection;
};

Drift DriftOf(const PodProjection& pod, const CompiledPolicy& policy, NodeCapability nodes = {});

}  // namespace tracekeeper::domain
