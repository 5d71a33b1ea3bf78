#include "tests/truth/oracle_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "tests/truth/oracle.h"
#include "tests/truth/oracle_story.h"

namespace tracekeeper::truth {
namespace {

using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Pair;

constexpr int kEnough = 20;

/// Traces `first` to `last` in which shop calls cart, which comes.
void AddCalls(Story& story, int first, int last) {
  for (int trace = first; trace <= last; ++trace) {
    story.Server("shop", 1).In(trace).Client("shop", 2).In(trace).Under(1);
    story.Server("cart", 3).In(trace).Under(2);
  }
}

/// Traces `first` to `last` of which only the span of cart came.
void AddOrphans(Story& story, int first, int last) {
  for (int trace = first; trace <= last; ++trace) story.Server("cart", 3).In(trace).Under(2);
}

TEST(OracleProfile, HasTheDefaultsOfThePage) {
  const OracleProfile profile = Story().Learned();
  EXPECT_EQ(profile.settle_window, 10'000'000);
  EXPECT_EQ(profile.skew, 500'000);
}

/// Calls of 100 ms, of which `late` are served `late_by` milliseconds after their end.
Story Late(int calls, int late, std::int64_t late_by) {
  Story story;
  for (int trace = 1; trace <= calls; ++trace) {
    story.Client("shop", 2).In(trace).Server("cart", 3).In(trace).Under(2);
    if (trace <= late) story.At(100 + late_by, 300);
  }
  return story;
}

TEST(OracleProfile, LearnsTheSkewOfAllButOneCallInAHundred) {
  EXPECT_EQ(Late(19, 19, 70).Learned().skew, 500'000);
  EXPECT_EQ(Late(20, 1, 70).Learned().skew, 140'000);
  EXPECT_EQ(Late(99, 1, 70).Learned().skew, 140'000);
  EXPECT_EQ(Late(100, 1, 70).Learned().skew, 1000);
  EXPECT_EQ(Late(100, 2, 70).Learned().skew, 140'000);
  EXPECT_EQ(Late(20, 20, -130).Learned().skew, 60'000);  // before the call
}

TEST(OracleProfile, KnowsTheUsualCallerOfANameAndElseOfTheService) {
  Story story;
  AddCalls(story, 1, 2);
  const OracleProfile profile = story.Learned();
  OracleSpan entry;
  entry.service = "cart";
  entry.name = "another name";
  EXPECT_EQ(profile.UsualCaller(entry), "shop");
  entry.service = "shop";
  EXPECT_EQ(profile.UsualCaller(entry), std::nullopt);
}

TEST(OracleProfile, KnowsTheServiceBehindAnAddress) {
  const OracleProfile profile = Story()
                                    .Client("shop", 2)
                                    .Says("server.address", "10.0.0.1")
                                    .Server("cart", 3)
                                    .Under(2)
                                    .Learned();
  EXPECT_THAT(profile.address_services, testing::ElementsAre(Pair("10.0.0.1", "cart")));
  OracleSpan call;
  call.address = "10.0.0.1";
  EXPECT_EQ(profile.PeerOf(call), "cart");
}

TEST(OracleProfile, TakesTheSmallerOfEquallyFrequentThresholds) {
  const OracleProfile profile = Story()
                                    .Server("cart", 1)
                                    .Tracestate("ot=th:c")
                                    .Server("cart", 2)
                                    .Tracestate("ot=th:8")
                                    .Learned();
  EXPECT_EQ(profile.ThresholdOf("cart"), std::uint64_t{8} << 52U);
  EXPECT_EQ(profile.ThresholdOf("shop"), std::nullopt);
}

TEST(OracleProfile, MeasuresHowBusyInstancesAre) {
  const OracleProfile profile = Story()
                                    .Server("shop", 1)
                                    .At(0, 100)
                                    .Server("shop", 4)
                                    .At(10, 20)
                                    .Server("shop", 2)
                                    .At(50, 150)
                                    .Internal("shop", 3)
                                    .At(150, 400)
                                    .Learned();
  EXPECT_EQ(profile.busy.at("shop").busy, 150'000);
  EXPECT_EQ(profile.busy.at("shop").observed, 400'000);
  EXPECT_TRUE(profile.IsMostlyIdle("shop"));
}

TEST(OracleOfLearned, CallerThatIsMostlyAbsentSamplesByItself) {
  Story story;  // absent ids on both sides of the present ones
  AddOrphans(story, 1, 10);
  AddCalls(story, 11, 30);
  AddOrphans(story, 31, 40);
  const Verdicts verdicts = story.Judged();
  EXPECT_THAT(verdicts.hops,
              IsSupersetOf({Pair("shop > cart http good", kEnough),
                            Pair("shop > cart http unknown caller_samples", kEnough)}));
  EXPECT_THAT(verdicts.requests, testing::ElementsAre(Pair("cart unknown caller_samples", kEnough),
                                                      Pair("shop good", kEnough)));
  EXPECT_THAT(verdicts.findings, IsEmpty());
}

TEST(OracleOfLearned, IdsThatFallApartWereSampledOut) {
  Story story;
  AddCalls(story, 1, 20);
  AddOrphans(story, 21, 40);
  EXPECT_THAT(story.Judged().units, IsSupersetOf({Pair("hop excluded sampled_out", kEnough),
                                                  Pair("request good", 2 * kEnough)}));
}

TEST(OracleOfLearned, CallerThatNeverComesIsNoSampler) {
  Story story;  // the usual caller is that of another name
  story.Client("shop", 2).Server("cart", 3).Named("other work").Under(2);
  AddOrphans(story, 21, 40);
  EXPECT_THAT(story.Judged().hops,
              testing::Contains(Pair("shop > cart http bad orphan_remote_parent", kEnough)));
}

TEST(OracleOfLearned, OneLinkLessAndTheCallerIsLost) {
  Story story;
  AddCalls(story, 1, 20);
  AddOrphans(story, 21, 39);
  EXPECT_THAT(story.Judged().units, testing::Contains(Pair("hop bad orphan_remote_parent", 19)));
}

/// One call with a threshold of the caller, and orphans whose randomness is `randomness`.
Story Thresholds(const std::string& randomness, int orphans) {
  Story story;
  story.Client("shop", 2).Tracestate("ot=th:8").Server("cart", 3).Under(2).Tracestate("ot=th:8");
  for (int trace = 2; trace < 2 + orphans; ++trace) {
    story.Server("cart", 3).In(trace).Under(2).Tracestate("ot=rv:" + randomness);
  }
  return story;
}

TEST(OracleOfLearned, RandomnessBelowTheCallersThresholdIsSampledOut) {
  EXPECT_THAT(Thresholds("7fffffffffffff", 1).Judged().units,
              testing::Contains(Pair("hop excluded sampled_out", 1)));
}

TEST(OracleOfLearned, RandomnessAboveTheThresholdIsABreakWhereTheCallerIsSteadilyAbsent) {
  EXPECT_THAT(Thresholds("80000000000000", kEnough).Judged().units,
              testing::Contains(Pair("hop bad sampling_break", kEnough)));
  EXPECT_THAT(Thresholds("80000000000000", kEnough - 1).Judged().units,
              testing::Contains(Pair("hop bad orphan_remote_parent", kEnough - 1)));
}

TEST(OracleOfLearned, ChildrenThatAreAlwaysOrphansWereFiltered) {
  Story story;
  for (int trace = 1; trace <= 10; ++trace) story.Internal("shop", 3).In(trace).Under(2);
  EXPECT_THAT(story.Judged().units,
              testing::Contains(Pair("in_process bad orphan_local_parent", 10)));
  story.ExcludeScope("something else");
  EXPECT_THAT(story.Judged().units, testing::Contains(Pair("in_process excluded filtered", 10)));
}

/// `kept` links of one instance at rest, then `lost` orphans of traces of their own in one second.
Story Batch(int kept, int lost) {
  Story story;
  for (int trace = 1; trace <= kept; ++trace) {
    const std::int64_t at = 3'600'000 + std::int64_t{5000} * trace;
    story.Server("shop", 1).In(trace).At(at, at + 100);
    story.Internal("shop", 2).In(trace).Under(1).At(at, at + 50);
  }
  for (int trace = kept + 1; trace <= kept + lost; ++trace) {
    story.Internal("shop", 2).In(trace).Under(1).At(1000, 1100 + trace);
  }
  return story;
}

TEST(OracleOfLearned, ParentsThatAreAbsentTogetherWereLostWithABatch) {
  EXPECT_THAT(Batch(9, 3).Judged().units, testing::Contains(Pair("in_process bad lost_batch", 3)));
  EXPECT_THAT(Batch(8, 3).Judged().units,  // more than a quarter of all
              testing::Contains(Pair("in_process bad orphan_local_parent", 3)));
}

/// Ten roots inside an entry span, which is open for 100 of `until` milliseconds.
Story Ticks(std::int64_t until) {
  Story story = Story().Server("shop", 1).Internal("shop", 2).Named("end").Under(1).At(0, until);
  for (int trace = 2; trace <= 11; ++trace) {
    story.Internal("shop", 3).Named("tick").In(trace).At(trace, trace + 1);
  }
  return story;
}

TEST(OracleOfLearned, ManyRootsInsideEntriesAreBadOnlyOnAnIdleService) {
  EXPECT_THAT(Ticks(200).Judged().units,
              testing::Contains(Pair("in_process bad new_internal_root", 10)));
  EXPECT_THAT(Ticks(199).Judged().units,
              testing::Contains(Pair("in_process excluded legal_root", 10)));
}

TEST(OracleOfLearned, JudgesByTheProfileItIsGiven) {
  const Story story =
      Story().Server("shop", 1).Client("shop", 2).Under(1).Peer("cart").Server("cart", 5).In(2).At(
          1000, 1100);
  OracleProfile profile = story.Learned();
  EXPECT_THAT(JudgeBy(profile, story.spans(), {}, {}).units,
              testing::Contains(Pair("hop bad silent_hop", 1)));
  profile.skew = 2 * kSecond;
  EXPECT_THAT(JudgeBy(profile, story.spans(), {}, {}).units,
              testing::Contains(Pair("hop bad broken_hop", 1)));
}

TEST(OracleOfLearned, MatchesEachRootWithTheCallThatEndsFirst) {
  const auto call = [](const std::string& method) {
    return Story().Server("shop", 1).Client("shop", 2).Under(1).Peer("cart").At(0, 90).Says(
        "http.request.method", method);
  };
  Story story = call("GET").Client("shop", 3).Under(1).Peer("cart").At(0, 80).Says(
      "http.request.method", "GET");
  story.Server("cart", 5).In(2).At(20, 30).Says("http.request.method", "GET");
  EXPECT_THAT(story.Judged().findings,
              testing::ElementsAre(Finding("broken_hop", 1, 3), Finding("silent_hop", 1, 2)));
  EXPECT_THAT(
      call("POST").Server("cart", 5).In(2).Says("http.request.method", "GET").Judged().findings,
      testing::ElementsAre(Finding("silent_hop", 1, 2)));
}

TEST(OracleOfLearned, NamesTheSidesOfItsUnits) {
  const Verdicts verdicts = Story()
                                .Server("shop", 1)
                                .Producer("shop", 2)
                                .Under(1)
                                .Consumer("mail", 3)
                                .Under(2)
                                .Client("mail", 4)
                                .Under(3)
                                .Says("rpc.system", "grpc")
                                .Server("cart", 5)
                                .Under(4)
                                .Judged();
  EXPECT_THAT(verdicts.hops, testing::ElementsAre(Pair("mail > cart rpc good", 1),
                                                  Pair("shop > mail messaging good", 1)));
  EXPECT_THAT(verdicts.in_process,
              testing::ElementsAre(Pair("mail good", 1), Pair("shop good", 1)));
  EXPECT_THAT(verdicts.requests, testing::ElementsAre(Pair("shop good", 1)));
}

}  // namespace
}  // namespace tracekeeper::truth
