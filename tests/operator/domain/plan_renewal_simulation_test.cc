// PlanRenewal against simulated workloads whose controller replaces pods after a while, with
// leaders that end at any moment: whatever happens, no more pods are away than may be, no pod is
// touched twice, and in the end every pod is right.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "operator/domain/plan_renewal.h"

namespace tracekeeper::domain {
namespace {

using std::chrono::seconds;

const Instant kStart{std::chrono::hours(24 * 365 * 56)};

/// Three workloads of random size whose pods take random times to go and to become Ready.
class World {
 public:
  explicit World(std::uint32_t seed) : random_(seed) {
    for (int i = 0; i < 3; ++i) {
      Simulated workload{.name = fmt::format("w{}", i), .size = Draw(1, 25)};
      for (std::int64_t j = 0; j < workload.size; ++j) AddPod(workload, Draw(0, 2) == 0);
      workloads_.push_back(std::move(workload));
    }
    settings_ = {.strategy = api::RolloutStrategy::kEvict,
                 .max_concurrent = Draw(1, 3),
                 .min_interval = seconds(Draw(1, 60))};
  }

  void Tick() {
    now_ += seconds(1);
    if (Draw(0, 30) == 0) BeginLeader();
    RenewalObservation seen = Observe();
    const RenewalPlan plan = PlanRenewal(seen, now_);
    if (plan.journal_changed) journal_ = plan.journal;
    // A leader may end between the journal and the step.
    const bool ends = Draw(0, 40) == 0;
    for (const RenewalAction& action : plan.actions) {
      if (ends) break;
      Evict(action);
    }
    CheckAway();
    Replace();
  }

  [[nodiscard]] bool IsDone() const {
    for (const Simulated& workload : workloads_) {
      for (const Simulated::Pod& pod : workload.pods) {
        if (!pod.seen.is_right || !pod.seen.is_ready) return false;
      }
      if (static_cast<std::int64_t>(workload.pods.size()) != workload.size) return false;
    }
    return !journal_ || journal_->workloads.empty();
  }
  [[nodiscard]] std::int64_t wrong_at_start() const { return wrong_at_start_; }
  [[nodiscard]] std::int64_t evicted() const { return evicted_; }

 private:
  struct Simulated {
    struct Pod {
      RenewalPod seen;
      Instant ready_at;
      Instant gone_at;
    };
    std::string name;
    std::int64_t size = 0;
    std::vector<Pod> pods;
    Instant unchanged_since = kStart;
    std::optional<Instant> last_progress;
  };

  std::int64_t Draw(std::int64_t from, std::int64_t to) {
    return std::uniform_int_distribution<std::int64_t>(from, to)(random_);
  }

  void AddPod(Simulated& workload, bool is_right) {
    const std::string name = fmt::format("p{}", next_++);
    const bool is_first = now_ == kStart;
    if (!is_right) ++wrong_at_start_;
    workload.pods.push_back({.seen = {.name = name,
                                      .uid = name,
                                      .revision = "r",
                                      .created = is_first ? kStart - seconds(60) : now_,
                                      .is_right = is_right,
                                      .is_ready = is_first},
                             .ready_at = now_ + seconds(Draw(1, 20)),
                             .gone_at = Instant::max()});
  }

  void BeginLeader() {
    leader_since_ = now_;
    for (Simulated& workload : workloads_) {
      workload.unchanged_since = now_;
      workload.last_progress.reset();
    }
  }

  RenewalObservation Observe() {
    RenewalObservation seen{.settings = settings_, .may_act = true, .digest = "d"};
    seen.journal = journal_;
    for (const Simulated& workload : workloads_) {
      if (workload.pods.empty()) {
        seen.without_pods["Deployment shop/" + workload.name] = workload.unchanged_since;
        continue;
      }
      RenewalWorkload& view = seen.workloads.emplace_back();
      view.id = {WorkloadKind::kDeployment, "shop", workload.name};
      view.watched_since = leader_since_;
      view.unchanged_since = workload.unchanged_since;
      view.last_progress = workload.last_progress;
      for (const Simulated::Pod& pod : workload.pods) view.pods.push_back(pod.seen);
    }
    return seen;
  }

  void Evict(const RenewalAction& action) {
    for (Simulated& workload : workloads_) {
      for (Simulated::Pod& pod : workload.pods) {
        if (pod.seen.uid != action.uid) continue;
        EXPECT_FALSE(pod.seen.is_right) << "nothing is wrong with it";
        EXPECT_FALSE(pod.seen.is_ending) << "evicted twice";
        pod.seen.is_ending = true;
        pod.gone_at = now_ + seconds(Draw(1, 5));
        workload.unchanged_since = now_;
        ++evicted_;
      }
    }
  }

  /// What the workload's own controller and the kubelet do.
  void Replace() {
    for (Simulated& workload : workloads_) {
      const auto gone = std::erase_if(
          workload.pods, [&](const Simulated::Pod& pod) { return pod.gone_at <= now_; });
      const bool is_late = Draw(0, 2) == 0;
      while (!is_late && static_cast<std::int64_t>(workload.pods.size()) < workload.size) {
        AddPod(workload, true);
        workload.unchanged_since = now_;
      }
      if (gone > 0) workload.unchanged_since = now_;
      for (Simulated::Pod& pod : workload.pods) {
        if (pod.seen.is_ready || pod.ready_at > now_) continue;
        pod.seen.is_ready = true;
        workload.unchanged_since = now_;
        workload.last_progress = now_;
      }
    }
  }

  void CheckAway() const {
    std::int64_t under_way = 0;
    for (const Simulated& workload : workloads_) {
      std::int64_t good = 0;
      for (const Simulated::Pod& pod : workload.pods) {
        if (pod.seen.is_ready && !pod.seen.is_ending) ++good;
      }
      const std::int64_t away = workload.size - good;
      EXPECT_LE(away, std::max<std::int64_t>(1, workload.size / 10)) << workload.name;
      if (away > 0) ++under_way;
    }
    EXPECT_LE(under_way, settings_.max_concurrent);
  }

  std::mt19937 random_;
  Instant now_ = kStart;
  Instant leader_since_ = kStart;
  std::vector<Simulated> workloads_;
  api::Rollout settings_;
  std::optional<api::RolloutStatus> journal_;
  std::int64_t next_ = 0;
  std::int64_t wrong_at_start_ = 0;
  std::int64_t evicted_ = 0;
};

TEST(PlanRenewalSimulation, EveryPodIsRenewedOnceAndNeverTooManyAreAway) {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    int ticks = 0;
    while (!world.IsDone() && ticks++ < 20'000 && !HasFailure()) world.Tick();
    EXPECT_TRUE(world.IsDone());
    EXPECT_EQ(world.evicted(), world.wrong_at_start());
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tracekeeper::domain
