#include "operator/domain/plan_renewal.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tracekeeper::domain {
namespace {

using api::RenewalState;
using api::RolloutStrategy;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Instant kNow{std::chrono::hours(24 * 365 * 56)};
const Instant kLongAgo = kNow - std::chrono::hours(1);

/// Pods in one letter each, oldest first. Upper case: Ready.
///   w wrong   r right   e ending   f wrong, and made after the renewal began   o wrong, old
///   revision
std::vector<RenewalPod> Pods(std::string_view letters) {
  std::vector<RenewalPod> pods;
  for (const char letter : letters) {
    const char kind = static_cast<char>(std::tolower(letter));
    const auto age = seconds(static_cast<std::int64_t>(pods.size()));
    pods.push_back(
        {.name = fmt::format("p{}", pods.size()),
         .uid = fmt::format("u{}", pods.size()),
         .revision = kind == 'r'   ? "new"
                     : kind == 'o' ? "older"
                                   : "old",
         .created = kind == 'f' ? kNow - seconds(5) : kLongAgo - std::chrono::hours(1) + age,
         .is_right = kind == 'r',
         .is_ready = letter != kind,
         .is_ending = kind == 'e'});
  }
  return pods;
}

RenewalWorkload Workload(std::string_view name, std::string_view pods,
                         std::vector<DisruptionBudget> budgets = {}) {
  return {.id = {WorkloadKind::kDeployment, "shop", std::string(name)},
          .owner_name = std::string(name) + "-1",
          .pods = Pods(pods),
          .budgets = std::move(budgets),
          .watched_since = kNow - minutes(1),
          .unchanged_since = kNow - seconds(5)};
}

RenewalObservation Seen(RolloutStrategy strategy, std::vector<RenewalWorkload> workloads) {
  RenewalObservation seen;
  seen.settings = {.strategy = strategy, .max_concurrent = 1, .min_interval = seconds(30)};
  seen.may_act = true;
  seen.digest = "d1";
  seen.workloads = std::move(workloads);
  return seen;
}

/// As if its renewal had begun with so many pods.
RenewalObservation UnderWay(RenewalObservation seen, std::int64_t pods,
                            Instant started = kNow - minutes(1)) {
  seen.journal = api::RolloutStatus{.digest = "d1", .last_started = started};
  seen.journal->workloads.push_back(
      {.workload = seen.workloads.front().id.ToString(), .started = started, .pods = pods});
  return seen;
}

std::vector<std::string> Evicted(const RenewalPlan& plan) {
  std::vector<std::string> names;
  names.reserve(plan.actions.size());
  for (const RenewalAction& action : plan.actions) names.push_back(action.pod);
  return names;
}

std::vector<std::string> Begun(const RenewalPlan& plan) {
  std::vector<std::string> names;
  if (!plan.journal) return names;
  for (const auto& entry : plan.journal->workloads) names.push_back(entry.workload);
  return names;
}

struct EvictCase {
  std::string_view name;
  std::string_view pods;
  std::int64_t pods_at_start;
  bool has_budget;
  std::vector<std::string> evicted;
};

const EvictCase kEvictCases[] = {
    {"one_of_three", "WWW", 3, false, {"p0"}},
    {"waits_for_the_new_one_to_be_there", "WW", 3, false, {}},
    {"waits_for_the_new_one_to_be_ready", "WWr", 3, false, {}},
    {"goes_on_when_it_is_ready", "WWR", 3, false, {"p0"}},
    {"waits_while_one_is_ending", "EWW", 3, false, {}},
    {"one_that_is_not_ready_goes_first", "WwW", 3, false, {"p1"}},
    {"waits_while_another_wrong_one_is_away", "Www", 4, false, {}},
    {"a_tenth_of_many", "WWWWWWWWWWWWWWWWWWWW", 20, false, {"p0", "p1"}},
    {"a_budget_decides_instead", "WWWR", 4, true, {"p0", "p1", "p2"}},
    {"a_budget_decides_but_ten_at_once",
     "WWWWWWWWWWWW",
     12,
     true,
     {"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"}},
    {"a_single_pod_too", "W", 1, false, {"p0"}},
};

class EvictTable : public testing::TestWithParam<EvictCase> {};

TEST_P(EvictTable, TakesNoMoreThanMayBeAway) {
  const EvictCase& c = GetParam();
  std::vector<DisruptionBudget> budgets;
  if (c.has_budget) budgets.push_back({.name = "web", .allowed = 1});
  const auto seen =
      UnderWay(Seen(RolloutStrategy::kEvict, {Workload("web", c.pods, budgets)}), c.pods_at_start);
  const RenewalPlan plan = PlanRenewal(seen, kNow);
  EXPECT_EQ(Evicted(plan), c.evicted);
}

INSTANTIATE_TEST_SUITE_P(Table, EvictTable, testing::ValuesIn(kEvictCases),
                         [](const auto& test) { return std::string(test.param.name); });

struct BeginCase {
  std::string_view name;
  RolloutStrategy strategy;
  std::string_view pods;
  bool begins;
};

constexpr BeginCase kBeginCases[] = {
    {"all_wrong", RolloutStrategy::kEvict, "WW", true},
    {"some_wrong", RolloutStrategy::kEvict, "WR", true},
    {"none_wrong", RolloutStrategy::kEvict, "RR", false},
    {"right_but_not_ready", RolloutStrategy::kEvict, "Rr", false},
    {"in_a_rollout_of_its_own", RolloutStrategy::kEvict, "WOr", false},
    {"while_a_pod_is_ending", RolloutStrategy::kEvict, "WE", false},
    {"crashing_since_long", RolloutStrategy::kEvict, "ww", true},
    {"no_strategy", RolloutStrategy::kNone, "WW", false},
    {"template", RolloutStrategy::kTemplate, "WW", true},
};

class BeginTable : public testing::TestWithParam<BeginCase> {};

TEST_P(BeginTable, BeginsOnlyWhatStandsStill) {
  const BeginCase& c = GetParam();
  const RenewalPlan plan = PlanRenewal(Seen(c.strategy, {Workload("web", c.pods)}), kNow);
  EXPECT_EQ(!Begun(plan).empty(), c.begins);
  EXPECT_EQ(!plan.actions.empty(), c.begins);
}

INSTANTIATE_TEST_SUITE_P(Table, BeginTable, testing::ValuesIn(kBeginCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(PlanRenewal, BeginsAtMostSoManyAndSoOften) {
  auto seen =
      Seen(RolloutStrategy::kEvict, {Workload("a", "W"), Workload("b", "W"), Workload("c", "W")});
  seen.settings.max_concurrent = 2;
  RenewalPlan plan = PlanRenewal(seen, kNow);
  EXPECT_THAT(Begun(plan), ElementsAre("Deployment shop/a")) << "they begin 30 s apart";
  EXPECT_EQ(plan.look_again, seconds(30));

  seen.journal = plan.journal;
  plan = PlanRenewal(seen, kNow + seconds(29));
  EXPECT_EQ(Begun(plan).size(), 1U);
  plan = PlanRenewal(seen, kNow + seconds(30));
  EXPECT_THAT(Begun(plan), ElementsAre("Deployment shop/a", "Deployment shop/b"));

  seen.journal = plan.journal;
  plan = PlanRenewal(seen, kNow + seconds(90));
  EXPECT_EQ(Begun(plan).size(), 2U) << "two places, both taken";
}

TEST(PlanRenewal, TheJournalIsWrittenBeforeTheFirstPodGoes) {
  const RenewalPlan plan =
      PlanRenewal(Seen(RolloutStrategy::kEvict, {Workload("web", "WWW")}), kNow);
  EXPECT_TRUE(plan.journal_changed);
  EXPECT_EQ(plan.journal->workloads.front().pods, 3);
  EXPECT_EQ(plan.journal->workloads.front().started, kNow);
  EXPECT_THAT(Evicted(plan), ElementsAre("p0"));
}

TEST(PlanRenewal, IsSilentWhenNothingChanged) {
  const auto seen = UnderWay(Seen(RolloutStrategy::kEvict, {Workload("web", "WWr")}), 3);
  const RenewalPlan plan = PlanRenewal(seen, kNow);
  EXPECT_FALSE(plan.journal_changed);
  EXPECT_THAT(plan.actions, IsEmpty());
  EXPECT_THAT(plan.events, IsEmpty());
}

TEST(PlanRenewal, ANewLeaderGoesOnAndDoesNothingTwice) {
  auto seen = Seen(RolloutStrategy::kTemplate, {Workload("web", "WW")});
  const RenewalPlan first = PlanRenewal(seen, kNow);
  seen.journal = first.journal;
  const RenewalPlan second = PlanRenewal(seen, kNow + seconds(20));
  EXPECT_EQ(second.actions, first.actions) << "the same patch: the API server sees no change";
  EXPECT_FALSE(second.journal_changed);
}

TEST(PlanRenewal, AWorkloadIsDoneWhenItsPodsAreRightAndReady) {
  auto seen = UnderWay(Seen(RolloutStrategy::kEvict, {Workload("web", "RRr")}), 3);
  EXPECT_EQ(Begun(PlanRenewal(seen, kNow)).size(), 1U);
  seen.workloads = {Workload("web", "RRR")};
  const RenewalPlan plan = PlanRenewal(seen, kNow);
  EXPECT_THAT(Begun(plan), IsEmpty());
  ASSERT_EQ(plan.events.size(), 1U);
  EXPECT_EQ(plan.events.front().reason, "Renewed");
}

TEST(PlanRenewal, AWorkloadThatWasScaledDownMeanwhileIsDoneToo) {
  auto seen = UnderWay(Seen(RolloutStrategy::kEvict, {Workload("web", "RR")}), 3);
  seen.workloads.front().unchanged_since = kNow - seconds(5);
  RenewalPlan plan = PlanRenewal(seen, kNow);
  EXPECT_EQ(Begun(plan).size(), 1U);
  EXPECT_EQ(plan.look_again, seconds(25));
  seen.workloads.front().unchanged_since = kNow - kScaledDownAfter;
  EXPECT_THAT(Begun(PlanRenewal(seen, kNow)), IsEmpty());
}

TEST(PlanRenewal, StopsAWorkloadWhoseNewPodsAreWrongTooAndWaitsBeforeTheNext) {
  auto seen =
      UnderWay(Seen(RolloutStrategy::kEvict, {Workload("a", "WWF"), Workload("b", "WW")}), 3);
  RenewalPlan plan = PlanRenewal(seen, kNow);
  EXPECT_THAT(plan.actions, IsEmpty());
  EXPECT_EQ(plan.journal->workloads.front().state, RenewalState::kStuck);
  EXPECT_THAT(plan.journal->workloads.front().message, HasSubstr("doctor"));
  ASSERT_EQ(plan.events.size(), 1U);
  EXPECT_TRUE(plan.events.front().warning);

  seen.journal = plan.journal;
  plan = PlanRenewal(seen, kNow + minutes(1));
  EXPECT_THAT(plan.events, IsEmpty()) << "said once";
  EXPECT_THAT(plan.actions, IsEmpty()) << "b would fare no better";

  plan = PlanRenewal(seen, kNow + kAfterFailure);
  EXPECT_THAT(Evicted(plan), ElementsAre("p0"));
  EXPECT_EQ(plan.journal->workloads.front().started, kNow + kAfterFailure);
}

TEST(PlanRenewal, AStuckWorkloadIsSaidOnceAndHoldsNobodyUp) {
  auto seen = UnderWay(Seen(RolloutStrategy::kEvict, {Workload("a", "WWr"), Workload("b", "W")}), 3,
                       kNow - kStuckAfter);
  seen.workloads.front().watched_since = kLongAgo;
  RenewalPlan plan = PlanRenewal(seen, kNow);
  EXPECT_THAT(Begun(plan), ElementsAre("Deployment shop/a", "Deployment shop/b"));
  EXPECT_EQ(plan.journal->workloads.front().state, RenewalState::kStuck);
  EXPECT_THAT(plan.journal->workloads.front().message, HasSubstr("not become Ready"));
  EXPECT_THAT(Evicted(plan), ElementsAre("p0")) << "of b; a waits for its pod";
  EXPECT_EQ(plan.actions.front().workload.name, "b");

  seen.journal = plan.journal;
  seen.workloads.front().last_progress = kNow;
  seen.workloads.front().pods = Pods("WWR");
  plan = PlanRenewal(seen, kNow + seconds(1));
  EXPECT_EQ(plan.journal->workloads.front().state, RenewalState::kRenewing) << "it moves again";
}

TEST(PlanRenewal, ANewLeaderHasPatienceWithWhatWasUnderWay) {
  auto seen = UnderWay(Seen(RolloutStrategy::kEvict, {Workload("a", "WWr")}), 3, kLongAgo);
  seen.workloads.front().watched_since = kNow;
  EXPECT_FALSE(PlanRenewal(seen, kNow).journal_changed);
}

TEST(PlanRenewal, ARefusalIsShownAndWaitedFor) {
  auto seen = UnderWay(
      Seen(RolloutStrategy::kEvict, {Workload("web", "WWW", {{.name = "web", .allowed = 0}})}), 3);
  seen.workloads.front().not_before = kNow + seconds(10);
  seen.workloads.front().refusal = "Cannot evict pod.";
  RenewalPlan plan = PlanRenewal(seen, kNow);
  EXPECT_THAT(plan.actions, IsEmpty());
  EXPECT_EQ(plan.look_again, seconds(10));
  EXPECT_EQ(plan.journal->workloads.front().state, RenewalState::kWaiting);
  EXPECT_EQ(plan.journal->workloads.front().message, "Cannot evict pod.");

  seen.journal = plan.journal;
  plan = PlanRenewal(seen, kNow + seconds(10));
  EXPECT_FALSE(plan.actions.empty());
  EXPECT_FALSE(plan.journal_changed) << "it still waits, until a step succeeds";
}

TEST(PlanRenewal, TemplateWaitsForEveryBudget) {
  auto seen = Seen(RolloutStrategy::kTemplate,
                   {Workload("web", "WW", {{.name = "a", .allowed = 1}, {.name = "b"}})});
  RenewalPlan plan = PlanRenewal(seen, kNow);
  EXPECT_THAT(plan.actions, IsEmpty());
  EXPECT_EQ(plan.journal->workloads.front().state, RenewalState::kWaiting);
  EXPECT_THAT(plan.journal->workloads.front().message, HasSubstr("shop/b"));

  seen.journal = plan.journal;
  seen.workloads.front().budgets[1].allowed = 1;
  plan = PlanRenewal(seen, kNow);
  ASSERT_EQ(plan.actions.size(), 1U);
  EXPECT_EQ(plan.actions.front().kind, RenewalAction::Kind::kRestart);
  EXPECT_EQ(plan.journal->workloads.front().state, RenewalState::kRenewing);

  seen.workloads.front().restarted_for = plan.journal->workloads.front().started;
  EXPECT_THAT(PlanRenewal(seen, kNow).actions, IsEmpty());
  seen.workloads.front().restarted_for.reset();
  seen.workloads.front().budgets[1].is_current = false;
  EXPECT_THAT(PlanRenewal(seen, kNow).actions, IsEmpty()) << "its status is of an older budget";
}

TEST(PlanRenewal, AReplicaSetOfItsOwnIsRestartedByEvictionOnly) {
  RenewalWorkload workload = Workload("web", "W");
  workload.id.kind = WorkloadKind::kReplicaSet;
  EXPECT_THAT(Begun(PlanRenewal(Seen(RolloutStrategy::kTemplate, {workload}), kNow)), IsEmpty());
  EXPECT_EQ(Begun(PlanRenewal(Seen(RolloutStrategy::kEvict, {workload}), kNow)).size(), 1U);
}

TEST(PlanRenewal, ACanaryIsNotBegunAnew) {
  RenewalWorkload workload = Workload("web", "WO");
  workload.id.kind = WorkloadKind::kArgoRollout;
  EXPECT_THAT(Begun(PlanRenewal(Seen(RolloutStrategy::kTemplate, {workload}), kNow)), IsEmpty());
  EXPECT_EQ(Begun(PlanRenewal(Seen(RolloutStrategy::kEvict, {workload}), kNow)).size(), 1U);
}

TEST(PlanRenewal, APausedOrUnreadyPolicyStopsEverything) {
  auto seen = UnderWay(Seen(RolloutStrategy::kEvict, {Workload("web", "WW")}), 2);
  seen.may_act = false;
  const RenewalPlan plan = PlanRenewal(seen, kNow + kStuckAfter);
  EXPECT_FALSE(plan.journal_changed);
  EXPECT_EQ(plan.journal, seen.journal);
  EXPECT_THAT(plan.actions, IsEmpty());
}

TEST(PlanRenewal, WithoutAStrategyTheJournalGoes) {
  auto seen = UnderWay(Seen(RolloutStrategy::kNone, {Workload("web", "WW")}), 2);
  const RenewalPlan plan = PlanRenewal(seen, kNow);
  EXPECT_TRUE(plan.journal_changed);
  EXPECT_EQ(plan.journal, std::nullopt);
}

TEST(PlanRenewal, ANewDigestBeginsAnew) {
  auto seen = UnderWay(Seen(RolloutStrategy::kEvict, {Workload("web", "WF")}), 2);
  seen.digest = "d2";
  const RenewalPlan plan = PlanRenewal(seen, kNow);
  ASSERT_EQ(plan.journal->workloads.size(), 1U);
  EXPECT_EQ(plan.journal->workloads.front().started, kNow);
  EXPECT_EQ(plan.journal->digest, "d2");
}

TEST(PlanRenewal, AWorkloadBetweenTwoPodsKeepsItsPlaceAndOneThatIsGoneIsForgotten) {
  auto seen = UnderWay(Seen(RolloutStrategy::kEvict, {Workload("web", "W")}), 1);
  seen.workloads.clear();
  seen.without_pods["Deployment shop/web"] = kNow - seconds(1);
  const RenewalPlan plan = PlanRenewal(seen, kNow);
  EXPECT_FALSE(plan.journal_changed);
  EXPECT_EQ(plan.look_again, seconds(29));
  seen.without_pods["Deployment shop/web"] = kNow - kScaledDownAfter;
  EXPECT_THAT(Begun(PlanRenewal(seen, kNow)), IsEmpty());
}

struct WorkloadCase {
  std::string_view name, kind, owner;
  std::vector<Label> labels;
  std::string want;
};

const WorkloadCase kWorkloads[] = {
    {"deployment",
     "ReplicaSet",
     "web-7c9d",
     {{"pod-template-hash", "7c9d"}},
     "Deployment shop/web"},
    {"argo_rollout",
     "ReplicaSet",
     "web-7c9d",
     {{"rollouts-pod-template-hash", "7c9d"}},
     "Rollout shop/web"},
    {"replicaset", "ReplicaSet", "web", {}, "ReplicaSet shop/web"},
    {"statefulset", "StatefulSet", "db", {}, "StatefulSet shop/db"},
    {"daemonset", "DaemonSet", "agent", {}, "DaemonSet shop/agent"},
    {"job", "Job", "once", {}, ""},
    {"unknown_controller", "CloneSet", "x", {}, ""},
    {"bare", "", "", {}, ""},
};

class WorkloadTable : public testing::TestWithParam<WorkloadCase> {};

TEST_P(WorkloadTable, IsToldFromTheOwner) {
  const WorkloadCase& c = GetParam();
  const auto workload = RenewableWorkloadOf("shop", {c.kind, c.owner}, c.labels);
  EXPECT_EQ(workload ? workload->ToString() : "", c.want);
}

INSTANTIATE_TEST_SUITE_P(Table, WorkloadTable, testing::ValuesIn(kWorkloads),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace tracekeeper::domain
