#pragma once
// CompiledPolicy is a TracingPolicy made ready for the admission path: everything that does not
// depend on the pod is computed once, at reconcile time, and shared by all readers.
//
// Threads:  immutable after CompilePolicy(); shared by shared_ptr<const CompiledPolicy>.
// Owner:    PolicySnapshot; a review keeps its snapshot alive while it runs.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operator/domain/label_selector.h"
#include "src/base/clock.h"
#include "src/kube/meta.h"

namespace tracekeeper::domain {

enum class InjectionMode : std::uint8_t { kBestEffort, kRequired };
enum class NativePreference : std::uint8_t { kAuto, kAlways, kNever };
enum class SecurityDefaults : std::uint8_t { kNone, kRestricted };

/// A variable that an agent needs, and how it joins a value that is there.
struct AgentVariable {
  std::string name;
  std::string value;
  std::string separator;  // empty: single-valued, a user's value is kept
};

/// One language agent, copied by an init container of its own.
struct Agent {
  std::string language;        // java, nodejs, python, dotnet
  std::string container_name;  // tracekeeper-agent-java
  std::string container_json;  // without resources and the last brace
  std::string resources_json;  // {"requests":...}
  std::vector<AgentVariable> variables;
};

/// What the sidecar asks for; a text that is empty is not written.
struct SidecarResources {
  std::string cpu_request;
  std::string cpu_limit;
  std::string memory_request;
  std::string memory_limit;

  bool operator==(const SidecarResources&) const = default;
};

/// What goes into a pod.
struct InjectionPlan {
  std::vector<std::string> containers;  // empty: all
  NativePreference native = NativePreference::kAuto;
  SecurityDefaults security = SecurityDefaults::kNone;

  std::string propagators;    // OTEL_PROPAGATORS; empty: not set
  std::string sampler_ratio;  // OTEL_TRACES_SAMPLER_ARG; empty: no sampler is set
  std::uint16_t otlp_grpc_port = 4317;
  std::uint16_t otlp_http_port = 4318;

  // The sidecar in parts: what stands before its env values that depend on the pod, the resources
  // (left out where the pod has resources as a whole, which then hold the sidecar's), and the two
  // ends (native sidecar or plain container).
  std::string sidecar_head_json;         // {"name":..., ..."env":[...
  std::string sidecar_resources_json;    // {"requests":...}
  std::string sidecar_native_tail_json;  // ,"ports":...,"restartPolicy":"Always"}
  std::string sidecar_plain_tail_json;
  SidecarResources sidecar_resources;

  std::vector<std::string> volume_names;
  std::vector<std::string> volumes_json;  // one for each name
  std::string agent_volume_json;
  std::vector<Agent> agents;
  std::vector<std::uint16_t> ports;  // that the sidecar takes in the pod's network
  bool wants_proxy = false;
  bool wants_redirect = false;
};

struct CompiledPolicy {
  kube::ObjectKey key;
  std::string uid;
  std::int64_t generation = 0;
  std::int64_t priority = 0;
  Instant created{};

  LabelSelector selector;
  /// Set: a fleet policy, for the namespaces that match. Unset: for its own namespace.
  std::optional<LabelSelector> namespaces;
  InjectionMode mode = InjectionMode::kBestEffort;

  std::string qualified_name;   // "shop/checkout": annotation and tracekeeper.policy
  std::string generation_text;  // annotation
  std::string digest;           // of `injection`: equal digests inject alike
  std::string config_map_name;  // in the pod's namespace
  InjectionPlan injection;

  [[nodiscard]] bool is_fleet() const { return namespaces.has_value(); }
};

using PolicyPointer = std::shared_ptr<const CompiledPolicy>;

/// Who wins where two policies of the same kind (local or fleet) select a pod: the higher priority,
/// then the older, then the name.
bool ComesBefore(const CompiledPolicy& a, const CompiledPolicy& b);

}  // namespace tracekeeper::domain
