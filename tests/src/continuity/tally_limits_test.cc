// Peers choose the names that a tally counts by: there is room for so many, and every sum holds.

#include <gtest/gtest.h>

#include "src/continuity/tally.h"

namespace tracekeeper::continuity {
namespace {

constexpr NameId kFirst = 100;  // of the names of these tests

Judgement One(NameId policy, NameId service, Verdict verdict, Family family = Family::kInProcess) {
  Judgement judgement;
  judgement.units.push_back({.key = {.family = family,
                                     .policy = policy,
                                     .service = service,
                                     .server = family == Family::kHop ? service + 1 : 0},
                             .verdict = verdict});
  judgement.seen.Add(family, policy);
  return judgement;
}

std::uint64_t GoodOf(const Tally& tally, const UnitKey& key) {
  const auto found = tally.units().find(key);
  return found == tally.units().end() ? 0 : found->second.Of(Outcome::kGood);
}

TEST(TallyLimits, WhatIsNewWhenTheRoomIsTakenIsCountedAsOther) {
  Tally tally;
  constexpr NameId kServices = Tally::kMostKeys + 500;
  for (NameId i = 0; i < kServices; ++i) tally.Count(One(0, kFirst + i, Verdict::Good()));
  tally.Count(One(0, kFirst, Verdict::Good()));
  tally.Count(One(0, kFirst, Verdict::Good(), Family::kHop));
  EXPECT_TRUE(tally.AddsUp());
  EXPECT_EQ(tally.units().size(), Tally::kMostKeys + 2);
  const auto of = [&](NameId service) {
    return GoodOf(tally, {.family = Family::kInProcess, .service = service});
  };
  EXPECT_EQ(of(kFirst), 2U) << "has its place";
  EXPECT_EQ(of(kFirst + kServices - 1), 0U);
  EXPECT_EQ(of(kOtherName), 500U);
  EXPECT_EQ(GoodOf(tally, {.family = Family::kHop, .service = kOtherName, .server = kOtherName}),
            1U);
}

TEST(TallyLimits, WhatIsCorrectedIsCorrectedWhereItWasCounted) {
  Tally tally;
  const NameId last = kFirst + Tally::kMostKeys;
  for (NameId service = kFirst; service <= last; ++service) {
    tally.Count(One(0, service, Verdict::Good()));
  }
  for (const NameId service : {kFirst, last}) {
    tally.Correct(One(0, service, Verdict::Good()),
                  One(0, service, Verdict::Bad(Cause::kLostBatch)));
  }
  EXPECT_TRUE(tally.AddsUp());
  for (const NameId service : {kFirst, kOtherName}) {
    const UnitCounts& counts = tally.units().at({.family = Family::kInProcess, .service = service});
    EXPECT_EQ(counts.NetOf(Outcome::kGood), 0);
    EXPECT_EQ(counts.NetOf(Outcome::kBad), 1);
  }
}

TEST(TallyLimits, APolicyThatThereIsNoRoomForIsOneOfOthersOnBothSides) {
  Tally tally;
  constexpr NameId kPolicies = Tally::kMostPolicies + 100;
  for (NameId i = 0; i < kPolicies; ++i) tally.Count(One(kFirst + i, 7, Verdict::Good()));
  EXPECT_TRUE(tally.AddsUp());
  EXPECT_EQ(tally.seen().size(), Tally::kMostPolicies + 1);
  EXPECT_EQ(tally.seen().at(kOtherName)[static_cast<std::size_t>(Family::kInProcess)], 100U);
  EXPECT_EQ(GoodOf(tally, {.family = Family::kInProcess, .policy = kOtherName, .service = 7}),
            100U);
}

TEST(TallyLimits, TalliesThatAreFullAddUpToOne) {
  Tally left;
  Tally right;
  for (NameId i = 0; i < Tally::kMostKeys; ++i) {
    left.Count(One(0, kFirst + i, Verdict::Good()));
    right.Count(One(0, kFirst + Tally::kMostKeys + i, Verdict::Good()));
  }
  left.Add(right);
  EXPECT_TRUE(left.AddsUp());
  EXPECT_EQ(left.units().size(), Tally::kMostKeys + 1);
  EXPECT_EQ(GoodOf(left, {.family = Family::kInProcess, .service = kOtherName}), Tally::kMostKeys);
}

TEST(TallyLimits, FindingsOfServicesWithoutRoomAreKeptTogether) {
  Tally tally;
  Judgement judgement;
  for (NameId i = 0; i < Tally::kMostFindings + 10; ++i) {
    judgement.findings.push_back({.key = {.cause = Cause::kUnfinished, .service = kFirst + i}});
  }
  tally.Count(judgement);
  EXPECT_EQ(tally.findings().size(), Tally::kMostFindings + 1);
  EXPECT_EQ(tally.findings().at({.cause = Cause::kUnfinished, .service = kOtherName}), 10);
  tally.Correct(judgement, {});
  for (const auto& [finding, count] : tally.findings()) EXPECT_EQ(count, 0) << finding.service;
}

}  // namespace
}  // namespace tracekeeper::continuity
