#pragma once
// PlanConnectionStatus turns what was seen of one VaultConnection into its status: conditions whose
// times move on transitions only, and an Event for each transition, once.
//
//   Ready        the operator is logged in, and Vault answers
//   Reconciling  it is not, and the operator goes on trying (kstatus: abnormal-true)
//   Stalled      a person must change something (kstatus: abnormal-true)
//   ClockInSync  Vault's clock and ours agree
//
// Threads:  pure; `now` is a parameter.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operator/api/vault_connection.h"
#include "operator/domain/plan_status.h"
#include "src/base/clock.h"

namespace tracekeeper::domain {

inline constexpr std::string_view kClockInSyncCondition = "ClockInSync";

/// Reasons of a connection that come from this cluster; those that come from Vault are in the
/// failure table of src/vault.
inline constexpr std::string_view kLoggedIn = "LoggedIn";
inline constexpr std::string_view kLoginMaterialMissing = "LoginMaterialMissing";
inline constexpr std::string_view kClusterUnavailable = "ClusterUnavailable";

/// Why the operator is not logged in.
struct ConnectionTrouble {
  std::string reason;   // CamelCase
  std::string message;  // what happened and what to do
  bool needs_a_person = false;
};

struct ConnectionObservation {
  std::int64_t generation = 0;
  std::string address;
  std::string vault_version;                 // empty: not known
  std::optional<ConnectionTrouble> trouble;  // unset: logged in
  /// By how much Vault's clock is ahead of ours; unset: it did not tell.
  std::optional<Duration> clock_skew;
  /// Beyond this the clocks do not agree.
  Duration tolerated_skew = std::chrono::seconds(30);
  /// The status as it is on the server.
  api::VaultConnectionStatus published;
};

struct ConnectionStatusPlan {
  api::VaultConnectionStatus status;
  bool is_changed = false;
  std::vector<PlannedEvent> events;
};

ConnectionStatusPlan PlanConnectionStatus(const ConnectionObservation& seen, Instant now);

}  // namespace tracekeeper::domain
