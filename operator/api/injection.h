#pragma once
// Injection: what a policy adds to the pods that it selects, and how pods that run without it, or
// with an older one, are renewed.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "operator/api/rules.h"
#include "operator/api/scalars.h"
#include "src/base/clock.h"
#include "src/codec/duration.h"
#include "src/codec/fields.h"

namespace tracekeeper::api {

enum class InjectionMode { kBestEffort, kRequired };
enum class SidecarLogLevel { kInfo, kDebug, kWarn, kError };
enum class NativeSidecar { kAuto, kAlways, kNever };
enum class RolloutStrategy { kNone, kEvict, kTemplate };
enum class PodSecurityDefaults { kNone, kRestricted };

consteval auto ValuesOf(InjectionMode) {
  using codec::EnumValue;
  return std::array{
      EnumValue{InjectionMode::kBestEffort, "BestEffort",
                "a pod starts without the sidecar when the operator cannot answer"},
      EnumValue{InjectionMode::kRequired, "Required",
                "a pod is refused when the operator cannot answer"},
  };
}

consteval auto ValuesOf(SidecarLogLevel) {
  using codec::EnumValue;
  return std::array{
      EnumValue{SidecarLogLevel::kInfo, "info", ""},
      EnumValue{SidecarLogLevel::kDebug, "debug", ""},
      EnumValue{SidecarLogLevel::kWarn, "warn", ""},
      EnumValue{SidecarLogLevel::kError, "error", ""},
  };
}

consteval auto ValuesOf(NativeSidecar) {
  using codec::EnumValue;
  return std::array{
      EnumValue{NativeSidecar::kAuto, "Auto",
                "a native sidecar (an init container with restartPolicy Always) where every node "
                "can run one, else a plain container"},
      EnumValue{NativeSidecar::kAlways, "Always", "always a native sidecar"},
      EnumValue{NativeSidecar::kNever, "Never",
                "always a plain container; pods of Jobs are then skipped, since they would never "
                "end"},
  };
}

consteval auto ValuesOf(RolloutStrategy) {
  using codec::EnumValue;
  return std::array{
      EnumValue{RolloutStrategy::kNone, "None", "pods are renewed when somebody else does it"},
      EnumValue{RolloutStrategy::kEvict, "Evict",
                "pods with a controller are evicted, as their disruption budgets allow"},
      EnumValue{
          RolloutStrategy::kTemplate, "Template",
          "the workload's pod template gets an annotation, which restarts it; begun only while "
          "every disruption budget over the workload allows a disruption"},
  };
}

consteval auto ValuesOf(PodSecurityDefaults) {
  using codec::EnumValue;
  return std::array{
      EnumValue{PodSecurityDefaults::kNone, "None", "the pod's own containers stay as they are"},
      EnumValue{PodSecurityDefaults::kRestricted, "Restricted",
                "the four fields that Pod Security \"restricted\" demands are set where the pod "
                "sets nothing; a container whose image runs as root then does not start"},
  };
}

inline constexpr std::array kResourceRules = {
    codec::Rule{.expression = "self.all(k, k in ['cpu', 'memory', 'ephemeral-storage'])",
                .message =
                    "resources of the sidecar are cpu, memory and ephemeral-storage: remove the "
                    "others"},
    codec::Rule{.expression = "!('memory' in self) || type(self['memory']) != string || "
                              "!self['memory'].endsWith('m')",
                .message = "memory with the unit m is thousandths of a byte: write Mi, as in 64Mi"},
};

inline constexpr std::array kQuantityRules = {codec::Rule{
    .expression = "type(self) == int ? self >= 0 : isQuantity(self) && "
                  "quantity(self).compareTo(quantity('0')) >= 0",
    .message = "a quantity must be a number that is not negative, with an optional unit: "
               "write 100m (cpu) or 64Mi (memory)"}};

struct Resources {
  std::map<std::string, Quantity> requests;
  std::map<std::string, Quantity> limits;

  bool operator==(const Resources&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("requests", &Resources::requests,
              {.doc = "What the scheduler sets aside: cpu, memory, ephemeral-storage.",
               .max_properties = 4,
               .example = "{cpu: 10m, memory: 32Mi}",
               .rules = kResourceRules,
               .item_rules = kQuantityRules}),
        Field("limits", &Resources::limits,
              {.doc = "The most that the sidecar may use: cpu, memory, ephemeral-storage.",
               .max_properties = 4,
               .example = "{memory: 128Mi}",
               .rules = kResourceRules,
               .item_rules = kQuantityRules}),
    };
  }

  static constexpr std::array kRules = {codec::Rule{
      .expression = "!has(self.requests) || !has(self.limits) || self.requests.all(k, !(k in "
                    "self.limits) || type(self.requests[k]) != string || type(self.limits[k]) != "
                    "string || !isQuantity(self.requests[k]) || !isQuantity(self.limits[k]) || "
                    "quantity(self.requests[k]).compareTo(quantity(self.limits[k])) <= 0)",
      .message = "a request is larger than its limit: raise limits, or lower requests",
      .field_path = ".requests"}};
};

struct Sidecar {
  std::string image;  // empty: the operator's default
  std::optional<Resources> resources;
  SidecarLogLevel log_level = SidecarLogLevel::kInfo;
  NativeSidecar native = NativeSidecar::kAuto;

  bool operator==(const Sidecar&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("image", &Sidecar::image,
              {.doc = "Image of the sidecar. Default: the one that the operator was started with.",
               .max_length = 512,
               .example = "registry.example.com/tracekeeper-sidecar:0.1.0",
               .rules = kImageRules}),
        Field("resources", &Sidecar::resources,
              {.doc = "Resources of the sidecar. Default: those that the operator was started "
                      "with."}),
        Field("logLevel", &Sidecar::log_level, {.doc = "How much the sidecar logs."}),
        Field("native", &Sidecar::native, {.doc = "Which kind of container the sidecar is."}),
    };
  }
};

struct Rollout {
  RolloutStrategy strategy = RolloutStrategy::kNone;
  std::int64_t max_concurrent = 1;
  Duration min_interval = std::chrono::seconds(30);

  bool operator==(const Rollout&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("strategy", &Rollout::strategy,
              {.doc = "How pods that run without, or with an older, injection are renewed."}),
        Field("maxConcurrent", &Rollout::max_concurrent,
              {.doc = "How many workloads of this policy may be renewed at one time. One that is "
                      "stuck no longer counts.",
               .minimum = 1,
               .maximum = 100}),
        Field("minInterval", &Rollout::min_interval,
              {.doc = "The least time between the starts of two renewals.",
               .example = "30s",
               .rules = kIntervalRules}),
    };
  }
};

/// An agent that an init container copies into the pod.
struct Agent {
  std::string image;

  bool operator==(const Agent&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("image", &Agent::image,
              {.doc = "Image that holds the agent.",
               .required = true,
               .max_length = 512,
               .rules = kImageRules}),
    };
  }
};

struct Instrumentation {
  std::optional<Agent> java;
  std::optional<Agent> nodejs;
  std::optional<Agent> python;
  std::optional<Agent> dotnet;

  bool operator==(const Instrumentation&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("java", &Instrumentation::java, {.doc = "OpenTelemetry agent for Java."}),
        Field("nodejs", &Instrumentation::nodejs, {.doc = "OpenTelemetry agent for Node.js."}),
        Field("python", &Instrumentation::python, {.doc = "OpenTelemetry agent for Python."}),
        Field("dotnet", &Instrumentation::dotnet, {.doc = "OpenTelemetry agent for .NET."}),
    };
  }
};

inline constexpr std::array kContainersRules = {
    codec::Rule{.expression = "self.size() > 0",
                .message = "containers is empty, which would choose none: remove it to choose all "
                           "containers"}};

inline constexpr std::array kContainerNameRules = {codec::Rule{
    .expression = "self.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')",
    .message_expression =
        "'container name \"' + self + '\" must be at most 63 lower-case letters, digits "
        "and -, as it stands in the pod: write app'"}};

struct Injection {
  InjectionMode mode = InjectionMode::kBestEffort;
  std::vector<std::string> containers;  // empty: all
  Sidecar sidecar;
  Rollout rollout;
  PodSecurityDefaults pod_security_defaults = PodSecurityDefaults::kNone;
  Instrumentation instrumentation;

  bool operator==(const Injection&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("mode", &Injection::mode,
              {.doc = "What happens to a new pod when the operator cannot answer."}),
        Field("containers", &Injection::containers,
              {.doc = "Names of the containers that get the environment of propagation. Default: "
                      "all. A name that a pod does not have is reported as a reason.",
               .max_items = 64,
               .item_max_length = 253,
               .list_type = codec::ListType::kSet,
               .example = "[app]",
               .rules = kContainersRules,
               .item_rules = kContainerNameRules}),
        Field("sidecar", &Injection::sidecar, {.doc = "The propagation sidecar."}),
        Field("rollout", &Injection::rollout,
              {.doc = "How running pods get a changed injection. What the sidecar reads live "
                      "(propagation, sampling, export) needs no renewal."}),
        Field("podSecurityDefaults", &Injection::pod_security_defaults,
              {.doc = "Whether the pod's own containers get security defaults too. The sidecar "
                      "always has them."}),
        Field("instrumentation", &Injection::instrumentation,
              {.doc = "OpenTelemetry agents that are copied into the pod by an init container."}),
    };
  }
};

}  // namespace tracekeeper::api
