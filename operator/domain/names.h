#pragma once
// Names that injection leaves in pods: public API, listed in docs/reference. All of them start with
// "tracekeeper", so a user's own names never meet them by accident.

#include <string_view>

namespace tracekeeper::domain {

// Labels and annotations.
inline constexpr std::string_view kInjectLabel = "tracekeeper.dev/inject";  // "false": opted out
inline constexpr std::string_view kPolicyAnnotation = "tracekeeper.dev/policy";
inline constexpr std::string_view kGenerationAnnotation = "tracekeeper.dev/generation";
inline constexpr std::string_view kDigestAnnotation = "tracekeeper.dev/digest";
inline constexpr std::string_view kInjectionAnnotation = "tracekeeper.dev/injection";
// On a pod template, by strategy Template; on a pod, so that its kubelet looks at its volumes now.
inline constexpr std::string_view kRenewedForAnnotation = "tracekeeper.dev/renewed-for";
inline constexpr std::string_view kNudgedAnnotation = "tracekeeper.dev/nudged";
inline constexpr std::string_view kPausedAnnotation = "tracekeeper.dev/paused";
inline constexpr std::string_view kManagedByLabel = "app.kubernetes.io/managed-by";
inline constexpr std::string_view kManagedByValue = "tracekeeper";
inline constexpr std::string_view kPolicyNamespaceLabel = "tracekeeper.dev/policy-namespace";
inline constexpr std::string_view kPolicyUidLabel = "tracekeeper.dev/policy-uid";

// Containers and volumes.
inline constexpr std::string_view kSidecarContainer = "tracekeeper-sidecar";
inline constexpr std::string_view kAgentContainerPrefix = "tracekeeper-agent-";  // + language
inline constexpr std::string_view kConfigVolume = "tracekeeper-config";
inline constexpr std::string_view kCredentialVolume = "tracekeeper-credential";
inline constexpr std::string_view kTlsVolumePrefix = "tracekeeper-tls-";
inline constexpr std::string_view kNoTokenVolume = "tracekeeper-no-token";
inline constexpr std::string_view kAgentVolume = "tracekeeper-agent";

// Paths in containers.
inline constexpr std::string_view kConfigMountPath = "/etc/tracekeeper/config";
inline constexpr std::string_view kCredentialMountPath = "/etc/tracekeeper/credential";
inline constexpr std::string_view kTlsMountPath = "/etc/tracekeeper/tls";
inline constexpr std::string_view kAgentMountPath = "/opt/tracekeeper/agent";
inline constexpr std::string_view kServiceAccountPath =
    "/var/run/secrets/kubernetes.io/serviceaccount";

// Variables of ours, by the downward API. Others refer to them as $(NAME).
inline constexpr std::string_view kPodNameVariable = "TRACEKEEPER_POD_NAME";
inline constexpr std::string_view kPodUidVariable = "TRACEKEEPER_POD_UID";
inline constexpr std::string_view kNodeNameVariable = "TRACEKEEPER_NODE_NAME";

}  // namespace tracekeeper::domain
