// Whole lives of a credential in virtual time, with every kind of trouble (rotation_world.h).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/kube/conditions.h"
#include "tests/operator/controllers/rotation_world.h"

namespace tracekeeper::controllers {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

void ExpectWhole(const RotationWorld& world) {
  EXPECT_THAT(world.violations(), IsEmpty());
  const domain::AuditVerdict audit = world.CheckAudit();
  EXPECT_FALSE(audit.fault) << audit.fault->line << ": " << audit.fault->sentence;
}

TEST(RotationSimulation, RotatesEveryPeriodAndRetiresWhatItReplaced) {
  RotationWorld world(QuietWorld());
  world.RunFor(hours(72) * 25 + hours(4));
  ExpectWhole(world);
  EXPECT_GE(world.versions(), 26);
  EXPECT_LE(world.versions(), 29) << "a tenth early at most";
  EXPECT_EQ(world.retired(), world.versions() - 1);
  EXPECT_EQ(world.report().reason, "Rotated");
  EXPECT_TRUE(world.report().may_be_ready);
}

TEST(RotationSimulation, ConsumersThatAreSlowerThanTheOverlapAreWaitedFor) {
  RotationWorldOptions options = QuietWorld();
  options.consumer_delay = hours(20);
  options.spec.drain_patience = hours(1);
  RotationWorld world(options);
  world.RunFor(hours(2));
  world.RequestRotation("go");
  world.RunFor(hours(3));
  EXPECT_EQ(world.retired(), 0);
  EXPECT_EQ(world.report().reason, "ConsumersStale");
  world.RunFor(hours(72) * 10);
  ExpectWhole(world);
  EXPECT_GE(world.retired(), 10);
}

/// One rotation, struck once at each of its calls.
class EveryCall : public testing::TestWithParam<Strike> {};

int CallsOfOneRotation() {
  RotationWorld world(QuietWorld());
  world.RunFor(hours(2));
  const int before = world.calls();
  world.RunUntilRetired(1);
  return world.calls() - before;
}

TEST_P(EveryCall, MayBeTheLast) {
  const int calls = CallsOfOneRotation();
  ASSERT_GT(calls, 30);
  for (int call = 1; call <= calls + 5; ++call) {
    for (const Duration hang : {Duration(minutes(2)), Duration(hours(3)), Duration(hours(110))}) {
      if (GetParam() != Strike::kHangAndBeReplaced && hang != minutes(2)) continue;
      RotationWorld world(QuietWorld(static_cast<std::uint64_t>(call)));
      world.RunFor(hours(2));
      world.StrikeAt(call, GetParam(), hang);
      world.RunUntilRetired(3);
      ExpectWhole(world);
      ASSERT_GE(world.retired(), 3) << "call " << call;
      ASSERT_EQ(world.crashes() + world.hangs(), 1) << "call " << call;
      ASSERT_FALSE(testing::Test::HasFailure())
          << "call " << call << " hang " << hang / hours(1) << " h";
    }
  }
}

/// The very first version too: from no journal to the first value in use.
TEST_P(EveryCall, OfAnAdoptionMayBeTheLast) {
  for (int call = 1; call <= 25; ++call) {
    RotationWorld world(QuietWorld(static_cast<std::uint64_t>(call)));
    world.StrikeAt(call, GetParam(), hours(1));
    world.RunFor(hours(60));
    ExpectWhole(world);
    ASSERT_EQ(world.versions(), 1) << "call " << call;
    ASSERT_EQ(world.report().reason, "Rotated");
    ASSERT_FALSE(testing::Test::HasFailure()) << "call " << call;
  }
}

INSTANTIATE_TEST_SUITE_P(Strikes, EveryCall,
                         testing::Values(Strike::kDieBefore, Strike::kDieAfter, Strike::kHang,
                                         Strike::kHangAndBeReplaced),
                         [](const auto& param) {
                           switch (param.param) {
                             case Strike::kDieBefore:
                               return "DieBefore";
                             case Strike::kDieAfter:
                               return "DieAfter";
                             case Strike::kHang:
                               return "Hang";
                             default:
                               return "HangAndBeReplaced";
                           }
                         });

class Seeds : public testing::TestWithParam<int> {};

TEST_P(Seeds, SurviveAllTroubleAtOnce) {
  RotationWorld world(TroubledWorld(static_cast<std::uint64_t>(GetParam())));
  world.RunFor(hours(72) * 25);
  ExpectWhole(world);
  EXPECT_GE(world.retired(), 20);
  EXPECT_GT(world.crashes(), 20);
  EXPECT_GT(world.hangs(), 5);
}

INSTANTIATE_TEST_SUITE_P(Many, Seeds, testing::Range(1, 21));

TEST(RotationSimulation, TwoRequestsWithinAMillisecondAreTwoRotations) {
  RotationWorld world(QuietWorld());
  world.RunFor(hours(2));
  world.RequestRotation("a");
  world.RunFor(std::chrono::microseconds(500));
  world.RequestRotation("b");
  world.RunFor(hours(6));
  ExpectWhole(world);
  EXPECT_EQ(world.versions(), 3);
  EXPECT_EQ(world.retired(), 2);
  world.RestartLeader();
  world.RunFor(hours(6));
  EXPECT_EQ(world.versions(), 3) << "a value that is still there asks for nothing";
}

TEST(RotationSimulation, TwoRequestsSeenAtOnceAreTwoRotations) {
  RotationWorld world(QuietWorld());
  world.RunFor(hours(2));
  world.RequestRotation("a");
  world.RequestRotation("b");
  world.RequestRotation("a");
  world.RunFor(hours(8));
  ExpectWhole(world);
  EXPECT_EQ(world.versions(), 4);
}

TEST(RotationSimulation, ARequestSurvivesEveryStrike) {
  for (const Strike strike : {Strike::kDieBefore, Strike::kDieAfter, Strike::kHangAndBeReplaced}) {
    for (int call = 1; call < 40; ++call) {
      RotationWorld world(QuietWorld(static_cast<std::uint64_t>(call)));
      world.RunFor(hours(2));
      world.StrikeAt(call, strike, minutes(20));
      world.RequestRotation("now");
      world.RunFor(hours(6));
      ExpectWhole(world);
      ASSERT_EQ(world.versions(), 2) << "call " << call;
    }
  }
}

class WallJumps : public testing::TestWithParam<int> {};

TEST_P(WallJumps, CauseNeitherMissedNorEarlyRotations) {
  for (int hour = 1; hour < 72; hour += 5) {
    for (const bool restarts : {false, true}) {
      RotationWorld world(QuietWorld(static_cast<std::uint64_t>(hour)));
      world.RunFor(hours(hour));
      world.SetWallError(hours(GetParam()));
      if (restarts) world.RestartLeader();
      world.RunFor(hours(72) * 3);
      ExpectWhole(world);
      ASSERT_GE(world.versions(), 4);
      ASSERT_LE(world.versions(), 5);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Hours, WallJumps, testing::Values(-6, 6),
                         [](const auto& param) { return param.param < 0 ? "Back" : "Ahead"; });

TEST(RotationSimulation, ASealedVaultDelaysByNoMoreThanItsSealAndAMinute) {
  for (int hour = 50; hour < 76; hour += 2) {
    RotationWorld world(QuietWorld(static_cast<std::uint64_t>(hour)));
    world.RunFor(hours(hour));
    world.SealFor(hours(30));
    world.RunFor(hours(29));
    EXPECT_EQ(world.report().reason, "VaultSealed");
    world.RunFor(hours(5));
    ExpectWhole(world);
    EXPECT_EQ(world.report().rotated, kube::ConditionStatus::kTrue) << world.report().reason;
    EXPECT_GE(world.versions(), 2);
  }
}

TEST(RotationSimulation, ALongSealIsWrittenDownSeldom) {
  RotationWorld world(QuietWorld());
  world.RunFor(hours(5));
  const std::int64_t before = world.journal().sequence;
  world.SealFor(hours(4));
  world.RunFor(hours(10));
  EXPECT_LE(world.journal().sequence - before, 11) << "of some 500 failures";
  EXPECT_GE(world.journal().sequence - before, 3);
  EXPECT_FALSE(world.journal().failure) << "it is over";
}

TEST(RotationSimulation, ADeletedSourceKeepsTheLastGoodValueAndSaysSo) {
  RotationWorld world(QuietWorld());
  world.RunFor(hours(5));
  const std::string good = world.current_value();
  world.DeleteTip();
  world.RunFor(hours(72) * 3);
  ExpectWhole(world);
  EXPECT_EQ(world.current_value(), good);
  EXPECT_EQ(world.versions(), 1);
  EXPECT_EQ(world.report().reason, "SourceDeleted");
  EXPECT_TRUE(world.report().is_stalled);
  EXPECT_FALSE(world.report().may_be_ready);
}

TEST(RotationSimulation, AfterADeletionARequestMakesANewVersion) {
  RotationWorld world(QuietWorld());
  world.RunFor(hours(5));
  world.DeleteTip();
  world.RunFor(hours(7));
  world.RequestRotation("mend");
  world.RunFor(hours(7));
  ExpectWhole(world);
  EXPECT_EQ(world.versions(), 2);
  EXPECT_EQ(world.report().reason, "Rotated");
}

TEST(RotationSimulation, WhatAnotherWriterStoredIsTaken) {
  RotationWorld world(QuietWorld());
  world.RunFor(hours(5));
  world.WriteSource("theirs");
  world.RunFor(hours(9));
  ExpectWhole(world);
  EXPECT_EQ(world.current_value(), "theirs");
  EXPECT_EQ(world.retired(), 1);
}

TEST(RotationSimulation, ALostJournalIsAdoptedAnewAndRepeatsNoRotation) {
  RotationWorld world(QuietWorld());
  world.RunFor(hours(72) * 3);
  const std::int64_t epoch = world.journal().epoch;
  const std::string good = world.current_value();
  world.LoseJournal();
  world.RunFor(hours(12));
  EXPECT_EQ(world.current_value(), good);
  EXPECT_GT(world.journal().epoch, epoch);
  world.RunFor(hours(72) * 2);
  EXPECT_THAT(world.violations(), IsEmpty());
  EXPECT_EQ(world.report().reason, "Rotated");
}

TEST(RotationSimulation, PausedNothingIsWritten) {
  RotationWorldOptions options = QuietWorld();
  RotationWorld world(options);
  world.RunFor(hours(5));
  const domain::RotationJournal before = world.journal();
  options.spec.pause = domain::RotationPause::kPaused;
  world.SetSpec(options.spec);
  world.RequestRotation("later");
  world.RunFor(hours(72) * 2);
  EXPECT_EQ(world.journal(), before);
  EXPECT_EQ(world.versions(), 1);
  EXPECT_EQ(world.report().reason, "Paused");
  EXPECT_FALSE(world.report().may_be_ready) << "its last success is too old by now";
  options.spec.pause = domain::RotationPause::kRunning;
  world.SetSpec(options.spec);
  world.RunFor(hours(12));
  EXPECT_GE(world.versions(), 2);
  EXPECT_EQ(world.report().reason, "Rotated");
}

TEST(RotationSimulation, AnotherPeriodOrTargetInMidRotationDoesNoHarm) {
  for (int step = 0; step < 60; ++step) {
    RotationWorldOptions options = QuietWorld(static_cast<std::uint64_t>(step));
    RotationWorld world(options);
    world.RunFor(hours(2));
    world.RequestRotation("go");
    world.RunFor(minutes(2 * step));
    options.spec.overlap = hours(1) + minutes(step);
    options.spec.target_digest = "another";
    world.SetSpec(options.spec);
    world.RunFor(hours(6));
    ExpectWhole(world);
    ASSERT_EQ(world.journal().published_digest, "another");
    ASSERT_EQ(world.versions(), 2);
    ASSERT_EQ(world.retired(), 1);
  }
}

// The world's own checks bite: without fencing a leader that was replaced puts old values back.
TEST(RotationWorld, SeesWhatHappensWithoutFencing) {
  std::vector<std::string> seen;
  const int calls = CallsOfOneRotation();
  for (int call = 1; call <= calls; ++call) {
    RotationWorldOptions options = QuietWorld(static_cast<std::uint64_t>(call));
    options.fencing = Fencing::kOff;
    RotationWorld world(options);
    world.RunFor(hours(2));
    world.StrikeAt(call, Strike::kHangAndBeReplaced, hours(110));
    world.RunUntilRetired(3);
    seen.insert(seen.end(), world.violations().begin(), world.violations().end());
  }
  EXPECT_THAT(seen, Contains(HasSubstr("the target went back")));
}

// And with a delay that is shorter than what verifiers cache, or a linger shorter than a token.
TEST(RotationWorld, SeesVerifiersThatWereGivenTooLittleTime) {
  RotationWorldOptions options = QuietWorld();
  options.spec.overlap = minutes(1);
  options.spec.linger = Duration::zero();
  RotationWorld world(options);
  world.RunFor(hours(72) * 20);
  EXPECT_THAT(world.violations(), Contains(HasSubstr("token")));
}

}  // namespace
}  // namespace tracekeeper::controllers
