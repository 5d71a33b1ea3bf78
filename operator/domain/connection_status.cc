#include "operator/domain/connection_status.h"

#include <fmt/format.h>

#include <utility>

namespace tracekeeper::domain {
namespace {

using kube::Condition;
using kube::ConditionStatus;

Condition Make(std::string_view type, ConditionStatus status, std::string_view reason,
               std::string message) {
  Condition condition;
  condition.type = type;
  condition.status = status;
  condition.reason = reason;
  condition.message = std::move(message);
  return condition;
}

Condition Ready(const ConnectionObservation& seen) {
  if (seen.trouble) {
    return Make(kReadyCondition, ConditionStatus::kFalse, seen.trouble->reason,
                seen.trouble->message);
  }
  const std::string version = seen.vault_version.empty() ? "" : " " + seen.vault_version;
  return Make(kReadyCondition, ConditionStatus::kTrue, kLoggedIn,
              fmt::format("Logged in to Vault{} at {}.", version, seen.address));
}

Condition Reconciling(const ConnectionObservation& seen) {
  if (seen.trouble && !seen.trouble->needs_a_person) {
    return Make(kReconcilingCondition, ConditionStatus::kTrue, "Progressing",
                "The operator tries again by itself.");
  }
  return Make(kReconcilingCondition, ConditionStatus::kFalse, "Settled", "Nothing is under way.");
}

Condition Stalled(const ConnectionObservation& seen) {
  if (seen.trouble && seen.trouble->needs_a_person) {
    return Make(kStalledCondition, ConditionStatus::kTrue, seen.trouble->reason,
                seen.trouble->message);
  }
  return Make(kStalledCondition, ConditionStatus::kFalse, "NotStalled",
              "Nothing waits for a person.");
}

Condition ClockInSync(const ConnectionObservation& seen) {
  if (!seen.clock_skew) {
    return Make(kClockInSyncCondition, ConditionStatus::kUnknown, "NotKnown",
                "Vault has not told its time yet.");
  }
  const Duration skew = *seen.clock_skew < Duration::zero() ? -*seen.clock_skew : *seen.clock_skew;
  if (skew <= seen.tolerated_skew) {
    return Make(kClockInSyncCondition, ConditionStatus::kTrue, "InSync",
                "Vault's clock and the operator's agree.");
  }
  // Whole minutes: the exact figure is a metric, and would move the status with each look.
  const auto minutes = std::chrono::ceil<std::chrono::minutes>(skew).count();
  return Make(kClockInSyncCondition, ConditionStatus::kFalse, "VaultClockSkew",
              fmt::format("Vault's clock is up to {} min {} the operator's, so leases and "
                          "certificates end at other times than they seem to: set both by NTP.",
                          minutes, *seen.clock_skew < Duration::zero() ? "behind" : "ahead of"));
}

/// What a person should hear of: that it works now, or, once a reason, why it does not.
std::optional<PlannedEvent> EventOf(const Condition* before, const Condition& now) {
  if (now.type == kReconcilingCondition || now.type == kStalledCondition) return std::nullopt;
  if (now.status == ConditionStatus::kUnknown) return std::nullopt;
  const bool same = before != nullptr && before->status == now.status &&
                    (now.status == ConditionStatus::kTrue || before->reason == now.reason);
  const bool was_never_bad = before == nullptr || before->status == ConditionStatus::kUnknown;
  if (same || (now.type == kClockInSyncCondition && now.status == ConditionStatus::kTrue &&
               was_never_bad)) {
    return std::nullopt;
  }
  return PlannedEvent{.warning = now.status == ConditionStatus::kFalse,
                      .reason = now.reason,
                      .action = "Reconcile",
                      .note = now.message};
}

}  // namespace

ConnectionStatusPlan PlanConnectionStatus(const ConnectionObservation& seen, Instant now) {
  ConnectionStatusPlan plan;
  plan.status = seen.published;
  plan.status.observed_generation = seen.generation;
  plan.is_changed = seen.published.observed_generation != seen.generation;
  for (Condition condition : {Ready(seen), Reconciling(seen), Stalled(seen), ClockInSync(seen)}) {
    condition.observed_generation = seen.generation;
    if (auto event =
            EventOf(kube::FindCondition(seen.published.conditions, condition.type), condition)) {
      plan.events.push_back(*std::move(event));
    }
    plan.is_changed |= kube::SetCondition(plan.status.conditions, std::move(condition), now);
  }
  return plan;
}

}  // namespace tracekeeper::domain
