#include "analyzer/cluster_trouble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/manual_clock.h"

namespace tracekeeper::analyzer {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kPolicies = ClusterResource::kPolicies;
constexpr auto kPods = ClusterResource::kPods;
constexpr auto kNothing = HeldBefore::kNothing;
constexpr auto kSomething = HeldBefore::kSomething;

TEST(ClusterTroubleSentence, SaysWhatToDoAndWhatItMeansForTheVerdicts) {
  struct Case {
    ClusterResource resource;
    ErrorKind kind;
    HeldBefore held;
    const char* advice;
    const char* consequence;
  };
  for (const Case& each : std::initializer_list<Case>{
           {kPolicies, ErrorKind::kForbidden, kNothing,
            "grant list and watch on tracingpolicies of tracekeeper.dev",
            "judges without policies"},
           {kPolicies, ErrorKind::kForbidden, kSomething, "grant list and watch",
            "goes on with the TracingPolicies that it has"},
           {kPolicies, ErrorKind::kNotFound, kNothing, "install the chart tracekeeper-crds",
            "judges without policies"},
           {kPolicies, ErrorKind::kUnavailable, kNothing, "tries again", "judges without policies"},
           {kPods, ErrorKind::kForbidden, kNothing, "grant list and watch on pods",
            "by the rules of all together"},
           {kPods, ErrorKind::kNotFound, kNothing, "tries again", "by the rules of all together"},
           {kPods, ErrorKind::kTimeout, kSomething, "tries again",
            "goes on with the pods that it has"}}) {
    EXPECT_THAT(SentenceOf(each.resource, each.kind, each.held),
                AllOf(HasSubstr(each.advice), HasSubstr(each.consequence)));
  }
}

class ClusterTroubleTest : public testing::Test {
 protected:
  void Tell(ErrorKind kind, HeldBefore held = kNothing) { trouble_.Tell({kind, "why", {}}, held); }
  std::vector<std::string> TakeLevels() { return std::exchange(levels_, {}); }

  test_support::ManualClock clock_;
  std::vector<std::string> levels_;
  Log log_{LogLevel::kDebug, [this](LogLevel level, std::string_view) {
             constexpr const char* kNames[] = {"debug", "info", "warn", "error"};
             levels_.emplace_back(kNames[static_cast<int>(level)]);
           }};
  ClusterTrouble trouble_{kPolicies, clock_, Logger(log_)};
};

TEST_F(ClusterTroubleTest, SaysTheSameOnceUntilTenMinutesHavePassed) {
  EXPECT_THAT(TakeLevels(), IsEmpty());
  Tell(ErrorKind::kForbidden);
  Tell(ErrorKind::kForbidden);
  EXPECT_THAT(TakeLevels(), ElementsAre("error", "debug"));
  clock_.Advance(ClusterTrouble::kAgain);
  Tell(ErrorKind::kForbidden);
  EXPECT_THAT(TakeLevels(), ElementsAre("error"));
}

TEST_F(ClusterTroubleTest, SaysWhatIsNewAtOnce) {
  Tell(ErrorKind::kUnavailable);
  Tell(ErrorKind::kTimeout);
  Tell(ErrorKind::kNotFound);
  Tell(ErrorKind::kForbidden);
  Tell(ErrorKind::kForbidden, kSomething);
  EXPECT_THAT(TakeLevels(), ElementsAre("warn", "debug", "error", "error", "error"));
}

}  // namespace
}  // namespace tracekeeper::analyzer
