#include "operator/domain/plan_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tracekeeper::domain {
namespace {

using kube::Condition;
using kube::ConditionStatus;

constexpr std::size_t kNamedAtMost = 5;

/// "shop, cart and 3 more"
std::string Enumerate(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), kNamedAtMost);
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) {
    text.append(i == 0 ? "" : ", ").append(names[i]);
  }
  if (names.size() > shown) text.append(fmt::format(" and {} more", names.size() - shown));
  return text;
}

std::string Sentence(Reason reason, std::string_view detail) {
  std::string text(SentenceOf(reason));
  if (!detail.empty()) text.append(" ").append(detail).append(".");
  const std::string_view advice = AdviceOf(reason);
  if (!advice.empty()) text.append(" ").append(advice);
  return text;
}

/// What stops the policy until a person changes something; the first one counts.
std::optional<Finding> Stalling(const PolicyObservation& seen) {
  if (!seen.compile_error.empty()) return Finding{Reason::kPolicyInvalid, seen.compile_error};
  for (const Finding& finding : seen.findings) {
    if (finding.reason == Reason::kNamespaceSelectorIgnored ||
        finding.reason == Reason::kFleetWithoutNamespaceSelector ||
        finding.reason == Reason::kNamespaceExcluded) {
      return finding;
    }
  }
  return std::nullopt;
}

/// What keeps the policy from being ready although nothing is wrong with it.
std::optional<Finding> Pending(const PolicyObservation& seen) {
  if (seen.paused) return Finding{Reason::kPolicyPaused, ""};
  if (!seen.config_map_errors.empty()) {
    return Finding{Reason::kConfigMapNotWritten, Enumerate(seen.config_map_errors)};
  }
  if (!seen.webhook_trouble.empty()) {
    return Finding{Reason::kWebhookNotCovering, seen.webhook_trouble};
  }
  if (!seen.uncovered_namespaces.empty()) {
    return Finding{Reason::kWebhookNotCovering,
                   fmt::format("Not covered: {}", Enumerate(seen.uncovered_namespaces))};
  }
  return std::nullopt;
}

/// A namespaceSelector that is ignored is said aloud, yet the policy serves its own namespace.
bool StopsAll(Reason reason) { return reason != Reason::kNamespaceSelectorIgnored; }

Condition Make(std::string_view type, bool status, std::string_view reason, std::string message,
               std::int64_t generation) {
  return {.type = std::string(type),
          .status = status ? ConditionStatus::kTrue : ConditionStatus::kFalse,
          .reason = std::string(reason),
          .message = std::move(message),
          .observed_generation = generation};
}

std::string ReadyMessage(const PolicyObservation& seen) {
  if (seen.namespaces == 0) {
    return "No namespace matches yet; pods of one that comes will be injected.";
  }
  std::string text = fmt::format("Pods created in {} {} are injected.", seen.namespaces,
                                 seen.namespaces == 1 ? "namespace" : "namespaces");
  if (!seen.shadowed_by.empty()) {
    text.append(" ").append(
        Sentence(Reason::kPolicyShadowed, "They are " + Enumerate(seen.shadowed_by)));
  }
  return text;
}

Condition ReadyCondition(const PolicyObservation& seen, const std::optional<Finding>& stalling,
                         const std::optional<Finding>& pending) {
  const auto not_ready = [&](const Finding& finding) {
    return Make(kReadyCondition, false, EventReasonOf(finding.reason),
                Sentence(finding.reason, finding.detail), seen.generation);
  };
  if (stalling && StopsAll(stalling->reason)) return not_ready(*stalling);
  if (pending) return not_ready(*pending);
  const std::string_view reason = seen.shadowed_by.empty() ? std::string_view("Covered")
                                                           : EventReasonOf(Reason::kPolicyShadowed);
  return Make(kReadyCondition, true, reason, ReadyMessage(seen), seen.generation);
}

Condition ReconcilingCondition(const PolicyObservation& seen, const Condition& ready,
                               const Condition& stalled, const std::optional<Finding>& stalling) {
  const bool is_stalled = stalled.status == ConditionStatus::kTrue && !stalling;
  const bool stuck = (stalling && StopsAll(stalling->reason)) || seen.paused;
  const bool working = ready.status != ConditionStatus::kTrue && !stuck && !is_stalled;
  return Make(kReconcilingCondition, working, working ? "Progressing" : "Settled",
              working ? ready.message : "Nothing is left to do.", seen.generation);
}

Condition StalledCondition(const PolicyObservation& seen, const std::optional<Finding>& stalling) {
  if (!stalling) {
    return Make(kStalledCondition, false, "NotStalled", "Nothing waits for a person.",
                seen.generation);
  }
  return Make(kStalledCondition, true, EventReasonOf(stalling->reason),
              Sentence(stalling->reason, stalling->detail), seen.generation);
}

/// No counts in the message: it would change with every pod, and status moves on transitions only.
Condition InjectedCondition(const PolicyObservation& seen) {
  const PodCounts& pods = seen.pods;
  const auto make = [&](bool status, std::string_view reason, std::string message) {
    return Make(kInjectedCondition, status, reason, std::move(message), seen.generation);
  };
  if (pods.matched == 0) return make(true, "NoPods", "The policy selects no running pod.");
  if (pods.injected < pods.matched) {
    return make(false, EventReasonOf(Reason::kMissingInjection),
                Sentence(Reason::kMissingInjection, ""));
  }
  if (pods.outdated > 0) {
    return make(false, EventReasonOf(Reason::kOutdatedInjection),
                Sentence(Reason::kOutdatedInjection, ""));
  }
  return make(true, "AllPodsInjected", "Every pod that the policy selects is injected.");
}

bool IsBad(const Condition& condition) {
  const bool abnormal_true =
      condition.type == kStalledCondition || condition.type == kReconcilingCondition;
  return (condition.status == ConditionStatus::kTrue) == abnormal_true;
}

/// An Event for what a person wants to hear of: a change of Ready, Stalled or Injected, or a new
/// reason while it is bad. Reconciling comes and goes with every edit.
std::optional<PlannedEvent> EventOf(const Condition& now, const Condition* before) {
  if (now.type == kReconcilingCondition) return std::nullopt;
  const bool same = before != nullptr && before->status == now.status &&
                    (before->reason == now.reason || !IsBad(now));
  if (same) return std::nullopt;
  const bool starts_well = before == nullptr && !IsBad(now);
  if (starts_well && now.type != kReadyCondition) return std::nullopt;
  if (before == nullptr && now.type == kReadyCondition &&
      now.reason == EventReasonOf(Reason::kWebhookNotCovering)) {
    return std::nullopt;  // a new policy is on its way
  }
  const bool ready = now.type == kReadyCondition && !IsBad(now);
  return PlannedEvent{.warning = IsBad(now),
                      .reason = ready ? "Ready" : now.reason,
                      .action = "Reconcile",
                      .note = now.message};
}

/// An Event for each reason that pods have now and did not have before; what a condition has told
/// is not told twice.
void TellNewReasons(const PolicyObservation& seen, std::vector<PlannedEvent>& events) {
  for (const auto& [reason, pods] : seen.pods.reasons) {
    const std::string_view name = EventReasonOf(reason);
    const bool is_told = std::ranges::any_of(
        events, [&](const PlannedEvent& event) { return event.reason == name; });
    if (is_told || seen.published_pods.reasons.contains(reason)) continue;
    const auto example = seen.examples.find(reason);
    events.push_back(
        {.warning = IsWarning(reason),
         .reason = std::string(name),
         .action = "Count",
         .note = Sentence(reason, fmt::format("Pods: {}{}", pods,
                                              example == seen.examples.end()
                                                  ? ""
                                                  : ", for example " + example->second))});
  }
}

/// Its sentence names counts: only another status or reason is a transition.
void PlanSidecars(const PolicyObservation& seen, Instant now, StatusPlan& plan) {
  plan.configuration = seen.published_configuration;
  const Condition* before = kube::FindCondition(seen.conditions, kConfigurationInSyncCondition);
  if (!seen.reads_sidecars) {
    plan.counts_changed |= plan.configuration.has_value();
    plan.configuration.reset();
    const auto removed = std::erase_if(plan.conditions, [](const Condition& condition) {
      return condition.type == kConfigurationInSyncCondition;
    });
    plan.conditions_changed |= removed > 0;
    return;
  }
  if (!seen.sidecars) return;
  Condition condition = ConfigurationInSync(*seen.sidecars, seen.generation);
  const bool is_transition =
      before == nullptr || before->status != condition.status || before->reason != condition.reason;
  const bool changed = kube::SetCondition(plan.conditions, std::move(condition), now);
  plan.configuration = ConfigurationStatusOf(*seen.sidecars);
  plan.conditions_changed |= is_transition;
  plan.counts_changed |= changed || plan.configuration != seen.published_configuration;
}

/// What hinders but the credentials is told first: it concerns all pods.
void Hinder(const CredentialsPlan& credentials, Condition& ready, Condition& stalled) {
  if (!credentials.hindrance) return;
  const CredentialsPlan::Hindrance& hindrance = *credentials.hindrance;
  if (ready.status == ConditionStatus::kTrue) {
    ready = Make(kReadyCondition, false, hindrance.reason, hindrance.message,
                 ready.observed_generation);
  }
  if (hindrance.is_stalled && stalled.status != ConditionStatus::kTrue) {
    stalled = Make(kStalledCondition, true, hindrance.reason, hindrance.message,
                   stalled.observed_generation);
  }
}

void AddCredentials(const PolicyObservation& seen, CredentialsPlan credentials, Instant now,
                    StatusPlan& plan) {
  plan.conditions_changed |= credentials.statuses != seen.credentials.published;
  plan.credentials = std::move(credentials.statuses);
  if (credentials.condition) {
    const Condition* before = kube::FindCondition(seen.conditions, kCredentialsRotatedCondition);
    if (auto event = EventOf(*credentials.condition, before)) plan.events.push_back(*event);
    plan.conditions_changed |=
        kube::SetCondition(plan.conditions, std::move(*credentials.condition), now);
    return;
  }
  if (!seen.credentials.names.empty()) return;
  plan.conditions_changed |= std::erase_if(plan.conditions, [](const Condition& condition) {
                               return condition.type == kCredentialsRotatedCondition;
                             }) > 0;
}

}  // namespace

StatusPlan PlanStatus(const PolicyObservation& observation, Instant now) {
  const auto stalling = Stalling(observation);
  const auto pending = Pending(observation);
  CredentialsPlan credentials = PlanCredentials(observation.credentials, observation.generation);
  Condition ready = ReadyCondition(observation, stalling, pending);
  Condition stalled = StalledCondition(observation, stalling);
  Hinder(credentials, ready, stalled);

  StatusPlan plan;
  plan.observed_generation = observation.generation;
  plan.conditions = observation.conditions;
  plan.pods = observation.pods;
  plan.conditions_changed = observation.observed_generation != observation.generation;
  for (const Condition& condition :
       {ready, ReconcilingCondition(observation, ready, stalled, stalling), stalled,
        InjectedCondition(observation)}) {
    const Condition* before = kube::FindCondition(observation.conditions, condition.type);
    const auto event = EventOf(condition, before);
    // Stalled repeats what Ready says: one Event tells it.
    const auto same_note = [&](const PlannedEvent& other) { return other.note == event->note; };
    if (event && std::ranges::none_of(plan.events, same_note)) plan.events.push_back(*event);
    plan.conditions_changed |= kube::SetCondition(plan.conditions, condition, now);
  }
  plan.counts_changed = observation.published_pods != observation.pods;
  PlanSidecars(observation, now, plan);
  AddCredentials(observation, std::move(credentials), now, plan);
  TellNewReasons(observation, plan.events);
  return plan;
}

}  // namespace tracekeeper::domain
