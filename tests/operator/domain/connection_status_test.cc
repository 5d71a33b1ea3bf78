#include "operator/domain/connection_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tracekeeper::domain {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Instant kStart{std::chrono::hours(24 * 365 * 56)};
const Instant kLater = kStart + std::chrono::minutes(5);

ConnectionObservation Working() {
  ConnectionObservation seen;
  seen.generation = 3;
  seen.address = "https://vault:8200";
  seen.vault_version = "1.14.1";
  seen.clock_skew = std::chrono::seconds(1);
  return seen;
}

ConnectionObservation Sealed() {
  ConnectionObservation seen = Working();
  seen.trouble = {"VaultSealed", "Vault is sealed: unseal it", false};
  return seen;
}

ConnectionObservation Refused() {
  ConnectionObservation seen = Working();
  seen.trouble = {"VaultLoginRefused", "Vault refused the login: check the role", true};
  return seen;
}

ConnectionObservation Skewed(std::chrono::seconds by) {
  ConnectionObservation seen = Working();
  seen.clock_skew = by;
  return seen;
}

/// "True LoggedIn" of a condition.
std::string Of(const ConnectionStatusPlan& plan, std::string_view type) {
  const kube::Condition* condition = kube::FindCondition(plan.status.conditions, type);
  if (condition == nullptr) return "none";
  return std::string(kube::NameOf(condition->status)) + " " + condition->reason;
}

struct StatusCase {
  std::string_view name;
  ConnectionObservation seen;
  std::string_view ready, reconciling, stalled, clock;
};

class ConnectionStatus : public ::testing::TestWithParam<StatusCase> {};

TEST_P(ConnectionStatus, SaysWhatIsTrueOfTheConnection) {
  const StatusCase& row = GetParam();
  const ConnectionStatusPlan plan = PlanConnectionStatus(row.seen, kStart);
  EXPECT_EQ(Of(plan, "Ready"), row.ready);
  EXPECT_EQ(Of(plan, "Reconciling"), row.reconciling);
  EXPECT_EQ(Of(plan, "Stalled"), row.stalled);
  EXPECT_EQ(Of(plan, "ClockInSync"), row.clock);
  EXPECT_EQ(plan.status.observed_generation, 3);
  EXPECT_TRUE(plan.is_changed);
  for (const kube::Condition& condition : plan.status.conditions) {
    EXPECT_TRUE(kube::ValidateCondition(condition)) << condition.type;
    EXPECT_EQ(condition.observed_generation, 3);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, ConnectionStatus,
    ::testing::Values(StatusCase{"working", Working(), "True LoggedIn", "False Settled",
                                 "False NotStalled", "True InSync"},
                      StatusCase{"sealed", Sealed(), "False VaultSealed", "True Progressing",
                                 "False NotStalled", "True InSync"},
                      StatusCase{"refused", Refused(), "False VaultLoginRefused", "False Settled",
                                 "True VaultLoginRefused", "True InSync"},
                      StatusCase{"ahead", Skewed(std::chrono::seconds(31)), "True LoggedIn",
                                 "False Settled", "False NotStalled", "False VaultClockSkew"},
                      StatusCase{"behind", Skewed(std::chrono::seconds(-3600)), "True LoggedIn",
                                 "False Settled", "False NotStalled", "False VaultClockSkew"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ConnectionStatusPlans, AreWrittenOnceAndNotForEachLook) {
  ConnectionObservation seen = Sealed();
  const ConnectionStatusPlan first = PlanConnectionStatus(seen, kStart);
  EXPECT_THAT(first.events, SizeIs(1));
  seen.published = first.status;
  seen.clock_skew = std::chrono::seconds(3);  // moves with each look, within what is tolerated
  const ConnectionStatusPlan second = PlanConnectionStatus(seen, kLater);
  EXPECT_FALSE(second.is_changed);
  EXPECT_EQ(second.status, first.status);
  EXPECT_THAT(second.events, IsEmpty());
}

TEST(ConnectionStatusPlans, TellWhatChangedAndWhen) {
  ConnectionObservation seen = Working();
  seen.published = PlanConnectionStatus(Sealed(), kStart).status;
  const ConnectionStatusPlan plan = PlanConnectionStatus(seen, kLater);
  EXPECT_TRUE(plan.is_changed);
  ASSERT_THAT(plan.events, SizeIs(1));
  EXPECT_FALSE(plan.events[0].warning);
  EXPECT_EQ(plan.events[0].reason, "LoggedIn");
  EXPECT_EQ(plan.events[0].note, "Logged in to Vault 1.14.1 at https://vault:8200.");
  EXPECT_EQ(kube::FindCondition(plan.status.conditions, "Ready")->last_transition_time, kLater);
  EXPECT_EQ(kube::FindCondition(plan.status.conditions, "Stalled")->last_transition_time, kStart);
}

TEST(ConnectionStatusPlans, TellANewReasonOfAnOldTrouble) {
  ConnectionObservation seen = Refused();
  seen.published = PlanConnectionStatus(Sealed(), kStart).status;
  const ConnectionStatusPlan plan = PlanConnectionStatus(seen, kLater);
  ASSERT_THAT(plan.events, SizeIs(1));
  EXPECT_TRUE(plan.events[0].warning);
  EXPECT_EQ(plan.events[0].reason, "VaultLoginRefused");
  EXPECT_EQ(kube::FindCondition(plan.status.conditions, "Ready")->last_transition_time, kStart);
}

TEST(ConnectionStatusPlans, NameTheSkewInWholeMinutes) {
  ConnectionObservation seen = Skewed(std::chrono::seconds(-200));
  const ConnectionStatusPlan plan = PlanConnectionStatus(seen, kStart);
  EXPECT_THAT(kube::FindCondition(plan.status.conditions, "ClockInSync")->message,
              HasSubstr("up to 4 min behind the operator's"));
  seen.published = plan.status;
  seen.clock_skew = std::chrono::seconds(-205);
  EXPECT_FALSE(PlanConnectionStatus(seen, kLater).is_changed);
}

}  // namespace
}  // namespace tracekeeper::domain
