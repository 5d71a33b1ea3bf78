#pragma once
// PlanCredentials says in a policy's status how its credentials are: one entry each, and the
// condition CredentialsRotated of them all.
//
//   True     Rotated: every credential is as new as it should be; Rotating: one is being replaced
//   False    the reason of the first that is not (domain/rotation_failure.h), Overdue,
//            ConsumersStale, Paused
//   Unknown  Adopting: one has no version yet
//
// A credential that was not looked at yet, by a new leader, is as the status says it was.
//
// Threads:  pure functions of values.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operator/api/credential_status.h"
#include "operator/domain/rotation_report.h"
#include "src/kube/conditions.h"

namespace tracekeeper::domain {

inline constexpr std::string_view kCredentialsRotatedCondition = "CredentialsRotated";

struct CredentialsObservation {
  std::vector<std::string> names;                   // of the policy's, in its order
  std::map<std::string, CredentialReport> reports;  // of those that were looked at
  std::vector<api::CredentialStatus> published;
};

struct CredentialsPlan {
  std::vector<api::CredentialStatus> statuses;
  /// Nothing: the policy has none, or none was looked at yet.
  std::optional<kube::Condition> condition;
  /// Why the policy is not Ready, where a credential is the cause.
  struct Hindrance {
    std::string reason;
    std::string message;
    bool is_stalled = false;
  };
  std::optional<Hindrance> hindrance;
};

[[nodiscard]] CredentialsPlan PlanCredentials(const CredentialsObservation& seen,
                                              std::int64_t generation);

}  // namespace tracekeeper::domain
