#pragma once
// PlanRenewal decides how pods that run without, or with an older, injection are renewed: which
// workload is begun, which pod is evicted next or whose template is touched, what has ended, what
// is stuck, and when to look again.
//
//   Evict     pods go through the Eviction API, which honours disruption budgets. Where a workload
//             has none, at most a tenth of its pods, and at least one, is away at a time.
//   Template  the workload's pod template gets an annotation, once; only while every disruption
//             budget over its pods allows a disruption.
//
// At most `max_concurrent` workloads are under way, begun `min_interval` apart. One that is stuck
// (nothing got better for kStuckAfter, or its new pods are not as they should be either) gives up
// its place. After a renewal that did not help, the next begins kAfterFailure later: when the
// webhook cannot be reached, replacing pods mends nothing.
//
// What is under way stands in the policy's status (api::RolloutStatus), which the caller writes
// before it acts: a leader that ends is followed by one that goes on, and nothing is done twice.
//
// Threads:  pure; `now` is a parameter.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operator/api/injection.h"
#include "operator/api/rollout_status.h"
#include "operator/domain/plan_status.h"
#include "operator/domain/renewable_workload.h"
#include "src/base/clock.h"

namespace tracekeeper::domain {

struct RenewalPod {
  std::string name;
  std::string uid;
  std::string revision;  // of its workload's template
  Instant created{};
  bool is_right = false;  // injected as the policy says now
  bool is_ready = false;
  bool is_ending = false;  // being deleted, or evicted by us a moment ago
};

/// A PodDisruptionBudget over the pods of a workload.
struct DisruptionBudget {
  std::string name;
  std::int64_t allowed = 0;  // disruptions, now
  bool is_current = true;    // its status is about its newest generation
};

struct RenewalWorkload {
  RenewableWorkload id;
  /// Name of the pods' owner: for a Deployment, one of its ReplicaSets, of a pod that is not right.
  std::string owner_name;
  std::vector<RenewalPod> pods;
  std::vector<DisruptionBudget> budgets;

  // What the caller remembers of its own doing; lost with a leader, at the cost of some patience.
  /// The last step was refused: nothing before this time, and why.
  Instant not_before{};
  std::string refusal;
  Instant watched_since{};
  /// Since when the pods are as they are now.
  Instant unchanged_since{};
  /// When more pods than ever before were right and ready.
  std::optional<Instant> last_progress;
  /// The start of the renewal for which the template was touched.
  std::optional<Instant> restarted_for;
};

struct RenewalObservation {
  api::Rollout settings;
  /// False: the policy is paused or not ready, and nothing may be done.
  bool may_act = false;
  /// Of the injection that pods should have.
  std::string digest;
  /// As it was written last.
  std::optional<api::RolloutStatus> journal;
  /// Those with a pod that is not right, and those of the journal.
  std::vector<RenewalWorkload> workloads;
  /// Those of the journal that have no pod now, and since when: between two pods, scaled to zero,
  /// or gone.
  std::map<std::string, Instant> without_pods = {};
};

struct RenewalAction {
  enum class Kind : std::uint8_t { kEvict, kRestart };

  Kind kind = Kind::kEvict;
  RenewableWorkload workload;
  std::string owner_name;
  std::string pod;  // kEvict
  std::string uid;
  std::string mark;  // kRestart: the annotation's value, the same whoever computes it
  Instant started{};

  bool operator==(const RenewalAction&) const = default;
};

struct RenewalPlan {
  /// What the status should say. Unset: nothing, or nothing more.
  std::optional<api::RolloutStatus> journal;
  /// It differs from what was written last: write it before acting.
  bool journal_changed = false;
  std::vector<RenewalAction> actions;
  std::optional<Duration> look_again;
  std::vector<PlannedEvent> events;
};

inline constexpr Duration kStuckAfter = std::chrono::minutes(10);
inline constexpr Duration kAfterFailure = std::chrono::minutes(10);
/// A workload with fewer pods than before, all ready and unchanged for so long, was scaled down.
inline constexpr Duration kScaledDownAfter = std::chrono::seconds(30);
inline constexpr std::size_t kMostRenewals = 100;
inline constexpr std::size_t kMostEvictionsAtOnce = 10;

/// Whether a workload of that kind is renewed by that strategy at all: a ReplicaSet of its own does
/// not replace its pods when its template changes.
bool CanRenew(WorkloadKind kind, api::RolloutStrategy strategy);

RenewalPlan PlanRenewal(const RenewalObservation& seen, Instant now);

}  // namespace tracekeeper::domain
