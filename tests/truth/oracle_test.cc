#include "tests/truth/oracle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/truth/oracle_story.h"

namespace tracekeeper::truth {
namespace {

constexpr std::uint32_t kLocal = 0x100;
constexpr std::uint32_t kRemote = 0x300;
constexpr std::uint32_t kSampled = 0x01;

class Oracle : public testing::TestWithParam<OracleCase> {};

TEST_P(Oracle, JudgesAsThePageSays) { EXPECT_EQ(DifferenceOf(GetParam()), ""); }

TEST_P(Oracle, DoesNotDependOnTheOrder) {
  const Story& story = GetParam().story;
  EXPECT_EQ(Difference(story.Judged(), story.Backwards().Judged()), "");
}

std::string NameOfCase(const testing::TestParamInfo<OracleCase>& row) { return row.param.name; }

/// A request of shop that is good: one in_process unit and nothing to find.
Story Calling() { return Story().Server("shop", 1).Client("shop", 2).Under(1).At(10, 90); }

std::vector<OracleCase> LinkCases() {
  return {
      {"HopToACallee",
       Calling().Server("cart", 3).Under(2),
       {{"hop good", 1}, {"in_process good", 1}, {"request good", 1}}},
      {"HopBetweenInstances",
       Story().Server("shop", 1).Internal("shop", 2).Under(1).On("shop-1"),
       {{"hop good", 1}, {"request good", 1}}},
      {"FlagsSayWhetherTheParentIsRemote",
       Story().Server("shop", 1).Internal("cart", 2).Under(1).Flags(kLocal),
       {{"in_process good", 1}, {"request good", 1}}},
      {"ServerBelowWorkOfItsOwnProcess",
       Story().Server("shop", 1).Internal("shop", 2).Under(1).Server("shop", 3).Under(2).Flags(
           kLocal),
       {{"in_process good", 1},
        {"in_process bad mixed_traces", 1},
        {"request bad mixed_traces", 1}},
       {Finding("mixed_traces", 1, 3)}},
      {"ConsumerBelowWorkOfItsOwnProcess",
       Story().Server("shop", 1).Consumer("shop", 2).Under(1).Flags(kLocal),
       {{"in_process good", 1}, {"request good", 1}}},
      {"ConsumerBelowItsPollAndLinked",
       Story().Consumer("mail", 1).Named("orders receive").Consumer("mail", 2).Under(1).Linked(),
       {{"in_process good", 1}, {"hop good", 1}, {"request good", 1}}},
      {"ConsumerThatIsLinked",
       Story().Consumer("mail", 1).Linked(),
       {{"hop good", 1}, {"request good", 1}}},
      {"InstancesOfTwoServicesAreTwo",
       Story().Server("shop", 1).On("0").Internal("cart", 2).On("0").At(50, 60),
       {{"in_process excluded legal_root", 1}, {"request bad fragments", 1}},
       {Finding("fragments", 1, 2)}},
      {"PollWithoutLink",
       Story().Consumer("mail", 1).Says("messaging.operation.type", "receive"),
       {{"request good", 1}}},
      {"MessageWithoutContext",
       Story().Consumer("mail", 1).Says("messaging.operation.type", "process").Named("a poll"),
       {{"hop bad message_without_context", 1}, {"request bad message_without_context", 1}},
       {Finding("message_without_context", 1, 1)}},
      {"RootThatIsItsOwnParent",
       Story().Server("shop", 1).Under(1).Flags(kRemote),
       {{"request good", 1}}},
  };
}
INSTANTIATE_TEST_SUITE_P(Links, Oracle, testing::ValuesIn(LinkCases()), NameOfCase);

std::vector<OracleCase> IdCases() {
  return {
      {"Repeats",
       Calling().Client("shop", 2).Under(1).At(10, 90),
       {{"hop excluded uninstrumented_peer", 1}, {"in_process good", 1}, {"request good", 1}}},
      {"TraceIdOfZeros",
       Story().Server("shop", 1).InBytes(std::string(16, '\0')).Unfinished(),
       {{"in_process bad invalid_id", 1}},
       {"invalid_id " + std::string(32, '0') + " 0000000000000001"}},
      {"NoTraceId",
       Story().Server("shop", 1).InBytes(""),
       {{"in_process bad invalid_id", 1}},
       {"invalid_id  0000000000000001"}},
      {"ParentIdOfAWrongLength",
       Story().Client("shop", 1).UnderBytes("1234567"),
       {{"in_process bad invalid_id", 1}},
       {Finding("invalid_id", 1, 1)}},
      {"CutTraceIdAtAHop",
       Calling().Server("cart", 3).Under(2).InShort(1).Internal("cart", 4).Under(3).InShort(1),
       {{"hop bad truncated_id", 1}, {"in_process good", 2}, {"request bad truncated_id", 1}},
       {ShortFinding("truncated_id", 1, 3)}},
      {"CutTraceIdInAProcess",
       Story().Server("shop", 1).Internal("shop", 2).Under(1).InShort(1),
       {{"in_process bad truncated_id", 1}, {"request bad truncated_id", 1}},
       {ShortFinding("truncated_id", 1, 2)}},
      {"CutTraceIdOfAnOrphan",
       Story().Server("shop", 1).Server("cart", 3).Under(9).InShort(1),
       {{"hop bad truncated_id", 1}, {"request bad truncated_id", 1}},
       {ShortFinding("truncated_id", 1, 3)}},
      {"ShortTraceIdByItself", Story().Server("shop", 1).InShort(5), {{"request good", 1}}},
      {"SharedSpan",
       Calling().Server("cart", 2).Under(1).Internal("cart", 4).Under(2),
       {{"hop good", 1}, {"in_process good", 2}, {"request good", 1}}},
      {"SharedSpanWithoutKind",
       Calling().WithoutKind("shop", 2).Under(9),
       {{"hop excluded uninstrumented_peer", 1}, {"in_process good", 1}, {"request good", 1}}},
      {"SpanIdCollision",
       Story().Server("shop", 1).Internal("shop", 2).Under(1).Internal("shop", 2).Under(1).Named(
           "x"),
       {{"in_process good", 2}, {"request bad span_id_collision", 1}},
       {Finding("span_id_collision", 1, 2)}},
  };
}
INSTANTIATE_TEST_SUITE_P(Ids, Oracle, testing::ValuesIn(IdCases()), NameOfCase);

std::vector<OracleCase> OrphanCases() {
  const Story four_times = Story()
                               .Server("cart", 1)
                               .Under(9)
                               .Server("cart", 2)
                               .Under(9)
                               .At(4000, 4100)
                               .Server("cart", 3)
                               .Under(9)
                               .At(8000, 8100)
                               .Server("cart", 4)
                               .Under(9)
                               .At(10'001, 10'100);
  return {
      {"Remote",
       Story().Server("shop", 1).Under(9),
       {{"hop bad orphan_remote_parent", 1}, {"request bad orphan_remote_parent", 1}},
       {Finding("orphan_remote_parent", 1, 1)}},
      {"Local",
       Story().Server("shop", 1).Internal("shop", 3).Under(9),
       {{"in_process bad orphan_local_parent", 1}, {"request bad orphan_local_parent", 1}},
       {Finding("orphan_local_parent", 1, 3)}},
      {"OpenParent",
       Story().Internal("shop", 3).Under(9).Internal("shop", 4).Under(9).At(10'050, 10'101),
       {{"in_process bad open_parent", 2}, {"request bad open_parent", 1}},
       {Finding("open_parent", 1, 3), Finding("open_parent", 1, 4)}},
      {"NotOpenWithinTheSettleWindow",
       Story().Internal("shop", 3).Under(9).Internal("shop", 4).Under(9).At(10'050, 10'100),
       {{"in_process bad orphan_local_parent", 2}, {"request bad orphan_local_parent", 1}},
       {Finding("orphan_local_parent", 1, 3), Finding("orphan_local_parent", 1, 4)}},
      {"Filtered",
       Story().Server("shop", 1).Internal("shop", 3).Under(9).OfScope("orm.sql").ExcludeScope(
           "orm*"),
       {{"in_process excluded filtered", 1}, {"request good", 1}}},
      {"ForeignParent",
       Story().Server("shop", 1).Under(9).EntryPoint("shop"),
       {{"hop excluded foreign_parent", 1}, {"request good", 1}}},
      {"RepeatedTraceparent",
       four_times,
       {{"hop excluded mixed", 4}, {"request bad mixed_traces", 1}},
       {Finding("mixed_traces", 1, 2)}},
      {"RetriesAreNoRepeatedTraceparent",
       Story(four_times).Failed("unavailable"),
       {{"hop bad orphan_remote_parent", 4}, {"request bad orphan_remote_parent", 1}},
       {Finding("orphan_remote_parent", 1, 1), Finding("orphan_remote_parent", 1, 2),
        Finding("orphan_remote_parent", 1, 3), Finding("orphan_remote_parent", 1, 4)}},
      {"SampledApart",
       Story().Server("shop", 1).Flags(kSampled).Internal("shop", 3).Under(9).Flags(kLocal),
       {{"in_process bad sampling_break", 1}, {"request bad sampling_break", 1}},
       {Finding("sampling_break", 1, 3)}},
  };
}
INSTANTIATE_TEST_SUITE_P(Orphans, Oracle, testing::ValuesIn(OrphanCases()), NameOfCase);

std::vector<OracleCase> CallCases() {
  return {
      {"Filtered",
       Calling().ExcludeName("work"),
       {{"hop excluded filtered", 1}, {"in_process good", 1}, {"request excluded probe", 1}}},
      {"CountedAtConsumer",
       Story().Server("shop", 1).Producer("shop", 2).Under(1),
       {{"hop excluded counted_at_consumer", 1}, {"in_process good", 1}, {"request good", 1}}},
      {"Wrapper",
       Calling().Internal("shop", 3).Under(2).Client("shop", 4).Under(3).Server("cart", 5).Under(4),
       {{"hop excluded wrapper", 1}, {"hop good", 1}, {"in_process good", 3}, {"request good", 1}}},
      {"NotDelivered",
       Calling().Peer("cart").Failed("refused").Server("cart", 5).In(2),
       {{"hop excluded not_delivered", 1}, {"in_process good", 1}, {"request good", 2}}},
      {"Database",
       Calling().Peer("cart").Says("db.system", "redis").Server("cart", 5).In(2),
       {{"hop excluded uninstrumented_peer", 1}, {"in_process good", 1}, {"request good", 2}}},
      {"SampledOut",  // R = 1, th = 0x10000000000000
       Calling().Peer("cart").Flags(0x02).Server("cart", 5).In(2).Tracestate("ot=th:1"),
       {{"hop excluded sampled_out", 1}, {"in_process good", 1}, {"request good", 2}}},
      {"BrokenHop",
       Calling().Peer("cart").Server("cart", 5).In(2).At(590, 600),
       {{"hop bad broken_hop", 1},
        {"in_process good", 1},
        {"request bad broken_hop", 1},
        {"request excluded continued", 1}},
       {Finding("broken_hop", 1, 2)}},
      {"SilentHopBeyondTheSkew",
       Calling().Peer("cart").Server("cart", 5).In(2).At(591, 600),
       {{"hop bad silent_hop", 1},
        {"in_process good", 1},
        {"request bad silent_hop", 1},
        {"request good", 1}},
       {Finding("silent_hop", 1, 2)}},
      {"PeerSilent",
       Calling().Peer("cart").Server("cart", 5).In(2).At(60'091, 60'100),
       {{"hop unknown peer_silent", 1},
        {"in_process good", 1},
        {"request unknown peer_silent", 1},
        {"request good", 1}}},
      {"PeerByTheFirstLabelOfItsAddress",
       Calling().Says("net.peer.name", "cart.svc").Server("cart", 5).In(2).At(20, 30),
       {{"hop bad broken_hop", 1},
        {"in_process good", 1},
        {"request bad broken_hop", 1},
        {"request excluded continued", 1}},
       {Finding("broken_hop", 1, 2)}},
  };
}
INSTANTIATE_TEST_SUITE_P(Calls, Oracle, testing::ValuesIn(CallCases()), NameOfCase);

}  // namespace
}  // namespace tracekeeper::truth
