#include "src/continuity/tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace tracekeeper::continuity {
namespace {

const Verdict kGood = Verdict::Good();
const Verdict kOrphan = Verdict::Bad(Cause::kOrphanLocalParent);
const Verdict kLost = Verdict::Bad(Cause::kLostBatch);
const Verdict kFiltered = Verdict::Excluded(Reason::kFiltered);
const Verdict kSilent = Verdict::Unknown(Reason::kPeerSilent);

UnitKey Step(NameId service, NameId policy = 0) {
  return {.family = Family::kInProcess, .policy = policy, .service = service};
}

struct Counted {
  UnitKey key;
  Verdict verdict;
};

Judgement JudgementOf(const std::vector<Counted>& units) {
  Judgement judgement;
  for (const Counted& unit : units) {
    judgement.units.push_back({.key = unit.key, .verdict = unit.verdict, .shown_at = {}});
    judgement.seen.Add(unit.key.family, unit.key.policy);
  }
  return judgement;
}

CountedBreak FindingOf(Cause cause, NameId service) {
  return {.key = {.cause = cause, .service = service}, .shown_at = {}};
}

Judgement OfOneService(const std::vector<Verdict>& verdicts) {
  std::vector<Counted> units;
  units.reserve(verdicts.size());
  for (const Verdict verdict : verdicts) units.push_back({Step(1), verdict});
  return JudgementOf(units);
}

/// "good > bad": how many units were repaired from the one to the other.
std::map<std::string, std::uint64_t> RepairsOf(const UnitCounts& counts) {
  std::map<std::string, std::uint64_t> repairs;
  for (std::size_t from = 0; from < kOutcomes; ++from) {
    for (std::size_t to = 0; to <= kOutcomes; ++to) {
      if (counts.repaired[from][to] == 0) continue;
      const std::string_view became =
          to == kWithdrawn ? "withdrawn" : NameOf(static_cast<Outcome>(to));
      repairs[std::string(NameOf(static_cast<Outcome>(from))) + " > " + std::string(became)] =
          counts.repaired[from][to];
    }
  }
  return repairs;
}

/// What holds, of each verdict of each key.
std::map<std::pair<NameId, std::size_t>, std::int64_t> NetOf(const Tally& tally) {
  std::map<std::pair<NameId, std::size_t>, std::int64_t> net;
  for (const auto& [key, counts] : tally.units()) {
    for (std::size_t code = 0; code < kVerdictCodes; ++code) {
      if (counts.net[code] != 0) net[{key.service, code}] = counts.net[code];
    }
  }
  return net;
}

TEST(Tally, CountsUnitsAndWhatWasSeenApart) {
  Tally tally;
  tally.Count(JudgementOf({{Step(1), kGood}, {Step(1), kOrphan}, {Step(2), kGood}}));
  EXPECT_EQ(tally.units().at(Step(1)).Of(Outcome::kGood), 1U);
  EXPECT_EQ(tally.units().at(Step(1)).Of(Outcome::kBad), 1U);
  EXPECT_EQ(tally.units().at(Step(2)).NetOf(Outcome::kGood), 1);
  EXPECT_EQ(tally.seen().at(0)[static_cast<std::size_t>(Family::kInProcess)], 3U);
  EXPECT_TRUE(tally.AddsUp());
}

TEST(Tally, DoesNotAddUpWhereAUnitIsMissingOrOneIsTooMany) {
  Judgement missing = OfOneService({kGood, kGood});
  missing.units.pop_back();
  Judgement surplus = OfOneService({kGood});
  surplus.units.push_back(surplus.units.front());
  Judgement elsewhere = OfOneService({kGood});
  elsewhere.units.front().key.policy = 9;
  Judgement other_family = OfOneService({kGood});
  other_family.units.front().key.family = Family::kHop;
  Judgement unseen = OfOneService({kGood});
  unseen.seen = {};
  Judgement unjudged;
  unjudged.seen.Add(Family::kLog, 4);
  for (const Judgement& wrong : {unjudged, missing, surplus, elsewhere, other_family, unseen}) {
    Tally tally;
    tally.Count(wrong);
    EXPECT_FALSE(tally.AddsUp());
    Tally corrected;
    corrected.Count(OfOneService({kOrphan}));
    ASSERT_TRUE(corrected.AddsUp());
    corrected.Correct(OfOneService({kOrphan}), wrong);
    EXPECT_FALSE(corrected.AddsUp());
  }
}

struct Correction {
  const char* name;
  std::vector<Verdict> before;
  std::vector<Verdict> now;
  std::map<std::string, std::uint64_t> repairs;
  std::uint64_t counted;  // of all verdicts, first
};

const Correction kCorrections[] = {
    {"NothingChanges", {kGood, kOrphan}, {kOrphan, kGood}, {}, 2},
    {"BadBecomesGood", {kOrphan}, {kGood}, {{"bad > good", 1}}, 1},
    {"GoodBecomesBad", {kGood, kGood}, {kGood, kLost}, {{"good > bad", 1}}, 2},
    {"BadOfAnotherCauseIsNoRepair", {kOrphan}, {kLost}, {}, 1},
    {"ExcludedBecomesUnknown", {kFiltered}, {kSilent}, {{"excluded > unknown", 1}}, 1},
    {"AUnitIsNoMore", {kOrphan, kGood}, {kGood}, {{"bad > withdrawn", 1}}, 2},
    {"AllAreNoMore",
     {kOrphan, kSilent},
     {},
     {{"bad > withdrawn", 1}, {"unknown > withdrawn", 1}},
     2},
    {"AUnitIsNew", {kGood}, {kGood, kOrphan}, {}, 2},
    {"WhatStaysBadIsNotTakenForWhatBecomesGood",
     {kOrphan, kOrphan},
     {kLost, kGood},
     {{"bad > good", 1}},
     2},
    {"OneBecomesGoodAndOneIsNew", {kOrphan}, {kGood, kLost}, {}, 2},
    {"SeveralBecomeGood",
     {kOrphan, kLost, kSilent},
     {kGood, kGood, kGood},
     {{"bad > good", 2}, {"unknown > good", 1}},
     3},
};

class Corrected : public ::testing::TestWithParam<Correction> {};

TEST_P(Corrected, TellsWhatBecameOfWhat) {
  Tally tally;
  const Judgement before = OfOneService(GetParam().before);
  const Judgement now = OfOneService(GetParam().now);
  tally.Count(before);
  const auto first =
      tally.units().empty() ? decltype(UnitCounts::first){} : tally.units().at(Step(1)).first;
  tally.Correct(before, now);
  EXPECT_TRUE(tally.AddsUp());
  Tally anew;
  anew.Count(now);
  EXPECT_EQ(NetOf(tally), NetOf(anew));
  const UnitCounts& counts = tally.units().at(Step(1));
  EXPECT_EQ(RepairsOf(counts), GetParam().repairs);
  std::uint64_t counted = 0;
  for (std::size_t code = 0; code < kVerdictCodes; ++code) {
    EXPECT_GE(counts.first[code], first[code]) << "counters never go down";
    counted += counts.first[code];
  }
  EXPECT_EQ(counted, GetParam().counted);
  tally.Correct(now, before);
  EXPECT_TRUE(tally.AddsUp()) << "and back";
}

INSTANTIATE_TEST_SUITE_P(All, Corrected, ::testing::ValuesIn(kCorrections),
                         [](const auto& tested) { return tested.param.name; });

TEST(Tally, AUnitThatMovesToAnotherKeyIsWithdrawnThereAndNewHere) {
  Tally tally;
  const Judgement before = JudgementOf({{Step(1), kOrphan}, {Step(2, 5), kGood}});
  const Judgement now = JudgementOf({{Step(3), kOrphan}, {Step(2, 5), kOrphan}});
  tally.Count(before);
  tally.Correct(before, now);
  EXPECT_TRUE(tally.AddsUp());
  using Repairs = std::map<std::string, std::uint64_t>;
  EXPECT_EQ(RepairsOf(tally.units().at(Step(1))), (Repairs{{"bad > withdrawn", 1}}));
  EXPECT_EQ(RepairsOf(tally.units().at(Step(2, 5))), (Repairs{{"good > bad", 1}}));
  EXPECT_EQ(RepairsOf(tally.units().at(Step(3))), Repairs{});
  EXPECT_EQ(tally.units().at(Step(3)).Of(Outcome::kBad), 1U);
  EXPECT_EQ(tally.seen().at(0)[static_cast<std::size_t>(Family::kInProcess)], 2U)
      << "one that is no more, and one that is new";
}

TEST(Tally, FindingsAreNet) {
  Judgement before = OfOneService({kGood});
  before.findings = {FindingOf(Cause::kUnfinished, 1), FindingOf(Cause::kUnfinished, 1),
                     FindingOf(Cause::kWorkAfterReply, 1)};
  Judgement now = OfOneService({kGood});
  now.findings = {FindingOf(Cause::kUnfinished, 1), FindingOf(Cause::kTracestateLost, 2)};
  Tally tally;
  tally.Count(before);
  EXPECT_EQ(tally.findings().at({Cause::kUnfinished, 1}), 2);
  tally.Correct(before, now);
  EXPECT_EQ(tally.findings().at({Cause::kUnfinished, 1}), 1);
  EXPECT_EQ(tally.findings().at({Cause::kWorkAfterReply, 1}), 0);
  EXPECT_EQ(tally.findings().at({Cause::kTracestateLost, 2}), 1);
}

TEST(Tally, WeighsARequestOnceBySampling) {
  Judgement judgement;
  const UnitKey request{.family = Family::kRequest, .service = 1};
  judgement.units = {{.key = request, .verdict = kGood, .shown_at = {}, .population = 4},
                     {.key = request, .verdict = kGood, .shown_at = {}, .population = 0},
                     {.key = request, .verdict = kOrphan, .shown_at = {}, .population = 2}};
  judgement.seen.Add(Family::kRequest, 0, 3);
  Tally tally;
  tally.Count(judgement);
  tally.Correct(judgement, judgement);
  Tally sum;
  sum.Add(tally);
  sum.Add(tally);
  const UnitCounts& counts = sum.units().at(request);
  const auto good = static_cast<std::size_t>(Outcome::kGood);
  const auto bad = static_cast<std::size_t>(Outcome::kBad);
  EXPECT_EQ(counts.population[good], 8);
  EXPECT_EQ(counts.threshold_known[good], 2U);
  EXPECT_EQ(counts.population[bad], 4);
  EXPECT_EQ(counts.threshold_known[bad], 2U);
}

/// Some units of a few services and verdicts, so that equal ones meet.
Judgement RandomJudgement(std::mt19937_64& random) {
  const Verdict verdicts[] = {kGood,     kOrphan, kLost,
                              kFiltered, kSilent, Verdict::Unknown(Reason::kCallerSamples)};
  std::vector<Counted> units(random() % 8);
  for (Counted& unit : units) {
    const auto service = static_cast<NameId>(random() % 3 + 1);
    unit = {Step(service, service % 2), verdicts[random() % std::size(verdicts)]};
  }
  Judgement judgement = JudgementOf(units);
  for (std::uint64_t i = random() % 3; i > 0; --i) {
    judgement.findings.push_back(FindingOf(Cause::kUnfinished, static_cast<NameId>(random() % 2)));
  }
  return judgement;
}

/// All that moved in and out of an outcome, first counts among it.
std::int64_t BalanceOf(const UnitCounts& counts, Outcome outcome) {
  const auto place = static_cast<std::size_t>(outcome);
  auto balance = static_cast<std::int64_t>(counts.Of(outcome));
  for (std::size_t to = 0; to <= kOutcomes; ++to) {
    balance -= static_cast<std::int64_t>(counts.repaired[place][to]);
  }
  for (std::size_t from = 0; from < kOutcomes; ++from) {
    balance += static_cast<std::int64_t>(counts.repaired[from][place]);
  }
  return balance;
}

TEST(TallyProperty, HoldsTheLastJudgementsWhateverWasCorrectedBefore) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<Tally> tallies(2);
    std::vector<Judgement> last(5);
    for (std::size_t i = 0; i < last.size(); ++i) {
      last[i] = RandomJudgement(random);
      tallies[i % 2].Count(last[i]);
    }
    for (int step = 0; step < 20; ++step) {
      const std::size_t i = random() % last.size();
      Judgement now = RandomJudgement(random);
      tallies[i % 2].Correct(last[i], now);
      last[i] = std::move(now);
      ASSERT_TRUE(tallies[i % 2].AddsUp());
    }
    Tally sum;
    Tally anew;
    for (const Tally& tally : tallies) sum.Add(tally);
    for (const Judgement& judgement : last) anew.Count(judgement);
    EXPECT_TRUE(sum.AddsUp());
    ASSERT_EQ(NetOf(sum), NetOf(anew));
    for (const auto& [key, counts] : sum.units()) {
      for (const Outcome outcome :
           {Outcome::kGood, Outcome::kBad, Outcome::kExcluded, Outcome::kUnknown}) {
        EXPECT_EQ(counts.NetOf(outcome), BalanceOf(counts, outcome));
      }
    }
    for (const auto& [finding, count] : sum.findings()) {
      const auto found = anew.findings().find(finding);
      EXPECT_EQ(count, found == anew.findings().end() ? 0 : found->second);
    }
  }
}

}  // namespace
}  // namespace tracekeeper::continuity
