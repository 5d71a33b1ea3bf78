#pragma once
// Skip rules: why a pod is left as it is although a policy selects it. One function a question, in
// the order in which Mutate asks them; each answers with what it found.
//
// Threads:  pure.

#include <optional>
#include <span>
#include <string>

#include "operator/domain/compiled_policy.h"
#include "operator/domain/label_selector.h"
#include "operator/domain/node_capability.h"
#include "operator/domain/pod_view.h"
#include "operator/domain/reasons.h"

namespace tracekeeper::domain {

/// Opted out (pod or namespace), host network, Windows, static: true of the pod whatever its
/// policy.
std::optional<Finding> NeverInjected(const PodView& pod);
std::optional<Finding> NamespaceOptedOut(LabelsView namespace_labels);

/// A container, volume or annotation of ours that no record explains. `volume_names`: beyond those
/// that every policy uses.
std::optional<Finding> NameConflict(const PodView& pod, std::span<const std::string> volume_names);

/// A declared container port that the sidecar listens on.
std::optional<Finding> PortConflict(const PodView& pod, std::span<const std::uint16_t> ports);

/// The pod is to end, and a plain sidecar would keep it.
std::optional<Finding> EndsWithoutNativeSidecar(const PodView& pod);

/// None of the containers that the policy names is in the pod.
std::optional<Finding> NoSelectedContainer(const PodView& pod, const InjectionPlan& injection);

/// Whether the policy means that container: it names it or names none, and it is not ours.
bool IsSelected(const ContainerView& container, const InjectionPlan& injection);
/// Native sidecar or plain container: what the policy prefers, as the nodes allow.
bool UsesNativeSidecar(const InjectionPlan& injection, NodeCapability nodes);
/// The sidecar, or an init container that copies an agent.
bool IsOwnContainer(std::string_view name);

}  // namespace tracekeeper::domain
