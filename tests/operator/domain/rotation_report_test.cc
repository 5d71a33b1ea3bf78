#include "operator/domain/rotation_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/operator/domain/rotation_samples.h"

namespace tracekeeper::domain {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using Wait = RotationWait;

struct RequestCase {
  const char* name;
  std::vector<std::string> accepted;
  std::vector<std::string> seen;
  std::vector<std::string> want;
};

class Requests : public testing::TestWithParam<RequestCase> {};

TEST_P(Requests, EachNewValueIsAcceptedOnce) {
  RotationJournal journal = Idle();
  journal.accepted = GetParam().accepted;
  EXPECT_EQ(NewRequests(journal, GetParam().seen), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Requests,
    testing::Values(RequestCase{"none", {}, {}, {}}, RequestCase{"first", {}, {"a"}, {"a"}},
                    RequestCase{"two", {}, {"a", "b"}, {"a", "b"}},
                    RequestCase{"still_there", {"a"}, {"a"}, {}},
                    RequestCase{"one_more", {"a"}, {"a", "b"}, {"b"}},
                    RequestCase{"by_another_leader", {"x", "a", "b"}, {"a", "b"}, {}},
                    RequestCase{"there_and_back", {"a"}, {"a", "b", "a"}, {"b", "a"}},
                    RequestCase{"back_later", {"a", "b"}, {"a"}, {"a"}},
                    RequestCase{"seen_twice", {}, {"a", "a"}, {"a"}},
                    RequestCase{"taken_away", {"a"}, {"a", ""}, {}},
                    RequestCase{"another_after_a_while", {"a"}, {"c"}, {"c"}}),
    [](const auto& param) { return param.param.name; });

TEST(Requests, BeyondTheQueueAreAcceptedLater) {
  RotationJournal journal = Idle();
  journal.requests.assign(RotationJournal::kMostRequests - 1, "x");
  EXPECT_THAT(NewRequests(journal, {"a", "b"}), ElementsAre("a"));
  journal.requests.push_back("x");
  EXPECT_THAT(NewRequests(journal, {"a", "b"}), IsEmpty());
}

TEST(NewRotationJournal, GoesOnFromWhatTheTargetCarries) {
  const RotationJournal journal =
      NewRotationJournal({"shop/checkout", "uid", "otlp"},
                         {.sequence = 57, .epoch = 9, .begun = kNow - hours(50)}, kNow);
  EXPECT_EQ(journal.sequence, 57);
  EXPECT_EQ(journal.epoch, 9);
  EXPECT_EQ(journal.begun.at, kNow - hours(50));
}

struct ReportCase {
  const char* name;
  RotationJournal journal;
  RotationFacts facts;
  RotationWait waiting_for;
  kube::ConditionStatus rotated;
  const char* reason;
  bool is_stalled;
  bool may_be_ready;
};

class Reports : public testing::TestWithParam<ReportCase> {};

TEST_P(Reports, FollowTheTable) {
  const ReportCase& c = GetParam();
  const CredentialReport report = ReportOf(c.journal, Spec(), c.facts, c.waiting_for, kNow);
  EXPECT_EQ(report.rotated, c.rotated);
  EXPECT_EQ(report.reason, c.reason);
  EXPECT_EQ(report.is_stalled, c.is_stalled);
  EXPECT_EQ(report.may_be_ready, c.may_be_ready);
  EXPECT_FALSE(report.message.empty());
}

constexpr auto kTrue = kube::ConditionStatus::kTrue;
constexpr auto kFalse = kube::ConditionStatus::kFalse;
constexpr auto kUnknown = kube::ConditionStatus::kUnknown;

RotationJournal LastSuccess(RotationJournal journal, Duration ago) {
  journal.last_success = Moment::Of(kNow - ago);
  return journal;
}
RotationJournal Failing(const char* label) {
  return But(Idle(), [&](RotationJournal& j) { j.failure = FailureRecord{label, {}, 1}; });
}

INSTANTIATE_TEST_SUITE_P(
    Table, Reports,
    testing::Values(
        ReportCase{"in_use", Idle(), Facts(), Wait::kDue, kTrue, "Rotated", false, true},
        ReportCase{"new", New(), Facts(), Wait::kSource, kUnknown, "Adopting", false, false},
        ReportCase{"under_way", Draining(minutes(5)), Facts(), Wait::kOverlap, kTrue, "Rotating",
                   false, true},
        ReportCase{"stuck",
                   But(Draining(minutes(16)), [](RotationJournal& j) { j.stale_consumers = 1; }),
                   Facts(), Wait::kConsumers, kFalse, "ConsumersStale", false, true},
        ReportCase{"overdue",
                   But(Idle(), [](RotationJournal& j) { j.begun = Moment::Of(kNow - hours(73)); }),
                   Facts(), Wait::kSource, kFalse, "Overdue", false, true},
        ReportCase{"paused", Idle(), Facts(), Wait::kPaused, kFalse, "Paused", false, true},
        ReportCase{"deleted", Idle(), Source(SourceState::kDeleted), Wait::kHeld, kFalse,
                   "SourceDeleted", true, false},
        ReportCase{"destroyed", Idle(), Source(SourceState::kDestroyed), Wait::kHeld, kFalse,
                   "SourceDestroyed", true, false},
        ReportCase{"sealed", Failing("sealed"), Facts(), Wait::kDue, kFalse, "VaultSealed", false,
                   true},
        ReportCase{"unknown_failure", Failing("of_a_newer_version"), Facts(), Wait::kDue, kFalse,
                   "InternalError", false, true},
        ReportCase{"just_young_enough", LastSuccess(Idle(), hours(108)), Facts(), Wait::kDue, kTrue,
                   "Rotated", false, true},
        ReportCase{"too_old", LastSuccess(Idle(), hours(108) + seconds(1)), Facts(), Wait::kDue,
                   kFalse, "Overdue", false, false},
        ReportCase{"too_old_and_sealed", LastSuccess(Failing("sealed"), hours(200)), Facts(),
                   Wait::kSource, kFalse, "VaultSealed", false, false}),
    [](const auto& param) { return param.param.name; });

TEST(Reports, GoByTheVersionInUseWhileTheNextOneCannotBeActivated) {
  const RotationJournal idle = Idle();
  const RotationJournal shifted = But(idle, [](RotationJournal& j) {
    j.phase = RotationPhase::kActivate;
    j.phase_began = Moment::Of(kNow - hours(2));
    j.previous = j.current;
    ++j.current->number;
    j.current->activated.reset();
  });
  const CredentialReport report = ReportOf(shifted, Spec(), Facts(), Wait::kNothing, kNow);
  EXPECT_EQ(report.last_rotation, idle.current->activated->at);
  EXPECT_EQ(report.phase_began, kNow - hours(2));
}

}  // namespace
}  // namespace tracekeeper::domain
