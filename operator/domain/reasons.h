#pragma once
// Reason is the one list of why a pod was injected, left alone, or injected with a remark, and why
// a policy does not do all it says. Each reason is at once a metric label (NameOf), the reason of
// an Event (EventReasonOf), a row of `tracekeeper explain` (SentenceOf, AdviceOf) and a status
// count.
//
// Names are public API: a new reason may come, an old one never changes its name. There are at most
// kMaxReasons, so that a policy's metrics stay a bounded number of series.
//
// Threads:  constants and pure functions.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tracekeeper::domain {

enum class Reason : std::uint8_t {
  // The pod as a whole.
  kInjected,
  kAlreadyInjected,
  kNoPolicy,
  kSkippedOptedOut,
  kSkippedExcludedNamespace,
  kSkippedHostNetwork,
  kSkippedWindows,
  kSkippedStaticPod,
  kSkippedOlderInjection,
  kSkippedPortConflict,
  kSkippedNameConflict,
  kSkippedJobWithoutNativeSidecar,
  kSkippedTooLarge,
  kSkippedInvalidPod,
  kSelfCheckRefused,
  kContainerNotFound,
  // Remarks on a pod that was injected.
  kEnvKeptUserValue,
  kEnvKeptValueFrom,
  kEnvFromMayDefine,
  kListVariableGrown,
  kInstrumentationSkipped,
  kQosChanged,
  kSidecarAsPlainContainer,
  kSecurityKeptUserValue,
  kProxyNotActive,
  kRedirectRefusedByPodSecurity,
  // A running pod against its policy.
  kMissingInjection,
  kOutdatedInjection,
  kRenewalLeftToOwner,
  // The policy itself.
  kPolicyInvalid,
  kPolicyShadowed,
  kPolicyPaused,
  kNamespaceSelectorIgnored,
  kFleetWithoutNamespaceSelector,
  kNamespaceExcluded,
  kPropagatorUnknownToSdks,
  kConfigMapNotWritten,
  kWebhookNotCovering,
};

inline constexpr std::size_t kReasonCount = 38;
inline constexpr std::size_t kMaxReasons = 40;
static_assert(kReasonCount <= kMaxReasons);

/// What became of a pod, the `outcome` label: injected, unchanged, skipped, refused.
enum class Outcome : std::uint8_t { kInjected, kUnchanged, kSkipped, kRefused };

/// "env_kept_user_value": metric label and the word that users type.
std::string_view NameOf(Reason reason);
/// "EnvKeptUserValue": reason of Events and conditions.
std::string_view EventReasonOf(Reason reason);
/// One sentence that says what happened.
std::string_view SentenceOf(Reason reason);
/// One sentence that says what to do about it; empty where there is nothing to do.
std::string_view AdviceOf(Reason reason);
/// Whether a user should look at it: an Event of type Warning.
bool IsWarning(Reason reason);

std::optional<Reason> ReasonFromName(std::string_view name);

std::string_view NameOf(Outcome outcome);

/// A reason with what it is about: {kEnvKeptUserValue, "container app: OTEL_SERVICE_NAME"}.
struct Finding {
  Reason reason = Reason::kInjected;
  std::string detail;

  bool operator==(const Finding&) const = default;

  /// "env_kept_user_value: container app: OTEL_SERVICE_NAME"
  [[nodiscard]] std::string ToString() const;
};

}  // namespace tracekeeper::domain
