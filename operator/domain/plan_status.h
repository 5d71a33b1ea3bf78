#pragma once
// PlanStatus turns what the controller observed of one policy into its status: conditions whose
// times move on transitions only, and an Event for each transition, once.
//
//   Ready        the webhook covers every namespace the policy selects, and each has its ConfigMap,
//                and no credential hinders
//   Reconciling  work is under way (kstatus: abnormal-true)
//   Stalled      a person must change something (kstatus: abnormal-true)
//   Injected     every pod that should be injected is, by this generation
//   CredentialsRotated    its credentials are as new as they should be (plan_credentials.h)
//   ConfigurationInSync   every running sidecar uses the policy's configuration (sidecar_sync.h)
//
// Threads:  pure; `now` is a parameter.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operator/domain/plan_credentials.h"
#include "operator/domain/reasons.h"
#include "operator/domain/sidecar_sync.h"
#include "src/base/clock.h"
#include "src/kube/conditions.h"

namespace tracekeeper::domain {

inline constexpr std::string_view kReadyCondition = "Ready";
inline constexpr std::string_view kReconcilingCondition = "Reconciling";
inline constexpr std::string_view kStalledCondition = "Stalled";
inline constexpr std::string_view kInjectedCondition = "Injected";

struct PodCounts {
  std::int64_t matched = 0;   // selected by this policy and injectable
  std::int64_t injected = 0;  // of these: by this policy, outdated ones included
  std::int64_t outdated = 0;
  /// Selected pods that are not injected as the policy says, by why; also those that nobody renews.
  std::map<Reason, std::int64_t> reasons = {};

  bool operator==(const PodCounts&) const = default;
};

struct PolicyObservation {
  std::int64_t generation = 0;
  /// Why the policy could not be compiled; empty: it could.
  std::string compile_error;
  /// From the compilation: what it says but does not get.
  std::vector<Finding> findings;
  bool paused = false;
  /// Namespaces in which the policy may select pods.
  std::size_t namespaces = 0;
  /// Of these: not in the webhook's list, or not for long enough yet.
  std::vector<std::string> uncovered_namespaces;
  /// Why the API server cannot call the webhook, in a sentence; empty: it can.
  std::string webhook_trouble;
  /// Of these: without an up-to-date ConfigMap, with the sentence that says why.
  std::vector<std::string> config_map_errors;
  /// Policies that win over this one for every namespace and pod seen: "shop/first".
  std::vector<std::string> shadowed_by;
  PodCounts pods;
  /// A pod for each reason of `pods`: "shop/web-1".
  std::map<Reason, std::string> examples = {};
  /// What the sidecars said; unset: not asked yet, and what the status says stands.
  std::optional<SidecarSync> sidecars;
  /// False: sidecars are never asked, and the status says nothing of them.
  bool reads_sidecars = true;
  CredentialsObservation credentials;
  /// The status as it is on the server.
  std::vector<kube::Condition> conditions;
  std::int64_t observed_generation = 0;
  PodCounts published_pods;
  std::optional<api::ConfigurationStatus> published_configuration;
};

struct PlannedEvent {
  bool warning = false;
  std::string reason;
  std::string action;
  std::string note;

  bool operator==(const PlannedEvent&) const = default;
};

struct StatusPlan {
  std::int64_t observed_generation = 0;
  std::vector<kube::Condition> conditions;
  PodCounts pods;
  std::optional<api::ConfigurationStatus> configuration;
  std::vector<api::CredentialStatus> credentials;
  /// Conditions or the observed generation differ from the server's: write now.
  bool conditions_changed = false;
  /// Only counts, or sentences that name counts, differ: write when kPodCountInterval has passed
  /// since the last write of counts.
  bool counts_changed = false;
  std::vector<PlannedEvent> events;
};

inline constexpr Duration kPodCountInterval = std::chrono::seconds(10);

StatusPlan PlanStatus(const PolicyObservation& observation, Instant now);

}  // namespace tracekeeper::domain
