// Contexts, roots, requests, findings and logs; links, ids, orphans and calls are in
// oracle_test.cc.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/truth/oracle_story.h"

namespace tracekeeper::truth {
namespace {

constexpr std::int64_t kHour = 3'600'000;

class OracleOfRequests : public testing::TestWithParam<OracleCase> {};

TEST_P(OracleOfRequests, JudgesAsThePageSays) { EXPECT_EQ(DifferenceOf(GetParam()), ""); }

TEST_P(OracleOfRequests, DoesNotDependOnTheOrder) {
  const Story& story = GetParam().story;
  EXPECT_EQ(Difference(story.Judged(), story.Backwards().Judged()), "");
}

std::string NameOfCase(const testing::TestParamInfo<OracleCase>& row) { return row.param.name; }

std::vector<OracleCase> DayCases() {
  return {
      {"SpansADayApartAreOfOneTime",
       Story()
           .Server("shop", 1)
           .At(0, 25 * kHour)
           .Internal("shop", 2)
           .Under(1)
           .At(24 * kHour, 24 * kHour + 2),
       {{"in_process good", 1}, {"request good", 1}}},
      {"OfTwoEqualGapsTheFirstParts",
       Story()
           .Server("shop", 1)
           .At(0, 50 * kHour)
           .Internal("shop", 2)
           .Under(1)
           .At(20 * kHour, 20 * kHour + 2)
           .Internal("shop", 3)
           .Under(1)
           .At(40 * kHour, 40 * kHour + 2),
       {{"in_process good", 2}, {"request bad mixed_traces", 1}},
       {Finding("mixed_traces", 1, 2)}},
  };
}

std::vector<OracleCase> ContextCases() {
  return {
      {"StaleWorker",
       Story()
           .Server("shop", 1)
           .Internal("shop", 2)
           .Under(1)
           .At(10'101, 10'110)
           .Server("shop", 5)
           .In(2)
           .At(5000, 5100),
       {{"in_process bad mixed_traces", 1}, {"request bad mixed_traces", 1}, {"request good", 1}},
       {Finding("mixed_traces", 1, 2)}},
      {"WorkAfterReplyWithinTheSettleWindow",
       Story()
           .Server("shop", 1)
           .Internal("shop", 2)
           .Under(1)
           .At(10'100, 10'110)
           .Server("shop", 5)
           .In(2)
           .At(5000, 5100),
       {{"in_process good", 1}, {"request good", 2}},
       {Finding("work_after_reply", 1, 2)}},
      {"WorkAfterReplyOfAnIdleInstance",
       Story().Server("shop", 1).Internal("shop", 2).Under(1).At(20'000, 20'010),
       {{"in_process good", 1}, {"request good", 1}},
       {Finding("work_after_reply", 1, 2)}},
      {"OneIdTwoTimes",
       Story()
           .Server("shop", 1)
           .At(0, 25 * kHour)
           .Internal("shop", 2)
           .Under(1)
           .At(1, 2)
           .Internal("shop", 3)
           .Under(1)
           .At(24 * kHour + 1, 24 * kHour + 2),
       {{"in_process good", 2}, {"request bad mixed_traces", 1}},
       {Finding("mixed_traces", 1, 3)}},
      {"RepeatedTraceparentOfAPresentParent",
       Story()
           .Client("shop", 9)
           .At(0, 50'000)
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
           .At(12'000, 12'100),
       {{"hop good", 4}, {"in_process excluded legal_root", 1}, {"request bad mixed_traces", 1}},
       {Finding("mixed_traces", 1, 2)}},
  };
}
INSTANTIATE_TEST_SUITE_P(Days, OracleOfRequests, testing::ValuesIn(DayCases()), NameOfCase);
INSTANTIATE_TEST_SUITE_P(Contexts, OracleOfRequests, testing::ValuesIn(ContextCases()), NameOfCase);

std::vector<OracleCase> RootCases() {
  return {
      {"LegalRoot",
       Story().Internal("shop", 1),
       {{"in_process excluded legal_root", 1}, {"request good", 1}}},
      {"FilteredRoot",
       Story().Internal("shop", 1).ExcludeService("shop"),
       {{"in_process excluded filtered", 1}, {"request excluded probe", 1}}},
      {"NewInternalRootInsideAnEntry",
       Story().Internal("shop", 1).At(50, 60).Server("shop", 5).In(2),
       {{"in_process bad new_internal_root", 1},
        {"request bad new_internal_root", 1},
        {"request good", 1}},
       {Finding("new_internal_root", 1, 1)}},
      {"RootInsideAnEntryThatDoesNotEnd",
       Story().Internal("shop", 1).At(0, 60).Server("shop", 5).In(2).Unfinished(),
       {{"in_process excluded legal_root", 1}, {"request good", 2}},
       {Finding("unfinished", 2, 5)}},
      {"JobInsideAnEntry",
       Story().Internal("shop", 1).Resource("faas.name", "resize").Server("shop", 5).In(2),
       {{"in_process excluded legal_root", 1}, {"request good", 2}}},
      {"NewClientRootOfWorkThatMostlyHasAParent",
       Story().Client("shop", 1).At(900, 910).Server("shop", 5).In(2).Client("shop", 6).In(2).Under(
           5),
       {{"in_process bad new_client_root", 1},
        {"in_process good", 1},
        {"hop excluded uninstrumented_peer", 2},
        {"request bad new_client_root", 1},
        {"request good", 1}},
       {Finding("new_client_root", 1, 1)}},
  };
}
INSTANTIATE_TEST_SUITE_P(Roots, OracleOfRequests, testing::ValuesIn(RootCases()), NameOfCase);

std::vector<OracleCase> RequestCases() {
  return {
      {"Fragments",
       Story().Server("shop", 1).Server("cart", 2).At(50, 60),
       {{"request bad fragments", 1}},
       {Finding("fragments", 1, 2)}},
      {"UnknownCause",
       Story().Internal("shop", 1).Under(2).Internal("shop", 2).Under(1).At(1, 2),
       {{"in_process good", 2}, {"request bad unknown_cause", 1}},
       {Finding("unknown_cause", 1, 1)}},
      {"ProbeOfKubernetes",
       Story().Server("shop", 1).Says("user_agent.original", "kube-probe/1.31"),
       {{"request excluded probe", 1}}},
      {"ProbeOfALoadBalancer",
       Story().Server("shop", 1).Says("http.user_agent", "ELB-HealthChecker/2.0"),
       {{"request excluded probe", 1}}},
      {"ProbesAreNotMatched",
       Story()
           .Server("shop", 1)
           .Client("shop", 2)
           .Under(1)
           .Peer("cart")
           .Server("cart", 5)
           .In(2)
           .Says("user_agent.original", "kube-probe/1.31"),
       {{"hop bad silent_hop", 1},
        {"in_process good", 1},
        {"request bad silent_hop", 1},
        {"request excluded probe", 1}},
       {Finding("silent_hop", 1, 2)}},
      {"FirstBreakNamesTheRequest",
       Story()
           .Server("shop", 1)
           .Internal("shop", 2)
           .Under(8)
           .At(2, 3)
           .Server("cart", 3)
           .Under(9)
           .At(1, 2),
       {{"in_process bad orphan_local_parent", 1},
        {"hop bad orphan_remote_parent", 1},
        {"request bad orphan_remote_parent", 1}},
       {Finding("orphan_local_parent", 1, 2), Finding("orphan_remote_parent", 1, 3)}},
  };
}
INSTANTIATE_TEST_SUITE_P(Requests, OracleOfRequests, testing::ValuesIn(RequestCases()), NameOfCase);

std::vector<OracleCase> FindingCases() {
  const Story call = Story().Server("shop", 1).Client("shop", 2).Under(1);
  return {
      {"Unfinished",
       Story().Server("shop", 1).At(100, 50),
       {{"request good", 1}},
       {Finding("unfinished", 1, 1)}},
      {"TracestateLost",
       Story(call)
           .Tracestate("vendor=x, ot=th:8")
           .Server("cart", 3)
           .Under(2)
           .Tracestate("vendor=x"),
       {{"hop good", 1}, {"in_process good", 1}, {"request good", 1}},
       {Finding("tracestate_lost", 1, 3)}},
      {"TracestateOfACutTrace",
       Story(call).Tracestate("ot=th:8").Server("cart", 3).Under(2).InShort(1),
       {{"hop bad truncated_id", 1}, {"in_process good", 1}, {"request bad truncated_id", 1}},
       {ShortFinding("tracestate_lost", 1, 3), ShortFinding("truncated_id", 1, 3)}},
      {"TracestateKept",
       Story(call).Tracestate("ot=th:8").Server("cart", 3).Under(2).Tracestate("x=y,ot=th:8"),
       {{"hop good", 1}, {"in_process good", 1}, {"request good", 1}}},
      {"CancelledWithParent",
       Story(call).Failed("Context Canceled").At(10, 600),
       {{"hop excluded not_delivered", 1}, {"in_process good", 1}, {"request good", 1}},
       {Finding("cancelled_with_parent", 1, 2)}},
      {"CancelledByItself",
       Story(call).Failed("deadline exceeded").At(10, 601),
       {{"hop excluded not_delivered", 1}, {"in_process good", 1}, {"request good", 1}}},
  };
}
INSTANTIATE_TEST_SUITE_P(Findings, OracleOfRequests, testing::ValuesIn(FindingCases()), NameOfCase);

std::vector<OracleCase> LogCases() {
  const Story serving = Story().Server("shop", 1);
  const std::string trace = TraceIdOf(1);
  const std::string other = TraceIdOf(2);
  const std::string zeros(8, '\0');
  return {
      {"Good",
       Story(serving).Log("shop", trace, SpanIdOf(1)).Log("cart", trace, ""),
       {{"log good", 2}, {"request good", 1}}},
      {"ZeroId",
       Story(serving).Log("shop", trace, zeros),
       {{"log bad log_zero_id", 1}, {"request good", 1}},
       {Finding("log_zero_id", 1, 0)}},
      {"NoInstance",
       Story(serving).LogOfUnknownInstance("shop"),
       {{"log unknown no_instance", 1}, {"request good", 1}}},
      {"WithoutId",
       Story(serving).Log("shop", "", "", 100),
       {{"log bad log_without_id", 1}, {"request good", 1}},
       {"log_without_id  "}},
      {"Background",
       Story(serving).Log("shop", "", "", 101).Log("cart", "", "", 50),
       {{"log excluded background", 2}, {"request good", 1}}},
      {"UnknownTrace",
       Story(serving).Log("shop", other, "", 0, 1),
       {{"log bad log_unknown_trace", 1}, {"request good", 1}},
       {"log_unknown_trace " + Finding("", 2, 0).substr(1, 32) + " "}},
      {"NotSampled",
       Story(serving).Log("shop", other, SpanIdOf(3)),
       {{"log excluded not_sampled", 1}, {"request good", 1}}},
      {"UnknownSpan",
       Story(serving).Log("shop", trace, SpanIdOf(2)),
       {{"log bad log_unknown_span", 1}, {"request good", 1}},
       {Finding("log_unknown_span", 1, 2)}},
  };
}
INSTANTIATE_TEST_SUITE_P(Logs, OracleOfRequests, testing::ValuesIn(LogCases()), NameOfCase);

}  // namespace
}  // namespace tracekeeper::truth
