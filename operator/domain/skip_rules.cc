#include "operator/domain/skip_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "operator/domain/names.h"
#include "operator/domain/workload.h"

namespace tracekeeper::domain {
namespace {

using codec::JsonValue;

constexpr std::string_view kMirrorAnnotation = "kubernetes.io/config.mirror";
constexpr std::string_view kOsLabel = "kubernetes.io/os";

bool OptsOut(LabelsView labels) { return FindLabel(labels, kInjectLabel) == "false"; }

bool IsOwnVolume(std::string_view name) {
  return name == kConfigVolume || name == kCredentialVolume || name == kNoTokenVolume ||
         name == kAgentVolume || name.starts_with(kTlsVolumePrefix);
}

}  // namespace

bool IsOwnContainer(std::string_view name) {
  return name == kSidecarContainer || name.starts_with(kAgentContainerPrefix);
}

bool IsSelected(const ContainerView& container, const InjectionPlan& injection) {
  if (IsOwnContainer(container.name)) return false;
  return injection.containers.empty() ||
         std::ranges::count(injection.containers, container.name) > 0;
}

std::optional<Finding> NeverInjected(const PodView& pod) {
  if (OptsOut(pod.labels) || OptsOut(pod.annotations)) {
    return Finding{Reason::kSkippedOptedOut, ""};
  }
  if (FindLabel(pod.annotations, kMirrorAnnotation).data() != nullptr) {
    return Finding{Reason::kSkippedStaticPod, ""};
  }
  if (pod.host_network) return Finding{Reason::kSkippedHostNetwork, ""};
  if (pod.os == "windows" || pod.node_selector[kOsLabel].StringOr("") == "windows") {
    return Finding{Reason::kSkippedWindows, ""};
  }
  return std::nullopt;
}

std::optional<Finding> NamespaceOptedOut(LabelsView namespace_labels) {
  if (!OptsOut(namespace_labels)) return std::nullopt;
  return Finding{Reason::kSkippedOptedOut, "by its namespace"};
}

bool UsesNativeSidecar(const InjectionPlan& injection, NodeCapability nodes) {
  if (injection.native == NativePreference::kAuto) return nodes.native_sidecars;
  return injection.native == NativePreference::kAlways;
}

std::optional<Finding> NameConflict(const PodView& pod, std::span<const std::string> volume_names) {
  for (const ContainerView& container : pod.containers) {
    if (IsOwnContainer(container.name)) {
      return Finding{Reason::kSkippedNameConflict, fmt::format("container {}", container.name)};
    }
  }
  for (const JsonValue volume : pod.volumes.Elements()) {
    const std::string_view name = volume["name"].StringOr("");
    if (IsOwnVolume(name) || std::ranges::count(volume_names, name) > 0) {
      return Finding{Reason::kSkippedNameConflict, fmt::format("volume {}", name)};
    }
  }
  for (const std::string_view annotation :
       {kPolicyAnnotation, kGenerationAnnotation, kDigestAnnotation}) {
    if (pod.annotations_json[annotation]) {
      return Finding{Reason::kSkippedNameConflict, fmt::format("annotation {}", annotation)};
    }
  }
  return std::nullopt;
}

std::optional<Finding> PortConflict(const PodView& pod, std::span<const std::uint16_t> ports) {
  for (const ContainerView& container : pod.containers) {
    for (const JsonValue port : container.ports.Elements()) {
      const std::int64_t number = port["containerPort"].IntegerOr(0);
      if (port["protocol"].StringOr("TCP") != "TCP") continue;
      if (std::ranges::count(ports, number) == 0) continue;
      return Finding{Reason::kSkippedPortConflict,
                     fmt::format("container {}: port {}", container.name, number)};
    }
  }
  return std::nullopt;
}

std::optional<Finding> EndsWithoutNativeSidecar(const PodView& pod) {
  const bool restarts = pod.restart_policy.empty() || pod.restart_policy == "Always";
  if (restarts && !IsOwnedByJob(pod)) return std::nullopt;
  return Finding{Reason::kSkippedJobWithoutNativeSidecar,
                 IsOwnedByJob(pod) ? std::string("owned by a Job")
                                   : fmt::format("restartPolicy {}", pod.restart_policy)};
}

std::optional<Finding> NoSelectedContainer(const PodView& pod, const InjectionPlan& injection) {
  const auto selected = [&](const ContainerView& c) { return IsSelected(c, injection); };
  if (std::ranges::any_of(pod.containers, selected)) return std::nullopt;
  return Finding{Reason::kContainerNotFound,
                 fmt::format("none of: {}", fmt::join(injection.containers, ", "))};
}

}  // namespace tracekeeper::domain
