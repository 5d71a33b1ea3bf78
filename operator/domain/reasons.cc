#include "operator/domain/reasons.h"

#include <algorithm>
#include <array>

namespace tracekeeper::domain {
namespace {

struct Row {
  Reason reason;
  bool warning;
  std::string_view name;
  std::string_view event;
  std::string_view sentence;
  std::string_view advice;
};

constexpr std::array<Row, kReasonCount> kRows = {{
    {Reason::kInjected, false, "injected", "Injected",
     "The propagation sidecar and the tracing environment were added to the pod.", ""},
    {Reason::kAlreadyInjected, false, "already_injected", "AlreadyInjected",
     "The pod carries this policy's injection already, so nothing was added.", ""},
    {Reason::kNoPolicy, false, "no_policy", "NoPolicy", "No TracingPolicy selects the pod.",
     "Give the pod labels that a policy's selector names, or widen the selector."},
    {Reason::kSkippedOptedOut, false, "skipped_opted_out", "InjectionSkippedOptedOut",
     "The pod or its namespace opts out with tracekeeper.dev/inject set to \"false\".",
     "Remove that label or annotation to have new pods injected."},
    {Reason::kSkippedExcludedNamespace, false, "skipped_excluded_namespace",
     "InjectionSkippedExcludedNamespace",
     "System namespaces and the operator's own namespace are never injected.",
     "Run the workload in a namespace of its own."},
    {Reason::kSkippedHostNetwork, true, "skipped_host_network", "InjectionSkippedHostNetwork",
     "The pod uses the node's network, where a sidecar's ports would belong to every pod.",
     "Set hostNetwork to false, or send the pod's spans to a collector on the node."},
    {Reason::kSkippedWindows, true, "skipped_windows", "InjectionSkippedWindows",
     "The pod is for Windows nodes and the sidecar is a Linux program.",
     "Send the pod's spans to a collector outside the pod."},
    {Reason::kSkippedStaticPod, false, "skipped_static_pod", "InjectionSkippedStaticPod",
     "The pod mirrors a static pod, which its node runs without asking the API server.",
     "Run the workload by a Deployment or DaemonSet."},
    {Reason::kSkippedOlderInjection, true, "skipped_older_injection",
     "InjectionSkippedOlderInjection",
     "The pod carries an older injection, or one of another policy, and is left as it is.",
     "If its template was copied from a running pod, remove what carries the name tracekeeper; "
     "else a restart of the workload renews it."},
    {Reason::kSkippedPortConflict, true, "skipped_port_conflict", "InjectionSkippedPortConflict",
     "A container of the pod declares a port that the sidecar listens on.",
     "Use another port, or opt the pod out with the label tracekeeper.dev/inject: \"false\"."},
    {Reason::kSkippedNameConflict, true, "skipped_name_conflict", "InjectionSkippedNameConflict",
     "The pod has a container, volume or annotation with a name that injection uses.",
     "Rename it: names that begin with tracekeeper are the operator's."},
    {Reason::kSkippedJobWithoutNativeSidecar, true, "skipped_job_without_native_sidecar",
     "InjectionSkippedJobWithoutNativeSidecar",
     "The pod is to end, and without native sidecars a sidecar would keep it running.",
     "Upgrade every node to Kubernetes 1.29 or later, or do not set "
     "injection.sidecar.native to Never."},
    {Reason::kSkippedTooLarge, true, "skipped_too_large", "InjectionSkippedTooLarge",
     "With the injection the pod would pass a limit of Kubernetes or of the kernel.",
     "Shorten the value that is named: annotations may have 256 KiB in all, one variable 128 KiB."},
    {Reason::kSkippedInvalidPod, true, "skipped_invalid_pod", "InjectionSkippedInvalidPod",
     "The object is no pod that the API server would accept.",
     "Correct the manifest; the API server's own message says where."},
    {Reason::kSelfCheckRefused, true, "self_check_refused", "SelfCheckRefused",
     "The patch did not pass the operator's own check, so the pod was left as it is.",
     "This is a defect of Tracekeeper: please report it with the pod's manifest."},
    {Reason::kContainerNotFound, true, "container_not_found", "ContainerNotFound",
     "The policy names containers (injection.containers) that the pod does not have.",
     "Correct the names, or leave injection.containers out to mean all."},

    {Reason::kEnvKeptUserValue, false, "env_kept_user_value", "EnvKeptUserValue",
     "A variable that the container sets itself keeps its value.",
     "Remove the variable from the container to take the policy's value."},
    {Reason::kEnvKeptValueFrom, false, "env_kept_value_from", "EnvKeptValueFrom",
     "A variable that the container takes from elsewhere (valueFrom) is kept as it is.",
     "Remove the variable from the container to take the policy's value."},
    {Reason::kEnvFromMayDefine, true, "env_from_may_define", "EnvFromMayDefine",
     "The container has an envFrom that may define these variables, so they were not set.",
     "Give the envFrom a prefix, or set the variables that matter in the container's env."},
    {Reason::kListVariableGrown, false, "list_variable_grown", "ListVariableGrown",
     "What the policy needs was appended to a variable that holds a list.", ""},
    {Reason::kInstrumentationSkipped, true, "instrumentation_skipped", "InstrumentationSkipped",
     "A language agent could not be switched on, because the container sets its variable itself.",
     "Remove the variable, or write it with value instead of valueFrom."},
    {Reason::kQosChanged, false, "qos_changed", "QosChanged",
     "With the sidecar the pod has another quality-of-service class.",
     "Guaranteed needs requests equal to limits in injection.sidecar.resources; BestEffort becomes "
     "Burstable, which a node evicts later."},
    {Reason::kSidecarAsPlainContainer, false, "sidecar_as_plain_container",
     "SidecarAsPlainContainer",
     "The sidecar was added as a plain container: init containers run without it.",
     "Upgrade every node to Kubernetes 1.29 or later, or set injection.sidecar.native to Always."},
    {Reason::kSecurityKeptUserValue, true, "security_kept_user_value", "SecurityKeptUserValue",
     "A container's own security settings are kept and do not pass Pod Security \"restricted\".",
     "Change the setting that is named, or set podSecurityDefaults to None."},
    {Reason::kProxyNotActive, true, "proxy_not_active", "ProxyNotActive",
     "The policy asks for a propagation proxy, which this version's sidecar does not run yet.",
     "Leave egress.mode and ingress.mode at None; spans are not affected."},
    {Reason::kRedirectRefusedByPodSecurity, true, "redirect_refused_by_pod_security",
     "RedirectRefusedByPodSecurity",
     "The policy asks for Redirect, which needs a capability that this namespace forbids.",
     "Use ForwardProxy and ReverseProxy, or a namespace at Pod Security \"privileged\"."},

    {Reason::kMissingInjection, true, "missing_injection", "MissingInjection",
     "The policy selects the pod, but it was created without the injection.",
     "Restart its workload, or set injection.rollout.strategy."},
    {Reason::kOutdatedInjection, true, "outdated_injection", "OutdatedInjection",
     "The pod carries an injection that differs from what its policy says now.",
     "Restart its workload, or set injection.rollout.strategy."},
    {Reason::kRenewalLeftToOwner, false, "renewal_left_to_owner", "RenewalLeftToOwner",
     "The policy renews pods, but nobody would replace this one: it has no controller, or belongs "
     "to a Job or to a controller that does not do so.",
     "Delete it and create it again when it may be interrupted."},

    {Reason::kPolicyInvalid, true, "policy_invalid", "PolicyInvalid",
     "The policy asks for something that cannot be.", "Correct the field that is named."},
    {Reason::kPolicyShadowed, true, "policy_shadowed", "PolicyShadowed",
     "Other policies win for every pod that this policy selects.",
     "Raise its priority, or narrow the other policy's selector."},
    {Reason::kPolicyPaused, false, "policy_paused", "PolicyPaused",
     "The annotation tracekeeper.dev/paused stops all writes for this policy.",
     "Remove the annotation to go on."},
    {Reason::kNamespaceSelectorIgnored, true, "namespace_selector_ignored",
     "NamespaceSelectorIgnored",
     "namespaceSelector works in the operator's own namespace only; the policy selects pods of its "
     "own namespace.",
     "Remove namespaceSelector, or create the policy in the operator's namespace."},
    {Reason::kFleetWithoutNamespaceSelector, true, "fleet_without_namespace_selector",
     "FleetWithoutNamespaceSelector",
     "A policy in the operator's own namespace selects no pod without a namespaceSelector.",
     "Add namespaceSelector ({} for every namespace), or create the policy beside its pods."},
    {Reason::kNamespaceExcluded, true, "namespace_excluded", "NamespaceExcluded",
     "The policy is in a namespace that is never injected.",
     "Create the policy in the namespace of the application."},
    {Reason::kPropagatorUnknownToSdks, false, "propagator_unknown_to_sdks",
     "PropagatorUnknownToSdks",
     "An SDK without this propagator stops its application, so OTEL_PROPAGATORS leaves it out.",
     "An application that has it may set OTEL_PROPAGATORS itself: its own value is kept."},
    {Reason::kConfigMapNotWritten, true, "config_map_not_written", "ConfigMapNotWritten",
     "The sidecar's configuration could not be written to a namespace.",
     "The message says why; the operator tries again."},
    {Reason::kWebhookNotCovering, false, "webhook_not_covering", "WebhookNotCovering",
     "The admission webhook does not cover every namespace of the policy yet.",
     "Wait a moment; if it stays so, `tracekeeper doctor` says what is missing."},
}};

constexpr bool InOrder() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].reason) != i) return false;
  }
  return true;
}
static_assert(InOrder(), "one row for each reason, in the order of the enumeration");

constexpr const Row& RowOf(Reason reason) { return kRows[static_cast<std::size_t>(reason)]; }

}  // namespace

std::string_view NameOf(Reason reason) { return RowOf(reason).name; }
std::string_view EventReasonOf(Reason reason) { return RowOf(reason).event; }
std::string_view SentenceOf(Reason reason) { return RowOf(reason).sentence; }
std::string_view AdviceOf(Reason reason) { return RowOf(reason).advice; }
bool IsWarning(Reason reason) { return RowOf(reason).warning; }

std::optional<Reason> ReasonFromName(std::string_view name) {
  const auto row = std::ranges::find(kRows, name, &Row::name);
  if (row == kRows.end()) return std::nullopt;
  return row->reason;
}

std::string_view NameOf(Outcome outcome) {
  constexpr std::array<std::string_view, 4> kNames = {"injected", "unchanged", "skipped",
                                                      "refused"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::string Finding::ToString() const {
  std::string text(NameOf(reason));
  if (!detail.empty()) text.append(": ").append(detail);
  return text;
}

}  // namespace tracekeeper::domain
