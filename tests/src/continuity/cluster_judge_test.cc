#include "src/continuity/cluster_judge.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace tracekeeper::continuity {
namespace {

using otlp::SpanKind;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Units = std::map<std::string, int>;

constexpr std::uint64_t kLow = 99;
constexpr std::uint64_t kShort = 0;
constexpr std::uint64_t kLong = 7;
constexpr std::uint64_t kOther = 8;

/// What came with the ids of one lower half, added one by one.
class ClusterTest : public ::testing::Test {
 protected:
  ClusterTest() {
    const NameId cart = names_.Intern("cart");
    epoch_.profile.services[cart].is_instrumented = true;
  }

  void Add(std::uint64_t high, std::uint64_t id, std::uint64_t parent, SpanKind kind,
           const Shape& more = {}) {
    Shape shape = more;
    shape.service = names_.Intern("shop");
    shape.kind = kind;
    AddSpan(high, id, parent, shape, 0);
  }
  void AddLog(std::uint64_t high, std::uint64_t span, bool is_sampled = true) {
    Shape shape;
    shape.service = names_.Intern("shop");
    shape.facts.sampled = is_sampled;
    AddSpan(high, span, 0, shape, ClusterTag::kIsLog);
  }
  /// A call to the cart that found no partner: it asks where it arrived.
  void AddCall(std::uint64_t high, std::uint64_t id, std::uint64_t parent) {
    Shape call;
    call.peer = names_.Intern("cart");
    Add(high, id, parent, SpanKind::kClient, call);
  }

  [[nodiscard]] Cluster All() const {
    return {.low = kLow, .halves = halves_, .spans = spans_, .randomness = randomness_};
  }
  Judgement Conclude(std::vector<Answer> answers = {}) {
    return judge_.Conclude(All(), epoch_, answers);
  }
  Units Judged(const std::vector<Answer>& answers = {}) {
    Units units;
    for (const CountedUnit& unit : Conclude(answers).units) {
      const Verdict verdict = unit.verdict;
      const std::string_view why =
          verdict.is_bad() ? NameOf(verdict.cause) : NameOf(verdict.reason);
      ++units[fmt::format("{} {} {}", NameOf(unit.key.family), NameOf(verdict.outcome), why)];
    }
    return units;
  }

  Names names_;
  ShapeTable shapes_;
  Epoch epoch_;
  ClusterJudge judge_{names_, shapes_};
  std::vector<std::uint64_t> halves_;
  std::vector<Span> spans_;
  std::vector<ClusterRandomness> randomness_;

 private:
  void AddSpan(std::uint64_t high, std::uint64_t id, std::uint64_t parent, const Shape& shape,
               std::uint8_t tag) {
    auto half = std::ranges::find(halves_, high);
    if (half == halves_.end()) half = halves_.insert(half, high);
    Span span;
    span.id = id;
    span.parent = parent;
    span.start = 1000;
    span.duration = 10;
    span.shape = shapes_.Intern(shape);
    span.is_cut = static_cast<std::uint8_t>(half - halves_.begin()) | tag;
    spans_.push_back(span);
  }
};

TEST_F(ClusterTest, OfOneIdIsOneTrace) {
  Add(kLong, 1, 0, SpanKind::kServer);
  Add(kLong, 2, 1, SpanKind::kInternal);
  EXPECT_EQ(Judged(), (Units{{"request good ", 1}, {"in_process good ", 1}}));
}

TEST_F(ClusterTest, OfAShortAndALongIdIsOneTraceWithTheBreakBetweenThem) {
  Add(kLong, 1, 0, SpanKind::kServer);
  Add(kShort, 2, 1, SpanKind::kInternal);
  EXPECT_EQ(Judged(), (Units{{"request bad truncated_id", 1}, {"in_process bad truncated_id", 1}}));
  const Judgement judgement = Conclude();
  EXPECT_EQ(judgement.units[0].shown_at.trace, (otlp::TraceId{kShort, kLow})) << "as it was sent";
  EXPECT_EQ(judgement.units[0].shown_at.span, 2U);
}

TEST_F(ClusterTest, OfAShortIdAloneIsATraceLikeAnyOther) {
  Add(kShort, 1, 0, SpanKind::kServer);
  Add(kShort, 2, 1, SpanKind::kInternal);
  EXPECT_EQ(Judged(), (Units{{"request good ", 1}, {"in_process good ", 1}}));
}

TEST_F(ClusterTest, OfTwoLongIdsAreTwoTraces) {
  Add(kLong, 1, 0, SpanKind::kServer);
  Add(kOther, 2, 1, SpanKind::kInternal);
  EXPECT_EQ(Judged(), (Units{{"request good ", 1},
                             {"request bad orphan_local_parent", 1},
                             {"in_process bad orphan_local_parent", 1}}));
}

TEST_F(ClusterTest, WhereTwoLongIdsHaveItsHalfAShortOneStandsAlone) {
  Add(kLong, 1, 0, SpanKind::kServer);
  Add(kShort, 2, 1, SpanKind::kInternal);
  Add(kOther, 1, 0, SpanKind::kServer);
  EXPECT_EQ(Judged(), (Units{{"request good ", 2},
                             {"request bad orphan_local_parent", 1},
                             {"in_process bad orphan_local_parent", 1}}));
}

TEST_F(ClusterTest, ARepeatCountsOnceInItsTraceOnly) {
  for (const std::uint64_t high : {kLong, kLong, kOther}) Add(high, 1, 0, SpanKind::kServer);
  EXPECT_EQ(Judged(), (Units{{"request good ", 2}}));
  int seen = 0;
  judge_.ForEachSpan(All(), [&seen](const Span&, const Shape&) { ++seen; });
  EXPECT_EQ(seen, 2);
}

TEST_F(ClusterTest, LogsAreJudgedByTheSpansOfTheirTrace) {
  Add(kLong, 1, 0, SpanKind::kServer);
  AddLog(kLong, 1);
  AddLog(kLong, 0);
  AddLog(kLong, 2);
  AddLog(kOther, 1);
  AddLog(kShort, 1, false);
  EXPECT_EQ(Judged(), (Units{{"request good ", 1},
                             {"logs good ", 2},
                             {"logs bad log_unknown_span", 1},
                             {"logs bad log_unknown_trace", 1},
                             {"logs excluded not_sampled", 1}}))
      << "a record makes no trace, and so no short form of one";
}

TEST_F(ClusterTest, ALogMayNameASpanOfTheOtherFormOfItsId) {
  Add(kLong, 1, 0, SpanKind::kServer);
  Add(kShort, 2, 1, SpanKind::kInternal);
  AddLog(kShort, 1);
  AddLog(kLong, 2);
  AddLog(kShort, 3);
  const Units units = Judged();
  EXPECT_EQ(units.at("logs good "), 2);
  EXPECT_EQ(units.at("logs bad log_unknown_span"), 1);
}

TEST_F(ClusterTest, ALogOfAnotherTraceMayNotNameASpanOfThese) {
  Add(kLong, 1, 0, SpanKind::kServer);
  Add(kShort, 2, 1, SpanKind::kInternal);
  Add(kOther, 3, 0, SpanKind::kServer);
  AddLog(kShort, 1);
  AddLog(kOther, 2);
  EXPECT_EQ(Judged().at("logs bad log_unknown_span"), 2);
}

TEST_F(ClusterTest, OfLogsAloneThereIsNoRequest) {
  AddLog(kLong, 1);
  EXPECT_EQ(Judged(), (Units{{"logs bad log_unknown_trace", 1}}));
  EXPECT_THAT(judge_.Ask(All(), epoch_), IsEmpty());
}

TEST_F(ClusterTest, AnswersGoToTheTraceThatAsked) {
  Add(kLong, 1, 0, SpanKind::kInternal);
  AddCall(kLong, 2, 1);
  Add(kOther, 1, 0, SpanKind::kInternal);
  AddCall(kOther, 2, 1);
  const std::vector<Question> questions = judge_.Ask(All(), epoch_);
  ASSERT_THAT(questions, SizeIs(2));
  EXPECT_EQ(questions[0].trace.high, kLong);
  EXPECT_EQ(questions[1].trace.high, kOther);
  EXPECT_EQ(Judged({Answer::kNo, Answer::kYes}), (Units{{"hop unknown peer_silent", 1},
                                                        {"hop bad broken_hop", 1},
                                                        {"in_process excluded legal_root", 2},
                                                        {"in_process good ", 2},
                                                        {"request unknown peer_silent", 1},
                                                        {"request bad broken_hop", 1}}));
  EXPECT_EQ(Judged({Answer::kPeerWasThere}).at("hop bad silent_hop"), 1)
      << "the answers that are missing are kNo";
}

TEST_F(ClusterTest, RandomnessIsThatOfATrace) {
  epoch_.profile.services[names_.Intern("cart")].threshold = 100;
  for (const std::uint64_t high : {kLong, kOther}) {
    Add(high, 1, 0, SpanKind::kInternal);
    AddCall(high, 2, 1);
  }
  randomness_ = {{kOther, 99}};
  EXPECT_EQ(Judged().at("hop excluded sampled_out"), 1);
  EXPECT_EQ(Judged().at("hop unknown peer_silent"), 1);
  randomness_ = {{kOther, 100}};
  EXPECT_FALSE(Judged().contains("hop excluded sampled_out"));
}

TEST_F(ClusterTest, ARequestStandsForThoseThatWereNotSampled) {
  Shape quarter;
  quarter.threshold = std::uint64_t{3} << 54U;  // of 2^56
  Add(kLong, 1, 0, SpanKind::kServer, quarter);
  Add(kLong, 2, 1, SpanKind::kInternal);
  Add(kOther, 1, 0, SpanKind::kServer);
  std::map<double, int> populations;
  for (const CountedUnit& unit : Conclude().units) ++populations[unit.population];
  EXPECT_EQ(populations, (std::map<double, int>{{0, 2}, {4, 1}}));
}

TEST_F(ClusterTest, FindingsAreOfTheServiceWhereTheyShow) {
  Add(kLong, 1, 0, SpanKind::kServer);
  spans_.back().duration = kUnfinishedDuration;
  const Judgement judgement = Conclude();
  ASSERT_THAT(judgement.findings, SizeIs(1));
  EXPECT_EQ(judgement.findings[0].key.cause, Cause::kUnfinished);
  EXPECT_EQ(judgement.findings[0].key.service, names_.Intern("shop"));
}

TEST_F(ClusterTest, WhatIsSeenIsWhatIsJudgedInAnyOrderOfArrival) {
  for (const std::uint64_t high : {kShort, kLong, kOther, kLong}) {
    Add(high, 1, 0, SpanKind::kServer);
    AddCall(high, 2, 1);
    Add(high, 3, 9, SpanKind::kInternal);
    AddLog(high, 3);
  }
  const Units expected = Judged();
  std::mt19937_64 random(5);
  for (int round = 0; round < 50; ++round) {
    std::ranges::shuffle(spans_, random);
    EXPECT_EQ(Judged(), expected);
    Tally tally;
    tally.Count(Conclude());
    EXPECT_TRUE(tally.AddsUp());
  }
}

}  // namespace
}  // namespace tracekeeper::continuity
