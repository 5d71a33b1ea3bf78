#include "operator/domain/plan_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tracekeeper::domain {
namespace {

const Instant kStart{std::chrono::hours(24 * 365 * 56)};
const Instant kLater = kStart + std::chrono::minutes(5);

PolicyObservation Healthy() {
  PolicyObservation seen;
  seen.generation = 3;
  seen.namespaces = 2;
  seen.pods = {.matched = 4, .injected = 4};
  return seen;
}

/// "True Covered" of a condition.
std::string Of(const StatusPlan& plan, std::string_view type) {
  const kube::Condition* condition = kube::FindCondition(plan.conditions, type);
  if (condition == nullptr) return "none";
  return std::string(kube::NameOf(condition->status)) + " " + condition->reason;
}

/// What the server holds after `plan` was written.
PolicyObservation After(PolicyObservation seen, const StatusPlan& plan) {
  seen.conditions = plan.conditions;
  seen.observed_generation = plan.observed_generation;
  seen.published_pods = plan.pods;
  seen.published_configuration = plan.configuration;
  return seen;
}

struct StatusCase {
  std::string_view name;
  PolicyObservation (*observe)();
  std::string_view ready, reconciling, stalled, injected;
};

const StatusCase kCases[] = {
    {"healthy", Healthy, "True Covered", "False Settled", "False NotStalled",
     "True AllPodsInjected"},
    {"no_pods",
     [] {
       PolicyObservation seen = Healthy();
       seen.pods = {};
       return seen;
     },
     "True Covered", "False Settled", "False NotStalled", "True NoPods"},
    {"webhook_on_its_way",
     [] {
       PolicyObservation seen = Healthy();
       seen.uncovered_namespaces = {"shop"};
       return seen;
     },
     "False WebhookNotCovering", "True Progressing", "False NotStalled", "True AllPodsInjected"},
    {"webhook_out_of_reach",
     [] {
       PolicyObservation seen = Healthy();
       seen.webhook_trouble = "The API server cannot call the webhook: connection refused";
       return seen;
     },
     "False WebhookNotCovering", "True Progressing", "False NotStalled", "True AllPodsInjected"},
    {"config_map_refused",
     [] {
       PolicyObservation seen = Healthy();
       seen.config_map_errors = {"shop: forbidden"};
       return seen;
     },
     "False ConfigMapNotWritten", "True Progressing", "False NotStalled", "True AllPodsInjected"},
    {"cannot_be_compiled",
     [] {
       PolicyObservation seen = Healthy();
       seen.compile_error = "no image";
       return seen;
     },
     "False PolicyInvalid", "False Settled", "True PolicyInvalid", "True AllPodsInjected"},
    {"paused",
     [] {
       PolicyObservation seen = Healthy();
       seen.paused = true;
       return seen;
     },
     "False PolicyPaused", "False Settled", "False NotStalled", "True AllPodsInjected"},
    {"selector_ignored_but_served",
     [] {
       PolicyObservation seen = Healthy();
       seen.findings = {{Reason::kNamespaceSelectorIgnored, ""}};
       return seen;
     },
     "True Covered", "False Settled", "True NamespaceSelectorIgnored", "True AllPodsInjected"},
    {"fleet_without_selector",
     [] {
       PolicyObservation seen = Healthy();
       seen.findings = {{Reason::kFleetWithoutNamespaceSelector, ""}};
       return seen;
     },
     "False FleetWithoutNamespaceSelector", "False Settled", "True FleetWithoutNamespaceSelector",
     "True AllPodsInjected"},
    {"shadowed",
     [] {
       PolicyObservation seen = Healthy();
       seen.shadowed_by = {"shop/first"};
       return seen;
     },
     "True PolicyShadowed", "False Settled", "False NotStalled", "True AllPodsInjected"},
    {"pods_slipped_through",
     [] {
       PolicyObservation seen = Healthy();
       seen.pods = {.matched = 4, .injected = 3, .outdated = 1};
       return seen;
     },
     "True Covered", "False Settled", "False NotStalled", "False MissingInjection"},
    {"pods_outdated",
     [] {
       PolicyObservation seen = Healthy();
       seen.pods = {.matched = 4, .injected = 4, .outdated = 2};
       return seen;
     },
     "True Covered", "False Settled", "False NotStalled", "False OutdatedInjection"},
};

class StatusTable : public testing::TestWithParam<StatusCase> {};

TEST_P(StatusTable, SaysWhatIsTrue) {
  const StatusCase& c = GetParam();
  const StatusPlan plan = PlanStatus(c.observe(), kStart);
  EXPECT_EQ(Of(plan, kReadyCondition), c.ready);
  EXPECT_EQ(Of(plan, kReconcilingCondition), c.reconciling);
  EXPECT_EQ(Of(plan, kStalledCondition), c.stalled);
  EXPECT_EQ(Of(plan, kInjectedCondition), c.injected);
  EXPECT_EQ(plan.observed_generation, 3);
  for (const kube::Condition& condition : plan.conditions) {
    EXPECT_TRUE(kube::ValidateCondition(condition)) << condition.type;
    EXPECT_FALSE(condition.message.empty());
  }
}

TEST_P(StatusTable, IsSilentWhenNothingChanged) {
  const PolicyObservation seen = GetParam().observe();
  const StatusPlan first = PlanStatus(seen, kStart);
  const StatusPlan second = PlanStatus(After(seen, first), kLater);
  EXPECT_FALSE(second.conditions_changed);
  EXPECT_FALSE(second.counts_changed);
  EXPECT_EQ(second.conditions, first.conditions) << "times move on transitions only";
  EXPECT_TRUE(second.events.empty());
}

INSTANTIATE_TEST_SUITE_P(Table, StatusTable, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(PlanStatus, AnnouncesReadyOnce) {
  PolicyObservation starting = Healthy();
  starting.uncovered_namespaces = {"shop"};
  const StatusPlan first = PlanStatus(starting, kStart);
  EXPECT_TRUE(first.events.empty()) << "a new policy is on its way";

  const StatusPlan second = PlanStatus(After(Healthy(), first), kLater);
  ASSERT_EQ(second.events.size(), 1U);
  EXPECT_EQ(second.events.front().reason, "Ready");
  EXPECT_FALSE(second.events.front().warning);
  EXPECT_EQ(kube::FindCondition(second.conditions, kReadyCondition)->last_transition_time, kLater);
  EXPECT_EQ(kube::FindCondition(second.conditions, kInjectedCondition)->last_transition_time,
            kStart);
}

TEST(PlanStatus, WarnsOnceWhenPodsSlipThroughAndAgainAfterTheyWereFine) {
  PolicyObservation seen = After(Healthy(), PlanStatus(Healthy(), kStart));
  seen.pods = {.matched = 4, .injected = 3};
  const StatusPlan missing = PlanStatus(seen, kLater);
  ASSERT_EQ(missing.events.size(), 1U);
  EXPECT_TRUE(missing.events.front().warning);
  EXPECT_EQ(missing.events.front().reason, "MissingInjection");
  EXPECT_TRUE(missing.counts_changed);

  seen = After(seen, missing);
  seen.pods = {.matched = 9, .injected = 5};
  const StatusPlan more = PlanStatus(seen, kLater);
  EXPECT_TRUE(more.events.empty());
  EXPECT_FALSE(more.conditions_changed) << "only numbers moved";
  EXPECT_TRUE(more.counts_changed);
}

TEST(PlanStatus, ToldByOneEventWhenReadyAndStalledSayTheSame) {
  PolicyObservation seen = After(Healthy(), PlanStatus(Healthy(), kStart));
  seen.compile_error = "no image for the sidecar";
  const StatusPlan plan = PlanStatus(seen, kLater);
  ASSERT_EQ(plan.events.size(), 1U);
  EXPECT_EQ(plan.events.front().reason, "PolicyInvalid");
  EXPECT_THAT(plan.events.front().note, testing::HasSubstr("no image for the sidecar"));
}

TEST(PlanStatus, ANewGenerationIsWrittenEvenWhenNothingElseChanged) {
  PolicyObservation seen = After(Healthy(), PlanStatus(Healthy(), kStart));
  seen.generation = 4;
  const StatusPlan plan = PlanStatus(seen, kLater);
  EXPECT_TRUE(plan.conditions_changed);
  EXPECT_EQ(plan.observed_generation, 4);
}

TEST(PlanStatus, TellsEachReasonOnceWhenPodsBeginToHaveIt) {
  PolicyObservation seen = After(Healthy(), PlanStatus(Healthy(), kStart));
  seen.pods.reasons = {{Reason::kSkippedHostNetwork, 2}};
  seen.examples = {{Reason::kSkippedHostNetwork, "shop/agent-1"}};
  const StatusPlan first = PlanStatus(seen, kLater);
  EXPECT_TRUE(first.counts_changed);
  EXPECT_FALSE(first.conditions_changed);
  ASSERT_EQ(first.events.size(), 1U);
  EXPECT_EQ(first.events.front().reason, "InjectionSkippedHostNetwork");
  EXPECT_THAT(first.events.front().note, testing::HasSubstr("Pods: 2, for example shop/agent-1."));

  seen = After(seen, first);
  seen.pods.reasons = {{Reason::kSkippedHostNetwork, 5}};
  const StatusPlan more = PlanStatus(seen, kLater);
  EXPECT_TRUE(more.events.empty());
  EXPECT_TRUE(more.counts_changed);

  seen = After(seen, more);
  seen.pods.reasons = {};
  seen = After(seen, PlanStatus(seen, kLater));
  seen.pods.reasons = {{Reason::kSkippedHostNetwork, 1}};
  EXPECT_EQ(PlanStatus(seen, kLater).events.size(), 1U) << "it had gone, and is back";
}

TEST(PlanStatus, WhatAConditionHasToldIsNotToldTwice) {
  PolicyObservation seen = After(Healthy(), PlanStatus(Healthy(), kStart));
  seen.pods = {.matched = 4, .injected = 3, .reasons = {{Reason::kMissingInjection, 1}}};
  const StatusPlan plan = PlanStatus(seen, kLater);
  ASSERT_EQ(plan.events.size(), 1U);
  EXPECT_EQ(plan.events.front().reason, "MissingInjection");
}

TEST(PlanStatus, SidecarsMoveTheStatusByTransitionsAndCountsByAndBy) {
  PolicyObservation seen = After(Healthy(), PlanStatus(Healthy(), kStart));
  seen.sidecars = SidecarSync{.digest = "new", .running = {{"old", 4}}, .behind_example = "shop/a"};
  const StatusPlan behind = PlanStatus(seen, kLater);
  EXPECT_EQ(Of(behind, kConfigurationInSyncCondition), "False SidecarsBehind");
  EXPECT_TRUE(behind.conditions_changed);

  seen = After(seen, behind);
  seen.sidecars->running = {{"new", 1}, {"old", 3}};
  const StatusPlan fewer = PlanStatus(seen, kLater);
  EXPECT_FALSE(fewer.conditions_changed) << "only numbers moved";
  EXPECT_TRUE(fewer.counts_changed);

  seen = After(seen, fewer);
  seen.sidecars.reset();  // a new leader has not asked yet
  const StatusPlan unasked = PlanStatus(seen, kLater);
  EXPECT_FALSE(unasked.conditions_changed || unasked.counts_changed);
  EXPECT_EQ(unasked.configuration, fewer.configuration);

  seen.reads_sidecars = false;
  EXPECT_EQ(Of(PlanStatus(seen, kLater), kConfigurationInSyncCondition), "none");
}

TEST(PlanStatus, KeepsConditionsOfOthers) {
  PolicyObservation seen = Healthy();
  seen.conditions = {
      {.type = "DataFlowing", .status = kube::ConditionStatus::kTrue, .reason = "x"}};
  EXPECT_EQ(Of(PlanStatus(seen, kStart), "DataFlowing"), "True x");
}

}  // namespace
}  // namespace tracekeeper::domain
