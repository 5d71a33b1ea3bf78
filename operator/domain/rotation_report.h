#pragma once
// What a policy's status, its metrics and an Event say of one credential.
//
// Threads:  pure functions of values.
// Failure:  none.

#include <optional>
#include <string>
#include <string_view>

#include "operator/domain/rotation_failure.h"
#include "operator/domain/rotation_machine.h"
#include "src/kube/conditions.h"

namespace tracekeeper::domain {

struct CredentialReport {
  RotationPhase phase = RotationPhase::kIdle;
  std::optional<Instant> phase_began;  // of what a run saw
  std::int64_t version = 0;            // current, 0: none
  /// When the version that consumers find came into use: until the next one is activated, the
  /// previous.
  std::optional<Instant> last_rotation;
  std::optional<Instant> next_rotation;
  std::int64_t consumers = 0;
  std::int64_t stale_consumers = 0;
  /// This credential's part of the condition CredentialsRotated.
  kube::ConditionStatus rotated = kube::ConditionStatus::kUnknown;
  std::string reason;
  std::string message;
  bool is_stalled = false;   // only a person can help
  bool may_be_ready = true;  // false: the policy's Ready is False for `reason`

  bool operator==(const CredentialReport&) const = default;
};

/// `waiting_for` is what the last step waits for. A policy is never Ready on a credential that was
/// last rotated one and a half periods ago.
[[nodiscard]] CredentialReport ReportOf(const RotationJournal& journal, const RotationSpec& spec,
                                        const RotationFacts& facts, RotationWait waiting_for,
                                        Instant now);

/// The same where a run ended with `failure`, also when no journal could be read or written.
/// `message` says more than the row does, if not empty.
[[nodiscard]] CredentialReport WithFailure(CredentialReport report, const RotationFailure& failure,
                                           std::string_view message);

}  // namespace tracekeeper::domain
