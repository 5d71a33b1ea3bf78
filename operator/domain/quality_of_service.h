#pragma once
// The quality-of-service class of a pod before and after the sidecar joins it: a user should know
// when injection moves a pod out of Guaranteed or BestEffort.
//
// Threads:  pure.
// Source:   Kubernetes, ComputePodQOS: cpu and memory of containers and init containers; resources
//           of the pod as a whole decide alone where they are set. Requests default to limits.

#include <cstdint>
#include <optional>
#include <string_view>

#include "operator/domain/compiled_policy.h"
#include "operator/domain/pod_view.h"

namespace tracekeeper::domain {

enum class QosClass : std::uint8_t { kBestEffort, kBurstable, kGuaranteed };

std::string_view NameOf(QosClass qos);

QosClass QosClassOf(const PodView& pod);

/// The class after a container with `added` joins a pod of class `before`.
QosClass QosClassWith(QosClass before, const PodView& pod, const SidecarResources& added);

/// "100m", "0.1", "64Mi", "1e3" as a number; nothing where it is no quantity.
std::optional<double> ParseQuantity(std::string_view text);

}  // namespace tracekeeper::domain
