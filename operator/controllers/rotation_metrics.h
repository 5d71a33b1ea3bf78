#pragma once
// RotationMetrics shows how far each credential is. The age grows between two looks, so it is
// reckoned when the metrics are read.
//
//   tracekeeper_rotation_phase{policy,policy_namespace,credential,phase}   1 in the phase it is in
//   tracekeeper_rotation_phase_timestamp_seconds   when that phase began
//   tracekeeper_rotation_age_seconds, _next_timestamp_seconds, _stale_consumers
//   tracekeeper_rotation_period_seconds, _activate_after_seconds, _overlap_seconds, _linger_seconds
//   tracekeeper_rotation_failing{...,reason}   1 while that is why it fails
//   tracekeeper_rotations_total{...,outcome,reason}
//
// Threads:  safe from any thread.
// Owner:    wiring; the registry and the clock outlive it.

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "operator/domain/credential_plan.h"
#include "operator/domain/rotation_report.h"
#include "src/base/clock.h"
#include "src/base/metrics.h"

namespace tracekeeper::controllers {

class RotationMetrics {
 public:
  RotationMetrics(const Clock& clock, Metrics& metrics) : clock_(clock), metrics_(metrics) {}

  /// `failure` is the label of what failed in this run; empty: nothing did.
  void Set(const domain::CredentialPlan& plan, const domain::CredentialReport& report,
           std::string_view failure);
  void Forget(const kube::ObjectKey& policy, const std::string& credential);
  /// Before the metrics are read.
  void Refresh();

 private:
  struct Shown {
    MetricLabels labels;
    domain::RotationPhase phase = domain::RotationPhase::kIdle;
    std::int64_t version = 0;
    std::optional<Instant> last_rotation;
    std::string failure;
  };
  using Key = std::pair<kube::ObjectKey, std::string>;

  void ShowFailureLocked(Shown& shown, std::string_view failure);
  void ShowPhaseLocked(Shown& shown, domain::RotationPhase phase);
  void ShowSpec(const MetricLabels& labels, const domain::RotationSpec& spec);
  void ShowAgeLocked(const Shown& shown, Instant now);

  const Clock& clock_;
  Metrics& metrics_;
  std::mutex mutex_;
  std::map<Key, Shown> shown_;
};

}  // namespace tracekeeper::controllers
