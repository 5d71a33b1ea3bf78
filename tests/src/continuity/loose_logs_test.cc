#include "src/continuity/loose_logs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tracekeeper::continuity {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr AskerId kFirstAsker = 1000;
constexpr std::size_t kRoom = 3;

ReadLog LogAt(Microseconds time) {
  ReadLog log;
  log.time = time;
  log.service = 1;
  log.instance = 11;
  log.policy = 5;
  return log;
}

class LooseLogsTest : public ::testing::Test {
 protected:
  /// What is asked when the time has come to `now`.
  std::vector<JoinInput::Asked> AskedAt(Tick now) {
    JoinInput input;
    logs_.Advance(now, input);
    EXPECT_TRUE(tally_.AddsUp());
    return std::move(input.asked);
  }
  void Answer(AskerId asker, continuity::Answer answer) {
    logs_.Take({.asker = asker, .question = 0, .answer = answer});
    EXPECT_TRUE(tally_.AddsUp());
  }
  [[nodiscard]] UnitCounts Counts() const {
    const UnitKey key{.family = Family::kLog, .policy = 5, .service = 1};
    const auto found = tally_.units().find(key);
    return found == tally_.units().end() ? UnitCounts{} : found->second;
  }

  Tally tally_;
  LooseLogs logs_{{.first_asker = kFirstAsker, .join_window = 10, .memory = 100, .room = kRoom},
                  tally_};
};

TEST_F(LooseLogsTest, AskOnceTheyAreSettledAndAreCountedAfterTheJoinWindow) {
  ASSERT_TRUE(logs_.Add(LogAt(77), 20));
  EXPECT_THAT(AskedAt(19), IsEmpty());
  const auto asked = AskedAt(20);
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].asker, kFirstAsker);
  ASSERT_THAT(asked[0].questions, SizeIs(1));
  EXPECT_EQ(asked[0].questions[0].kind, QuestionKind::kRequestOpen);
  EXPECT_EQ(asked[0].questions[0].where, 11U);
  EXPECT_EQ(asked[0].questions[0].first, 77U);
  EXPECT_THAT(AskedAt(29), IsEmpty()) << "once";
  EXPECT_THAT(tally_.units(), IsEmpty());
  AskedAt(30);
  EXPECT_EQ(Counts().Of(Outcome::kExcluded), 1U);
}

TEST_F(LooseLogsTest, AreCountedWithTheAnswerTheyHave) {
  logs_.Add(LogAt(77), 20);
  logs_.Add(LogAt(78), 20);
  AskedAt(20);
  Answer(kFirstAsker + 1, Answer::kYes);
  AskedAt(30);
  EXPECT_EQ(Counts().Of(Outcome::kBad), 1U);
  EXPECT_EQ(Counts().Of(Outcome::kExcluded), 1U);
}

TEST_F(LooseLogsTest, AnAnswerThatChangesIsARepair) {
  logs_.Add(LogAt(77), 20);
  AskedAt(20);
  AskedAt(30);
  Answer(kFirstAsker, Answer::kYes);
  EXPECT_EQ(Counts().Of(Outcome::kExcluded), 1U);
  EXPECT_EQ(Counts().NetOf(Outcome::kBad), 1);
  Answer(kFirstAsker, Answer::kNo);
  EXPECT_EQ(Counts().NetOf(Outcome::kBad), 0);
  EXPECT_EQ(Counts().NetOf(Outcome::kExcluded), 1);
}

TEST_F(LooseLogsTest, WhatIsForgottenStaysAsItWasCounted) {
  logs_.Add(LogAt(77), 20);
  logs_.Add(LogAt(78), 120);
  AskedAt(20);
  AskedAt(129);
  Answer(kFirstAsker, Answer::kYes);
  EXPECT_EQ(Counts().NetOf(Outcome::kBad), 1) << "remembered until then";
  AskedAt(130);
  Answer(kFirstAsker, Answer::kNo);
  EXPECT_EQ(Counts().NetOf(Outcome::kBad), 1);
  Answer(kFirstAsker + 1, Answer::kYes);
  EXPECT_EQ(Counts().NetOf(Outcome::kBad), 2) << "the other keeps its number";
}

TEST_F(LooseLogsTest, ThereIsRoomForSomeAndForOthersOnceTheseAreForgotten) {
  for (std::size_t i = 0; i < kRoom; ++i) EXPECT_TRUE(logs_.Add(LogAt(i), 20));
  EXPECT_FALSE(logs_.Add(LogAt(9), 20));
  AskedAt(129);
  EXPECT_FALSE(logs_.Add(LogAt(9), 140));
  AskedAt(130);
  EXPECT_TRUE(logs_.Add(LogAt(9), 140));
  EXPECT_EQ(Counts().Of(Outcome::kExcluded), kRoom);
  const auto asked = AskedAt(140);
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].asker, kFirstAsker + kRoom);
}

TEST_F(LooseLogsTest, ALongPauseIsAsGoodAsManyShortOnes) {
  logs_.Add(LogAt(77), 20);
  EXPECT_THAT(AskedAt(100'000), SizeIs(1));
  EXPECT_EQ(Counts().Of(Outcome::kExcluded), 1U);
}

}  // namespace
}  // namespace tracekeeper::continuity
