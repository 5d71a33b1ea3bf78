#include "operator/controllers/rotation_metrics.h"

#include <array>
#include <utility>

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kPhase = "tracekeeper_rotation_phase";
constexpr std::string_view kPhaseBegan = "tracekeeper_rotation_phase_timestamp_seconds";
constexpr std::string_view kAge = "tracekeeper_rotation_age_seconds";
constexpr std::string_view kNext = "tracekeeper_rotation_next_timestamp_seconds";
constexpr std::string_view kActivateAfter = "tracekeeper_rotation_activate_after_seconds";
constexpr std::string_view kLinger = "tracekeeper_rotation_linger_seconds";
constexpr std::string_view kOverlap = "tracekeeper_rotation_overlap_seconds";
constexpr std::string_view kPeriod = "tracekeeper_rotation_period_seconds";
constexpr std::string_view kStale = "tracekeeper_rotation_stale_consumers";
constexpr std::string_view kFailing = "tracekeeper_rotation_failing";
constexpr std::string_view kRotations = "tracekeeper_rotations_total";

constexpr std::string_view kPhaseHelp = "1 for the phase that the rotation is in";
constexpr std::string_view kPhaseBeganHelp = "When that phase began, in seconds since 1970";
constexpr std::string_view kAgeHelp = "Seconds since the version in use came into use";
constexpr std::string_view kNextHelp = "When the next rotation is due, in seconds since 1970";
constexpr std::string_view kActivateAfterHelp = "How long the next version is shown before its use";
constexpr std::string_view kLingerHelp =
    "How long the previous version stays valid after its last consumer left it";
constexpr std::string_view kOverlapHelp = "How long the previous version stays valid, at least";
constexpr std::string_view kPeriodHelp = "How often a new version replaces it, at the latest";
constexpr std::string_view kStaleHelp = "Consumers that do not use the current version yet";
constexpr std::string_view kFailingHelp = "1 while the rotation fails for this reason";
constexpr std::string_view kRotationsHelp = "Versions that came into use, and tries that failed";

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

MetricLabels With(const MetricLabels& labels, std::string_view name, std::string_view value) {
  MetricLabels more = labels;
  more.emplace_back(name, value);
  return more;
}

MetricLabels OutcomeOf(const MetricLabels& labels, std::string_view outcome,
                       std::string_view reason) {
  return With(With(labels, "outcome", outcome), "reason", reason);
}

}  // namespace

void RotationMetrics::Set(const domain::CredentialPlan& plan,
                          const domain::CredentialReport& report, std::string_view failure) {
  const std::scoped_lock lock(mutex_);
  const Key key{plan.policy, plan.identity.credential};
  const auto [found, is_new] = shown_.try_emplace(key);
  Shown& shown = found->second;
  if (is_new) {
    shown.labels = {{"policy", plan.policy.name},
                    {"policy_namespace", plan.policy.namespace_name},
                    {"credential", plan.identity.credential}};
    shown.version = report.version;
    metrics_.MakeCounter(kRotations, kRotationsHelp, OutcomeOf(shown.labels, "ok", ""));
    ShowPhaseLocked(shown, report.phase);
  }
  if (report.version > shown.version) {
    metrics_.MakeCounter(kRotations, kRotationsHelp, OutcomeOf(shown.labels, "ok", "")).Increment();
  }
  if (!failure.empty()) {
    metrics_.MakeCounter(kRotations, kRotationsHelp, OutcomeOf(shown.labels, "failed", failure))
        .Increment();
  }
  shown.version = report.version;
  if (report.last_rotation) shown.last_rotation = report.last_rotation;
  if (shown.phase != report.phase) ShowPhaseLocked(shown, report.phase);
  ShowFailureLocked(shown, failure);
  ShowAgeLocked(shown, clock_.Now());
  if (report.next_rotation) {
    metrics_.MakeGauge(kNext, kNextHelp, shown.labels)
        .Set(Seconds(report.next_rotation->time_since_epoch()));
  }
  // A report that no run made knows less, which takes nothing back.
  if (report.phase_began) {
    if (!report.next_rotation) metrics_.Remove(kNext, shown.labels);
    metrics_.MakeGauge(kPhaseBegan, kPhaseBeganHelp, shown.labels)
        .Set(Seconds(report.phase_began->time_since_epoch()));
  }
  ShowSpec(shown.labels, plan.spec);
  metrics_.MakeGauge(kStale, kStaleHelp, shown.labels)
      .Set(static_cast<double>(report.stale_consumers));
}

void RotationMetrics::ShowSpec(const MetricLabels& labels, const domain::RotationSpec& spec) {
  metrics_.MakeGauge(kPeriod, kPeriodHelp, labels).Set(Seconds(spec.every));
  metrics_.MakeGauge(kActivateAfter, kActivateAfterHelp, labels).Set(Seconds(spec.activate_after));
  metrics_.MakeGauge(kOverlap, kOverlapHelp, labels).Set(Seconds(spec.overlap));
  metrics_.MakeGauge(kLinger, kLingerHelp, labels).Set(Seconds(spec.linger));
}

void RotationMetrics::ShowFailureLocked(Shown& shown, std::string_view failure) {
  if (shown.failure == failure) return;
  if (!shown.failure.empty()) {
    metrics_.Remove(kFailing, With(shown.labels, "reason", shown.failure));
  }
  shown.failure = failure;
  if (failure.empty()) return;
  metrics_.MakeGauge(kFailing, kFailingHelp, With(shown.labels, "reason", failure)).Set(1);
}

void RotationMetrics::ShowPhaseLocked(Shown& shown, domain::RotationPhase phase) {
  for (const auto& each : ValuesOf(domain::RotationPhase{})) {
    metrics_.MakeGauge(kPhase, kPhaseHelp, With(shown.labels, "phase", each.name))
        .Set(each.value == phase ? 1 : 0);
  }
  shown.phase = phase;
}

void RotationMetrics::ShowAgeLocked(const Shown& shown, Instant now) {
  if (!shown.last_rotation) return;
  metrics_.MakeGauge(kAge, kAgeHelp, shown.labels).Set(Seconds(now - *shown.last_rotation));
}

void RotationMetrics::Refresh() {
  const std::scoped_lock lock(mutex_);
  const Instant now = clock_.Now();
  for (const auto& [key, shown] : shown_) ShowAgeLocked(shown, now);
}

void RotationMetrics::Forget(const kube::ObjectKey& policy, const std::string& credential) {
  const std::scoped_lock lock(mutex_);
  const auto found = shown_.find({policy, credential});
  if (found == shown_.end()) return;
  Shown& shown = found->second;
  for (const auto& each : ValuesOf(domain::RotationPhase{})) {
    metrics_.Remove(kPhase, With(shown.labels, "phase", each.name));
  }
  for (const std::string_view name :
       {kPhaseBegan, kAge, kNext, kPeriod, kActivateAfter, kOverlap, kLinger, kStale}) {
    metrics_.Remove(name, shown.labels);
  }
  ShowFailureLocked(shown, "");
  shown_.erase(found);
}

}  // namespace tracekeeper::controllers
