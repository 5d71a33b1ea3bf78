// What a Tally shows of breaks: an exemplar a cause, and where breaks show, net of repairs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/continuity/tally.h"

namespace tracekeeper::continuity {
namespace {

CountedUnit Hop(Verdict verdict, std::uint64_t span) {
  return {.key = {.family = Family::kHop, .service = 1, .server = 2},
          .verdict = verdict,
          .shown_at = {{0, span}, span, span},
          .place = ShownPlace{.service = 2, .peer = 1, .scope = 3, .span_name = 4}};
}

Judgement Of(std::vector<CountedUnit> units) {
  Judgement judgement;
  for (const CountedUnit& unit : units) judgement.seen.Add(unit.key.family, unit.key.policy);
  judgement.units = std::move(units);
  return judgement;
}

TEST(TallyBreaks, HasTheLatestUnitOfEachCauseAsExemplar) {
  Tally tally;
  tally.Count(
      Of({Hop(Verdict::Bad(Cause::kBrokenHop), 9), Hop(Verdict::Good(), 10),
          Hop(Verdict::Bad(Cause::kBrokenHop), 5), Hop(Verdict::Bad(Cause::kSilentHop), 6)}));
  Tally sum;
  sum.Add(tally);
  const auto& exemplars = sum.units().begin()->second.exemplars;
  ASSERT_EQ(exemplars.size(), 2U);
  EXPECT_EQ(exemplars[0].cause, Cause::kBrokenHop);
  EXPECT_EQ(exemplars[0].shown_at.span, 9U);
  EXPECT_EQ(exemplars[1].shown_at.span, 6U);
}

TEST(TallyBreaks, SaysWhereTheyShowNetOfRepairs) {
  Tally tally;
  const Judgement before = Of({Hop(Verdict::Bad(Cause::kBrokenHop), 1),
                               Hop(Verdict::Bad(Cause::kBrokenHop), 2), Hop(Verdict::Good(), 3)});
  const Judgement now = Of(
      {Hop(Verdict::Bad(Cause::kBrokenHop), 2), Hop(Verdict::Good(), 1), Hop(Verdict::Good(), 3)});
  tally.Count(before);
  ASSERT_EQ(tally.breaks().entries().size(), 1U);
  EXPECT_EQ(tally.breaks().entries()[0].net(), 2);
  tally.Correct(before, now);
  const BreakSketch::Entry& entry = tally.breaks().entries()[0];
  EXPECT_EQ(entry.net(), 1);
  EXPECT_EQ(entry.key.service, 2U);
  EXPECT_EQ(entry.key.peer, 1U);
  EXPECT_EQ(entry.key.span_name, 4U);
  EXPECT_EQ(entry.examples[0].span, 2U);
  EXPECT_EQ(entry.examples[1], SpanReference());
  EXPECT_TRUE(tally.AddsUp());
}

TEST(TallyBreaks, AreFindingsTooAndOfRequestsNone) {
  Judgement judgement = Of({{.key = {.family = Family::kRequest, .service = 1},
                             .verdict = Verdict::Bad(Cause::kFragments)}});
  judgement.findings.push_back({.key = {.cause = Cause::kFragments, .service = 1}});
  Tally tally;
  tally.Count(judgement);
  ASSERT_EQ(tally.breaks().entries().size(), 1U);
  EXPECT_EQ(tally.breaks().entries()[0].key.cause, Cause::kFragments);
  EXPECT_EQ(tally.findings().size(), 1U);
}

}  // namespace
}  // namespace tracekeeper::continuity
