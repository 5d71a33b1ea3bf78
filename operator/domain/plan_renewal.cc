#include "operator/domain/plan_renewal.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "src/kube/timestamp.h"

namespace tracekeeper::domain {
namespace {

using api::RenewalState;
using api::RolloutStrategy;
using api::WorkloadRenewal;

/// Pods of a workload, counted. Those that are ending are `ending` and nothing else.
struct Tally {
  std::int64_t live = 0;
  std::int64_t ending = 0;
  std::int64_t wrong = 0;
  std::int64_t unready_right = 0;
  std::int64_t unready_wrong = 0;
  std::int64_t wrong_since_start = 0;  // made after the renewal began, and not right either
  std::size_t revisions = 0;

  [[nodiscard]] std::int64_t unready() const { return unready_right + unready_wrong; }
};

Tally TallyOf(const RenewalWorkload& workload, Instant started) {
  Tally tally;
  std::set<std::string_view> revisions;
  for (const RenewalPod& pod : workload.pods) {
    if (pod.is_ending) {
      ++tally.ending;
      continue;
    }
    ++tally.live;
    revisions.insert(pod.revision);
    if (!pod.is_ready) ++(pod.is_right ? tally.unready_right : tally.unready_wrong);
    if (pod.is_right) continue;
    ++tally.wrong;
    if (pod.created > started) ++tally.wrong_since_start;
  }
  tally.revisions = revisions.size();
  return tally;
}

/// Pods that are to go, those first whose going costs least: not ready, then the oldest.
std::vector<const RenewalPod*> Candidates(const RenewalWorkload& workload, Instant started) {
  std::vector<const RenewalPod*> pods;
  for (const RenewalPod& pod : workload.pods) {
    if (!pod.is_ending && !pod.is_right && pod.created <= started) pods.push_back(&pod);
  }
  std::ranges::sort(pods, [](const RenewalPod* a, const RenewalPod* b) {
    return std::tie(a->is_ready, a->created, a->name) < std::tie(b->is_ready, b->created, b->name);
  });
  return pods;
}

/// How many of `candidates`, from the first on, may go now where no disruption budget decides.
std::size_t OwnPace(const std::vector<const RenewalPod*>& candidates, const Tally& tally,
                    std::int64_t pods) {
  const std::int64_t allowance = std::max<std::int64_t>(1, pods / 10);
  std::int64_t away = std::max<std::int64_t>(0, pods - tally.live) + tally.unready_right;
  std::int64_t unready_left = tally.unready_wrong;
  std::size_t taken = 0;
  for (const RenewalPod* pod : candidates) {
    if (!pod->is_ready) --unready_left;  // it is away already, and counts once
    if (away + (pod->is_ready ? unready_left : 0) >= allowance) break;
    ++away;
    ++taken;
  }
  return taken;
}

const DisruptionBudget* Forbidding(const RenewalWorkload& workload) {
  const auto found = std::ranges::find_if(workload.budgets, [](const DisruptionBudget& budget) {
    return budget.allowed <= 0 || !budget.is_current;
  });
  return found == workload.budgets.end() ? nullptr : &*found;
}

std::string WhyStuck(const RenewalWorkload& workload, const Tally& tally) {
  const std::string minutes = fmt::format(
      "{} minutes", std::chrono::duration_cast<std::chrono::minutes>(kStuckAfter).count());
  if (!workload.refusal.empty()) {
    return fmt::format("No pod could be renewed for {}. {}", minutes, workload.refusal);
  }
  if (tally.unready() > 0) {
    return fmt::format(
        "{} of its pods have not become Ready for {}: kubectl describe pods -n {} says why.",
        tally.unready(), minutes, workload.id.namespace_name);
  }
  return fmt::format(
      "Its pods have not been replaced for {}: is it paused, or is its update strategy OnDelete?",
      minutes);
}

constexpr std::string_view kNewPodsAreWrong =
    "Pods made since its renewal began are not injected as the policy says either, so no further "
    "pod is touched: `tracekeeper explain pod` and `tracekeeper doctor` say why. It is tried again "
    "in 10 minutes.";

class Planner {
 public:
  Planner(const RenewalObservation& seen, Instant now)
      : seen_(seen), now_(now), written_at_(std::chrono::floor<std::chrono::seconds>(now)) {
    if (seen.journal) journal_ = *seen.journal;
    // Pods that were renewed to an older injection start over.
    if (journal_.digest != seen.digest) journal_.workloads.clear();
    journal_.digest = seen.digest;
  }

  RenewalPlan Make() {
    std::vector<WorkloadRenewal> kept;
    for (WorkloadRenewal& entry : journal_.workloads) {
      const RenewalWorkload* workload = Find(entry.workload);
      const bool goes_on = workload != nullptr ? Judge(entry, *workload) : IsBetweenPods(entry);
      if (goes_on) kept.push_back(std::move(entry));
    }
    journal_.workloads = std::move(kept);
    Begin();
    for (WorkloadRenewal& entry : journal_.workloads) Act(entry);
    const bool has_begun = seen_.journal || !journal_.workloads.empty();
    if (has_begun) plan_.journal = std::move(journal_);
    plan_.journal_changed = plan_.journal != seen_.journal;
    return std::move(plan_);
  }

 private:
  [[nodiscard]] const RenewalWorkload* Find(std::string_view name) const {
    const auto found = std::ranges::find_if(
        seen_.workloads, [&](const RenewalWorkload& w) { return w.id.ToString() == name; });
    return found == seen_.workloads.end() ? nullptr : &*found;
  }

  void LookAgainAt(Instant when) {
    const Duration wait = std::max<Duration>(when - now_, std::chrono::seconds(1));
    if (!plan_.look_again || wait < *plan_.look_again) plan_.look_again = wait;
  }

  void Tell(bool warning, std::string_view reason, std::string_view workload,
            std::string_view sentence) {
    plan_.events.push_back({.warning = warning,
                            .reason = std::string(reason),
                            .action = "Renew",
                            .note = fmt::format("{}: {}", workload, sentence)});
  }

  /// The only pod of a workload is away for a moment; one that stays away was scaled down, or its
  /// workload is gone.
  bool IsBetweenPods(const WorkloadRenewal& entry) {
    const auto since = seen_.without_pods.find(entry.workload);
    if (since == seen_.without_pods.end()) return false;
    if (now_ >= since->second + kScaledDownAfter) return false;
    LookAgainAt(since->second + kScaledDownAfter);
    return true;
  }

  void SetStuck(WorkloadRenewal& entry, std::string message) {
    if (entry.state != RenewalState::kStuck) {
      Tell(true, "RenewalStuck", entry.workload, message);
    }
    entry.state = RenewalState::kStuck;
    entry.message = std::move(message);
  }

  /// False: its renewal has ended, one way or another.
  bool Judge(WorkloadRenewal& entry, const RenewalWorkload& workload) {
    const Tally tally = TallyOf(workload, entry.started);
    if (IsScaledDown(entry, workload, tally)) entry.pods = tally.live;
    const bool is_whole = tally.live >= entry.pods && tally.ending == 0 && tally.unready() == 0;
    if (tally.wrong == 0 && is_whole) {
      Tell(false, "Renewed", entry.workload,
           "every pod is injected as the policy says, and Ready.");
      return false;
    }
    if (tally.wrong_since_start > 0) return JudgeFailure(entry);
    JudgeProgress(entry, workload, tally);
    return true;
  }

  bool JudgeFailure(WorkloadRenewal& entry) {
    const Instant again = entry.started + kAfterFailure;
    if (now_ >= again) return false;  // it may begin anew
    SetStuck(entry, std::string(kNewPodsAreWrong));
    has_failure_ = true;
    LookAgainAt(again);
    return true;
  }

  void JudgeProgress(WorkloadRenewal& entry, const RenewalWorkload& workload, const Tally& tally) {
    // A new leader has seen no progress yet; what was stuck before stays so until there is some.
    const bool was_stuck = entry.state == RenewalState::kStuck;
    const Instant seen_since = was_stuck ? entry.started : workload.watched_since;
    const Instant last = std::max(entry.started, workload.last_progress.value_or(seen_since));
    if (now_ - last >= kStuckAfter) return SetStuck(entry, WhyStuck(workload, tally));
    LookAgainAt(last + kStuckAfter);
    entry.state = workload.refusal.empty() ? RenewalState::kRenewing : RenewalState::kWaiting;
    entry.message = workload.refusal;
  }

  bool IsScaledDown(const WorkloadRenewal& entry, const RenewalWorkload& workload,
                    const Tally& tally) {
    if (tally.live >= entry.pods || tally.unready() > 0 || tally.ending > 0) return false;
    const Instant settled = workload.unchanged_since + kScaledDownAfter;
    if (now_ >= settled) return true;
    LookAgainAt(settled);
    return false;
  }

  /// Whether its pods stand still: a rollout of its own, or a scaling, is left alone.
  [[nodiscard]] bool MayBegin(const RenewalWorkload& workload) const {
    const Tally tally = TallyOf(workload, now_);
    if (tally.wrong == 0 || tally.ending > 0) return false;
    if (!CanRenew(workload.id.kind, seen_.settings.strategy)) return false;
    if (tally.revisions <= 1) return true;
    // A Rollout between two revisions is a canary: another template would begin it anew.
    const bool touches_canary = seen_.settings.strategy == RolloutStrategy::kTemplate &&
                                workload.id.kind == WorkloadKind::kArgoRollout;
    return tally.unready() == 0 && !touches_canary;
  }

  void Begin() {
    std::set<std::string, std::less<>> under_way;
    std::int64_t places = seen_.settings.max_concurrent;
    for (const WorkloadRenewal& entry : journal_.workloads) {
      under_way.insert(entry.workload);
      if (entry.state != RenewalState::kStuck) --places;
    }
    const Duration interval = has_failure_ ? std::max(kAfterFailure, seen_.settings.min_interval)
                                           : seen_.settings.min_interval;
    for (const RenewalWorkload& workload : seen_.workloads) {
      if (places <= 0 || journal_.workloads.size() >= kMostRenewals) return;
      const std::string name = workload.id.ToString();
      if (under_way.contains(name) || !MayBegin(workload)) continue;
      if (now_ < journal_.last_started + interval) {
        LookAgainAt(journal_.last_started + interval);
        return;
      }
      journal_.last_started = written_at_;
      journal_.workloads.push_back(
          {.workload = name, .started = written_at_, .pods = TallyOf(workload, now_).live});
      --places;
      Tell(false, "RenewalStarted", name, "pods without, or with an older, injection are renewed.");
      LookAgainAt(now_ + kStuckAfter);
    }
  }

  void Act(WorkloadRenewal& entry) {
    const RenewalWorkload* workload = Find(entry.workload);
    if (workload == nullptr) return;
    const Tally tally = TallyOf(*workload, entry.started);
    if (tally.wrong_since_start > 0 || tally.wrong == 0) return;
    if (now_ < workload->not_before) return LookAgainAt(workload->not_before);
    if (seen_.settings.strategy == RolloutStrategy::kTemplate) {
      Restart(entry, *workload);
    } else {
      Evict(entry, *workload, tally);
    }
  }

  void Restart(WorkloadRenewal& entry, const RenewalWorkload& workload) {
    if (workload.restarted_for == entry.started) return;
    if (const DisruptionBudget* budget = Forbidding(workload)) {
      if (entry.state == RenewalState::kStuck) return;
      entry.state = RenewalState::kWaiting;
      entry.message = fmt::format(
          "The disruption budget {}/{} allows no disruption now; the restart begins when it does.",
          workload.id.namespace_name, budget->name);
      return;
    }
    plan_.actions.push_back({.kind = RenewalAction::Kind::kRestart,
                             .workload = workload.id,
                             .owner_name = workload.owner_name,
                             .mark = fmt::format("{}@{}", seen_.digest.substr(0, 16),
                                                 kube::FormatTimestamp(entry.started)),
                             .started = entry.started});
  }

  void Evict(const WorkloadRenewal& entry, const RenewalWorkload& workload, const Tally& tally) {
    const auto candidates = Candidates(workload, entry.started);
    const std::size_t count = workload.budgets.empty()
                                  ? OwnPace(candidates, tally, entry.pods)
                                  : std::min(candidates.size(), kMostEvictionsAtOnce);
    for (std::size_t i = 0; i < count; ++i) {
      plan_.actions.push_back({.kind = RenewalAction::Kind::kEvict,
                               .workload = workload.id,
                               .owner_name = workload.owner_name,
                               .pod = candidates[i]->name,
                               .uid = candidates[i]->uid,
                               .started = entry.started});
    }
  }

  const RenewalObservation& seen_;
  const Instant now_;
  const Instant written_at_;  // as a status holds it: whole seconds
  api::RolloutStatus journal_;
  bool has_failure_ = false;
  RenewalPlan plan_;
};

}  // namespace

bool CanRenew(WorkloadKind kind, RolloutStrategy strategy) {
  if (strategy == RolloutStrategy::kNone) return false;
  return strategy == RolloutStrategy::kEvict || kind != WorkloadKind::kReplicaSet;
}

RenewalPlan PlanRenewal(const RenewalObservation& seen, Instant now) {
  RenewalPlan plan;
  if (!seen.may_act) {
    plan.journal = seen.journal;
    return plan;
  }
  if (seen.settings.strategy == RolloutStrategy::kNone) {
    plan.journal_changed = seen.journal.has_value();
    return plan;
  }
  return Planner(seen, now).Make();
}

}  // namespace tracekeeper::domain
