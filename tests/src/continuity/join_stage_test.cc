#include "src/continuity/join_stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/src/continuity/told_join_stage.h"

namespace tracekeeper::continuity {
namespace {

using ::testing::IsEmpty;

class JoinStageTest : public ::testing::Test {
 protected:
  /// The answer to one question about what was seen.
  Answer AnswerTo(const std::vector<SeenSpan>& seen, const Question& question) {
    Told told(profile_);
    for (const SeenSpan& each : seen) told.See(each);
    told.Ask(1, {question});
    told.Settle();
    return told.AnswerTo(1);
  }

  Profile profile_;
};

TEST_F(JoinStageTest, KnowsWhetherARequestWasOpenOnAnInstance) {
  const std::vector<SeenSpan> seen = {Seen(kShop, kShopOne, 10, 5), Seen(kCart, kCartOne, 20, 5),
                                      Seen(kShop, kShopOne, 30, 5, otlp::SpanKind::kInternal),
                                      Seen(kShop, kShopOne, 50, kUnfinishedDuration)};
  const auto was_open = [&](NameId instance, Microseconds time) {
    return AnswerTo(seen, Asked(QuestionKind::kRequestOpen, instance, time, time)) == Answer::kYes;
  };
  EXPECT_TRUE(was_open(kShopOne, 10));
  EXPECT_TRUE(was_open(kShopOne, 15));
  EXPECT_FALSE(was_open(kShopOne, 9));
  EXPECT_FALSE(was_open(kShopOne, 16));
  EXPECT_FALSE(was_open(kShopOne, 22)) << "of another instance";
  EXPECT_FALSE(was_open(kShopOne, 32)) << "no entry";
  EXPECT_FALSE(was_open(kShopOne, 50)) << "an entry that is not ended is open at no time";
}

TEST_F(JoinStageTest, KnowsWhetherOtherRequestsBegan) {
  const std::vector<SeenSpan> seen = {Seen(kShop, kShopOne, 10, 5), Seen(kShop, kShopOne, 20, 5)};
  Question question = Asked(QuestionKind::kOthersStarted, kShopOne, 9, 21);
  EXPECT_EQ(AnswerTo(seen, question), Answer::kYes);
  question.own_starts = 1;
  EXPECT_EQ(AnswerTo(seen, question), Answer::kYes);
  question.own_starts = 2;
  EXPECT_EQ(AnswerTo(seen, question), Answer::kNo) << "all of them its own";
  EXPECT_EQ(AnswerTo(seen, Asked(QuestionKind::kOthersStarted, kShopOne, 10, 20)), Answer::kNo);
}

TEST_F(JoinStageTest, PairsACallWithTheRootOfAnotherTrace) {
  Told told(profile_);
  told.Ask(1, {OfTrace(1, Asked(QuestionKind::kCall, kCart, 100, 200))});
  told.Ask(2, {OfTrace(2, Asked(QuestionKind::kServerRoot, kCart, 150, 160))});
  told.Ask(3, {OfTrace(3, Asked(QuestionKind::kServerRoot, kShop, 150, 160))});
  told.Settle();
  EXPECT_EQ(told.AnswerTo(1), Answer::kYes);
  EXPECT_EQ(told.AnswerTo(2), Answer::kYes);
  EXPECT_EQ(told.AnswerTo(3), Answer::kNo) << "a root of another service";
}

TEST_F(JoinStageTest, ARootThatACallOfItsOwnTraceMadeIsNotContinuedElsewhere) {
  Told told(profile_);
  told.Ask(1, {OfTrace(1, Asked(QuestionKind::kCall, kCart, 100, 200)),
               OfTrace(1, Asked(QuestionKind::kServerRoot, kCart, 150, 160))});
  told.Settle();
  EXPECT_EQ(told.AnswerTo(1, 0), Answer::kYes);
  EXPECT_EQ(told.AnswerTo(1, 1), Answer::kNo);
}

TEST_F(JoinStageTest, SaysWhetherThePeerOfACallWasThereWithinAMinute) {
  const Microseconds start = 1000 * kSecond;
  const Question call = Asked(QuestionKind::kCall, kCart, start, start + kSecond);
  const auto answer = [&](Microseconds entry) {
    return AnswerTo({Seen(kCart, kCartOne, entry, 5)}, call);
  };
  EXPECT_EQ(answer(start - 60 * kSecond), Answer::kPeerWasThere);
  EXPECT_EQ(answer(start - 60 * kSecond - 1), Answer::kNo);
  EXPECT_EQ(answer(start + 61 * kSecond), Answer::kPeerWasThere);
  EXPECT_EQ(answer(start + 61 * kSecond + 1), Answer::kNo);
  EXPECT_EQ(AnswerTo({Seen(kShop, kShopOne, start, 5)}, call), Answer::kNo);
}

/// An instance that ends a span in every tenth from 100 s on, and is silent for some from 120 s on.
std::vector<SeenSpan> BusyButFor(std::uint64_t silent_tenths) {
  std::vector<SeenSpan> seen;
  for (std::uint64_t tenth = 1000; tenth < 1300; ++tenth) {
    if (tenth >= 1200 && tenth < 1200 + silent_tenths) continue;
    seen.push_back(Seen(kShop, kShopOne, tenth * kSecond / 10, 0, otlp::SpanKind::kInternal));
  }
  return seen;
}

/// Of a parent that ended within two seconds, in an entry that came.
Question Loss(std::uint64_t trace, std::uint64_t tenth) {
  Question loss = OfTrace(trace, Asked(QuestionKind::kLostBatch, kShopOne, tenth * kSecond / 10,
                                       (tenth + 20) * kSecond / 10));
  loss.is_served = true;
  return loss;
}

/// Of one whose entry did not come either.
Question LossWithEntry(std::uint64_t trace, std::uint64_t tenth) {
  Question loss = Loss(trace, tenth);
  loss.is_served = false;
  return loss;
}

struct LossCase {
  const char* name;
  std::uint64_t silent_tenths;
  Question other;  // beside a loss of trace 1 at 119.9 s
  bool is_lost;
};

const LossCase kLosses[] = {
    {"TwoTracesBeforeASilence", 8, Loss(2, 1195), true},
    {"AShorterSilence", 7, Loss(2, 1195), false},
    {"ALongOne", 20, Loss(2, 1195), true},
    {"OneTrace", 8, Loss(1, 1195), false},
    {"TheOtherJustInTime", 8, Loss(2, 1180), true},
    {"TheOtherTooEarly", 8, Loss(2, 1179), false},
    {"TheOtherInTheSilence", 8, Loss(2, 1200), false},
    {"TheOtherWithItsEntry", 8, LossWithEntry(2, 1195), true},
};

class LossTest : public ::testing::TestWithParam<LossCase> {};

TEST_P(LossTest, AreExplainedByASilence) {
  const Profile profile;
  Told told(profile);
  for (const SeenSpan& seen : BusyButFor(GetParam().silent_tenths)) told.See(seen);
  told.Ask(1, {Loss(1, 1199)});
  told.Ask(2, {GetParam().other});
  told.Settle();
  EXPECT_EQ(told.AnswerTo(1) == Answer::kYes, GetParam().is_lost);
}

INSTANTIATE_TEST_SUITE_P(All, LossTest, ::testing::ValuesIn(kLosses),
                         [](const auto& tested) { return tested.param.name; });

TEST_F(JoinStageTest, AParentThatIsAbsentWithItsEntryNeedsNoOther) {
  const auto answer = [this](const Question& loss, std::uint64_t silent_tenths) {
    Told told(profile_);
    for (const SeenSpan& seen : BusyButFor(silent_tenths)) told.See(seen);
    told.Ask(1, {loss, Loss(2, 1199)});
    told.Settle();
    return told.AnswerTo(1);
  };
  EXPECT_EQ(answer(LossWithEntry(2, 1199), 8), Answer::kYes);
  EXPECT_EQ(answer(LossWithEntry(2, 1199), 7), Answer::kNo);
  EXPECT_EQ(answer(LossWithEntry(2, 1179), 8), Answer::kNo);
  EXPECT_EQ(answer(Loss(2, 1199), 8), Answer::kNo);
}

TEST_F(JoinStageTest, AnInstanceThatLosesManyParentsLosesNoBatches) {
  const auto answer = [this] {
    Told told(profile_);
    for (const SeenSpan& seen : BusyButFor(20)) told.See(seen);
    told.Ask(1, {Loss(1, 1199), Loss(2, 1199)});
    told.Settle();
    return told.AnswerTo(1);
  };
  profile_.instances[kShopOne] = {.links_present = 75, .links_absent = 25};
  EXPECT_EQ(answer(), Answer::kYes);
  profile_.instances[kShopOne] = {.links_present = 74, .links_absent = 26};
  EXPECT_EQ(answer(), Answer::kNo);
}

TEST_F(JoinStageTest, ForgetsTheLossesOfOneSilenceTogether) {
  Told told(profile_);
  for (const SeenSpan& seen : BusyButFor(20)) told.See(seen);
  told.Ask(1, {Loss(1, 1181)});
  told.Ask(2, {Loss(2, 1199)});
  told.Settle();
  ASSERT_EQ(told.AnswerTo(2), Answer::kYes);
  told.stage().Forget(1190 * kSecond / 10);
  told.stage().UseProfile(profile_);
  EXPECT_THAT(told.Settle(), IsEmpty()) << "one alone would be none";
  told.stage().Forget(1220 * kSecond / 10 + kSecond);
  EXPECT_EQ(told.stage().questions(), 0U);
}

TEST_F(JoinStageTest, TheLastSilenceLastsUntilAnyInstanceEndsASpan) {
  Told told(profile_);
  for (std::uint64_t tenth = 1000; tenth < 1200; ++tenth) {
    told.See(Seen(kShop, kShopOne, tenth * kSecond / 10, 0, otlp::SpanKind::kInternal));
  }
  told.Ask(1, {Loss(1, 1199), Loss(2, 1199)});
  told.Settle();
  EXPECT_EQ(told.AnswerTo(1), Answer::kNo);
  told.See(Seen(kCart, 0, 1299 * kSecond / 10, 0));
  told.Settle();
  EXPECT_EQ(told.AnswerTo(1), Answer::kNo) << "it may be that it is only late";
  told.See(Seen(kCart, 0, 1300 * kSecond / 10, 0));
  told.Settle();
  EXPECT_EQ(told.AnswerTo(1), Answer::kYes);
}

TEST_F(JoinStageTest, GivesAnAnswerAgainWhereItChanged) {
  Told told(profile_);
  told.Ask(1, {OfTrace(1, Asked(QuestionKind::kCall, kCart, 100, 200))});
  EXPECT_THAT(told.Settle(), IsEmpty());
  told.See(Seen(kCart, kCartOne, 300, 5));
  told.Settle();
  EXPECT_EQ(told.AnswerTo(1), Answer::kPeerWasThere);
  told.Ask(2, {OfTrace(2, Asked(QuestionKind::kServerRoot, kCart, 150, 160))});
  told.Settle();
  EXPECT_EQ(told.AnswerTo(1), Answer::kYes);
  told.Withdraw(2);
  told.Settle();
  EXPECT_EQ(told.AnswerTo(1), Answer::kPeerWasThere);
  EXPECT_THAT(told.Settle(), IsEmpty());
}

TEST_F(JoinStageTest, AnotherProfileIsLookedAtAtOnce) {
  Told told(profile_);
  told.Ask(1, {OfTrace(1, Asked(QuestionKind::kCall, kCart, kSecond, 2 * kSecond))});
  told.Ask(2,
           {OfTrace(2, Asked(QuestionKind::kServerRoot, kCart, 2 * kSecond + 500, 3 * kSecond))});
  told.Settle();
  EXPECT_EQ(told.AnswerTo(1), Answer::kYes);
  Profile exact;
  exact.skew = 499;
  told.stage().UseProfile(exact);
  told.Settle();
  EXPECT_EQ(told.AnswerTo(1), Answer::kNo);
}

TEST_F(JoinStageTest, UsesItsRoomAgain) {
  Told told(profile_);
  for (AskerId asker = 1; asker <= 100; ++asker) {
    told.Ask(asker, {Asked(QuestionKind::kRequestOpen, kShopOne, 5, 5),
                     Asked(QuestionKind::kCall, kCart, 5, 6)});
    EXPECT_EQ(told.stage().questions(), 2U);
    told.Withdraw(asker);
    told.Withdraw(asker);
    told.Settle();
    EXPECT_EQ(told.stage().questions(), 0U);
  }
  told.Ask(200, {Asked(QuestionKind::kRequestOpen, kShopOne, 5, 5)});
  told.stage().Forget(6);
  EXPECT_EQ(told.stage().questions(), 0U);
  told.Withdraw(200);
  EXPECT_THAT(told.Settle(), IsEmpty());
}

TEST_F(JoinStageTest, ForgetsTheHalvesOfAPairTogether) {
  Told told(profile_);
  told.Ask(1, {OfTrace(1, Asked(QuestionKind::kCall, kCart, 100, 5 * kSecond))});
  told.Ask(2, {OfTrace(2, Asked(QuestionKind::kServerRoot, kCart, 150, 160))});
  told.Settle();
  told.stage().Forget(kSecond);
  EXPECT_EQ(told.stage().questions(), 0U);
  told.Ask(3, {OfTrace(3, Asked(QuestionKind::kServerRoot, kCart, 4 * kSecond, 5 * kSecond))});
  told.Settle();
  EXPECT_EQ(told.AnswerTo(3), Answer::kNo) << "that call has its root";
}

TEST_F(JoinStageTest, AHalfWhosePartnerWasWithdrawnIsNotForgottenWithIt) {
  Told told(profile_);
  told.Ask(1, {OfTrace(1, Asked(QuestionKind::kCall, kCart, 100, 5 * kSecond))});
  told.Ask(2, {OfTrace(2, Asked(QuestionKind::kServerRoot, kCart, 150, 160))});
  told.Settle();
  told.Withdraw(2);
  told.stage().Forget(kSecond);
  told.Settle();
  EXPECT_EQ(told.AnswerTo(1), Answer::kNo);
}

}  // namespace
}  // namespace tracekeeper::continuity
