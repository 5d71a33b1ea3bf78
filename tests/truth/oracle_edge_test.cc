// The finer points of the page: one case for each half sentence that the plain cases do not need.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/truth/oracle_story.h"

namespace tracekeeper::truth {
namespace {

using testing::Contains;
using testing::Pair;

constexpr std::uint32_t kLocal = 0x100;

class OracleAtTheEdges : public testing::TestWithParam<OracleCase> {};

TEST_P(OracleAtTheEdges, JudgesAsThePageSays) { EXPECT_EQ(DifferenceOf(GetParam()), ""); }

TEST_P(OracleAtTheEdges, DoesNotDependOnTheOrder) {
  const Story& story = GetParam().story;
  EXPECT_EQ(Difference(story.Judged(), story.Backwards().Judged()), "");
}

std::string NameOfCase(const testing::TestParamInfo<OracleCase>& row) { return row.param.name; }

Story Calling() { return Story().Server("shop", 1).Client("shop", 2).Under(1).At(10, 90); }

std::vector<OracleCase> TraceCases() {
  return {
      {"ServerBelowAServerOfItsOwnProcess",
       Story().Server("shop", 1).Server("shop", 2).Under(1).Flags(kLocal),
       {{"in_process good", 1}, {"request good", 1}}},
      {"CallToItsOwnInstance",
       Calling().Server("shop", 3).Under(2),
       {{"hop good", 1}, {"in_process good", 1}, {"request good", 1}}},
      {"ParentIsTheServerOfItsNode",
       Story().WithoutKind("cart", 2).Server("cart", 2).At(50, 100).Internal("cart", 3).Under(2).At(
           150, 160),
       {{"in_process good", 1}, {"request good", 1}},
       {Finding("work_after_reply", 1, 3)}},
      {"TwoCallsOfOneIdCollide",
       Calling().Client("shop", 2).Under(1).At(20, 90).Server("cart", 3).Under(2),
       {{"hop good", 1},
        {"hop excluded uninstrumented_peer", 1},
        {"in_process good", 2},
        {"request bad span_id_collision", 1}},
       {Finding("span_id_collision", 1, 2)}},
      {"OneCallAndTwoServersShareASpan",
       Calling().Server("cart", 2).Under(1).Server("mail", 2).Under(1),
       {{"hop good", 2}, {"in_process good", 1}, {"request good", 1}}},
      {"ShortTraceIdOfTwoLongerOnes",
       Story().Server("shop", 1).Server("shop", 1).InShort(1).Server("shop", 1).InBytes(
           "another." + SpanIdOf(1)),
       {{"request good", 3}}},
      {"CutTraceIdBelowACallOfItsProcess",
       Calling().Internal("shop", 3).Under(2).InShort(1),
       {{"in_process good", 1},
        {"in_process bad truncated_id", 1},
        {"request bad truncated_id", 1}},
       {ShortFinding("truncated_id", 1, 3)}},
      {"EntryOfItsOwnTraceMakesNoStaleWorker",
       Story()
           .Server("shop", 1)
           .Internal("shop", 2)
           .Under(1)
           .At(20'000, 20'010)
           .Server("shop", 5)
           .At(10'000, 10'100),
       {{"in_process good", 1}, {"request bad fragments", 1}},
       {Finding("work_after_reply", 1, 2), Finding("fragments", 1, 5)}},
      {"CancelledFarFromItsEntry",
       Story()
           .Server("shop", 1)
           .Internal("shop", 2)
           .Under(1)
           .On("shop-1")
           .Client("shop", 3)
           .Under(2)
           .On("shop-1")
           .Failed("cancelled"),
       {{"hop good", 1},
        {"hop excluded not_delivered", 1},
        {"in_process good", 1},
        {"request good", 1}}},
      {"ProbeIsAServer",
       Story().Consumer("mail", 1).Linked().Says("user_agent.original", "health"),
       {{"hop good", 1}, {"request good", 1}}},
  };
}
INSTANTIATE_TEST_SUITE_P(Traces, OracleAtTheEdges, testing::ValuesIn(TraceCases()), NameOfCase);

std::vector<OracleCase> CallCases() {
  const Story call = Calling().Peer("cart");
  return {
      {"WrapperOnlyByLocalLinks",
       Calling()
           .Internal("shop", 3)
           .Under(2)
           .Internal("shop", 4)
           .Under(3)
           .On("shop-1")
           .Client("shop", 5)
           .Under(4)
           .On("shop-1"),
       {{"hop good", 1},
        {"hop excluded uninstrumented_peer", 2},
        {"in_process good", 3},
        {"request good", 1}}},
      {"PeerIsItsOwnService",
       Calling().Peer("shop"),
       {{"hop excluded uninstrumented_peer", 1}, {"in_process good", 1}, {"request good", 1}}},
      {"RootWhoseFlagsSpeakOfNoParentIsAnEntry",
       Story(call).Server("cart", 5).In(2).Flags(kLocal),
       {{"hop bad broken_hop", 1},
        {"in_process good", 1},
        {"request bad broken_hop", 1},
        {"request excluded continued", 1}},
       {Finding("broken_hop", 1, 2)}},
  };
}
INSTANTIATE_TEST_SUITE_P(Calls, OracleAtTheEdges, testing::ValuesIn(CallCases()), NameOfCase);

std::vector<OracleCase> MatchCases() {
  const Story call = Calling().Peer("cart");
  return {
      {"OperationOnOneSideFitsAny",
       Story(call).Says("rpc.method", "Add").Server("cart", 5).In(2),
       {{"hop bad broken_hop", 1},
        {"in_process good", 1},
        {"request bad broken_hop", 1},
        {"request excluded continued", 1}},
       {Finding("broken_hop", 1, 2)}},
      {"ExcludedRootsAreNotMatched",
       Story(call).Server("cart", 5).In(2).OfScope("x").ExcludeScope("x"),
       {{"hop bad silent_hop", 1},
        {"in_process good", 1},
        {"request bad silent_hop", 1},
        {"request excluded probe", 1}},
       {Finding("silent_hop", 1, 2)}},
      {"RootOfTheSameTraceIsNoOtherRequest",
       Story().Client("shop", 2).Under(9).Peer("cart").Server("cart", 5).At(20, 30),
       {{"hop bad broken_hop", 1},
        {"in_process bad orphan_local_parent", 1},
        {"request bad orphan_local_parent", 1}},
       {Finding("broken_hop", 1, 2), Finding("orphan_local_parent", 1, 2)}},
      {"OnlyTheEarliestRootIsContinued",
       Story(call).Server("cart", 5).In(2).At(20, 30).Server("mail", 6).In(2).At(19, 30),
       {{"hop bad broken_hop", 1},
        {"in_process good", 1},
        {"request bad broken_hop", 1},
        {"request bad fragments", 1}},
       {Finding("broken_hop", 1, 2), Finding("fragments", 2, 5)}},
      {"CausesOfOneSpanComeInTheirOrder",
       Story()
           .Client("shop", 2)
           .At(10, 20)
           .Peer("cart")
           .Server("cart", 5)
           .In(2)
           .At(20, 30)
           .Server("shop", 7)
           .In(3),
       {{"hop bad broken_hop", 1},
        {"in_process bad new_client_root", 1},
        {"request bad new_client_root", 1},
        {"request excluded continued", 1},
        {"request good", 1}},
       {Finding("broken_hop", 1, 2), Finding("new_client_root", 1, 2)}},
  };
}
INSTANTIATE_TEST_SUITE_P(Matches, OracleAtTheEdges, testing::ValuesIn(MatchCases()), NameOfCase);

TEST(OracleAtTheEdges, RequestIsRootedWhereItsForeignParentIs) {
  const Verdicts verdicts = Story()
                                .Server("cart", 2)
                                .At(50, 60)
                                .Server("shop", 1)
                                .At(10, 90)
                                .Under(9)
                                .EntryPoint("shop")
                                .Judged();
  EXPECT_THAT(verdicts.requests, testing::ElementsAre(Pair("shop good", 1)));
}

TEST(OracleAtTheEdges, ParentIsRepeatedOnceForAllNames) {
  Story story;
  for (int repeat = 0; repeat < 4; ++repeat) {
    const std::int64_t second = std::int64_t{1000} * repeat;
    story.Server("cart", 10 + repeat).Named("b").Under(9).At(4 * second, 4 * second + 1);
    story.Server("cart", 20 + repeat).Named("a").Under(9).At(5 * second, 5 * second + 1);
  }
  EXPECT_THAT(story.Judged().findings, testing::ElementsAre(Finding("mixed_traces", 1, 11)));
  EXPECT_THAT(story.Judged().units, Contains(Pair("hop excluded mixed", 8)));
}

TEST(OracleAtTheEdges, EntriesAreNeverFilteredByWhatOthersOfTheirKindLack) {
  Story story = Story().Server("shop", 3).Under(2).ExcludeScope("something else");
  for (int trace = 2; trace <= 11; ++trace) {
    story.Server("shop", 3).In(trace).Under(2).Flags(kLocal);
  }
  EXPECT_THAT(story.Judged().units,
              testing::IsSupersetOf({Pair("in_process excluded filtered", 10),
                                     Pair("hop bad orphan_remote_parent", 1)}));
}

/// Twelve of 15 roots of a name start inside an entry span of a service that is idle.
TEST(OracleAtTheEdges, RootsThatMostlyButNotAlwaysStartInsideEntriesAreLegal) {
  Story story = Story().Server("shop", 1).Internal("shop", 2).Named("end").Under(1).At(0, 9000);
  for (int trace = 2; trace <= 16; ++trace) {
    const std::int64_t at = trace <= 13 ? trace : 1000 + trace;
    story.Internal("shop", 3).Named("tick").In(trace).At(at, at + 1);
  }
  EXPECT_THAT(story.Judged().units, Contains(Pair("in_process excluded legal_root", 15)));
}

/// One instance that loses a parent in each of `losses`, and has many others an hour before. The
/// entries of the lost came where they ended some time.
Story Losing(const std::vector<std::int64_t>& losses,
             std::optional<std::int64_t> entries_end = std::nullopt) {
  constexpr std::int64_t kBefore = -3'600'000;
  Story story;
  int trace = 1;
  for (const std::int64_t at : losses) {
    if (entries_end) story.Server("shop", 3).In(trace).At(at, *entries_end);
    story.Internal("shop", 2).In(trace++).Under(1).At(at, at);
  }
  for (std::size_t i = 0; i < 3 * losses.size(); ++i, ++trace) {
    story.Internal("shop", 2).In(trace).Under(1).At(kBefore, kBefore);
    story.Server("shop", 1).In(trace).At(kBefore, kBefore);
  }
  return story;
}

/// Adds a request of `service` that ends then.
Story& Serve(Story& story, const std::string& service, std::int64_t at) {
  const auto trace = static_cast<int>(1000 + story.spans().size());
  return story.Server(service, 1).In(trace).At(at, at);
}

bool HasLostBatch(const Story& story) {
  return story.Judged().units.contains("in_process bad lost_batch");
}

TEST(OracleOfBatches, AreOfTwoTracesOrWithoutTheirEntry) {
  const auto is_lost = [](Story story) {
    for (const std::int64_t at : {50, 150, 250}) Serve(story, "shop", at);
    return HasLostBatch(Serve(story, "shop", 40'000));
  };
  EXPECT_TRUE(is_lost(Losing({0})));
  EXPECT_FALSE(is_lost(Losing({0}, 40'000)));
  EXPECT_TRUE(is_lost(Losing({0, 100}, 40'000)));
}

TEST(OracleOfBatches, EndedBeforeTheirEntriesDid) {
  EXPECT_TRUE(HasLostBatch(Losing({0, 100, 200}, 27'000)));
  Story story = Losing({0, 100, 200}, 299);  // the silence begins with the tenth 3
  EXPECT_FALSE(HasLostBatch(Serve(story, "shop", 27'000)));
}

TEST(OracleOfBatches, EndedWithTheirTracesOrInTwoSeconds) {
  const auto is_lost = [](std::int64_t silence, std::int64_t end_of_trace) {
    Story story = Losing({0, 100});
    story.Internal("cart", 9).In(1).At(0, end_of_trace);
    for (std::int64_t at = 200; at < silence; at += 100) Serve(story, "shop", at);
    return HasLostBatch(Serve(story, "shop", 200'000));
  };
  EXPECT_TRUE(is_lost(2100, 0));  // the second of them in the tenth 21
  EXPECT_FALSE(is_lost(2200, 0));
  EXPECT_TRUE(is_lost(2200, 2200));
  EXPECT_TRUE(is_lost(60'000, 100'000));  // at most in a minute
  EXPECT_FALSE(is_lost(60'200, 100'000));
}

TEST(OracleOfBatches, AreFollowedByASilenceInWhichEightBusyTenthsWereDue) {
  const auto is_lost = [](const std::vector<std::int64_t>& others) {
    Story story = Losing({0, 1, 100, 200});
    for (const std::int64_t at : others) Serve(story, "shop", at);
    return HasLostBatch(story);
  };
  EXPECT_FALSE(is_lost({26'900}));  // 266 tenths after 3 busy ones
  EXPECT_TRUE(is_lost({27'000}));
  EXPECT_FALSE(is_lost({-9700, 20'200}));  // 199 tenths after 4 busy ones
  EXPECT_TRUE(is_lost({-9700, 20'300}));
  EXPECT_FALSE(is_lost({-9701, 20'300}));  // too old to count
}

TEST(OracleOfBatches, AreSeenByOthersWhereTheSilenceDoesNotEnd) {
  Story story = Losing({0, 100, 200});
  EXPECT_FALSE(HasLostBatch(story));
  EXPECT_FALSE(HasLostBatch(Serve(story, "cart", 26'899)));
  EXPECT_TRUE(HasLostBatch(Serve(story, "cart", 26'900)));  // 267 tenths after 3 busy ones
}

TEST(OracleOfBatches, ComeBeforeOpenParents) {
  Story story = Losing({0, 100, 200});
  story.Internal("shop", 9).Under(1).At(-20'000, -19'000);  // in trace 1
  story.Server("shop", 1).In(99).At(-30'000, -29'000);
  for (int id = 2; id < 5; ++id) {
    story.Internal("shop", id).In(99).Under(1).At(-30'000, -29'000);
  }
  EXPECT_FALSE(HasLostBatch(story));
  EXPECT_THAT(story.Judged().units, Contains(Pair("in_process bad open_parent", 2)));
  EXPECT_THAT(Serve(story, "cart", 27'000).Judged().units,
              Contains(Pair("in_process bad lost_batch", 4)));
}

TEST(OracleAtTheEdges, RootsThatAreBreaksAreNoFragments) {
  // The internal root starts inside the entry of its instance, in its own trace.
  const Story story = Story().Server("shop", 1).Internal("shop", 2).At(50, 60);
  EXPECT_THAT(story.Judged().findings, testing::ElementsAre(Finding("new_internal_root", 1, 2)));
}

TEST(OracleAtTheEdges, FragmentsAreABreakAmongOthers) {
  const Story before = Story().Server("shop", 1).Server("cart", 2).At(50, 60);
  EXPECT_THAT(Story(before).Server("mail", 3).At(49, 60).Under(9).Judged().units,
              Contains(Pair("request bad orphan_remote_parent", 1)));
  EXPECT_THAT(Story(before).Server("mail", 3).At(51, 60).Under(9).Judged().units,
              Contains(Pair("request bad fragments", 1)));
}

}  // namespace
}  // namespace tracekeeper::truth
