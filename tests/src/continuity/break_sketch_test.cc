// What breaks most is in the sketch, within the error that it says, whatever was taken back and
// however many were added up.

#include "src/continuity/break_sketch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace tracekeeper::continuity {
namespace {

CountedBreak BreakAt(NameId service, std::uint64_t span, Microseconds time = 0) {
  return {.key = {.cause = Cause::kBrokenHop, .service = service},
          .shown_at = {{0, 7}, span, time == 0 ? span : time}};
}

const BreakSketch::Entry* EntryOf(const BreakSketch& sketch, NameId service) {
  const auto found = std::ranges::find_if(
      sketch.entries(), [service](const auto& entry) { return entry.key.service == service; });
  return found == sketch.entries().end() ? nullptr : &*found;
}

using Truth = std::map<NameId, std::int64_t>;

void ExpectWithinBounds(const BreakSketch& sketch, const Truth& truth) {
  for (const auto& [service, count] : truth) {
    const BreakSketch::Entry* entry = EntryOf(sketch, service);
    if (entry == nullptr) {
      EXPECT_LE(count, static_cast<std::int64_t>(sketch.floor()));
      continue;
    }
    EXPECT_GE(entry->net(), count);
    EXPECT_LE(entry->net() - static_cast<std::int64_t>(entry->error), count);
  }
}

/// Few services break often, many seldom; one in five is taken back.
void Play(std::uint64_t seed, BreakSketch& sketch, Truth& truth) {
  std::mt19937_64 random(seed);
  std::vector<CountedBreak> counted;
  for (std::uint64_t i = 1; i <= 20'000; ++i) {
    const auto often = static_cast<NameId>(random() % 10);
    const auto seldom = static_cast<NameId>(random() % 2000);
    counted.push_back(BreakAt(random() % 2 == 0 ? often : seldom, i));
    sketch.Count(counted.back());
    ++truth[counted.back().key.service];
    if (random() % 5 != 0) continue;
    const CountedBreak& gone = counted[random() % counted.size()];
    if (truth[gone.key.service] == 0) continue;
    sketch.Withdraw(gone);
    --truth[gone.key.service];
  }
}

TEST(BreakSketch, CountsExactlyWhileThereIsRoom) {
  BreakSketch sketch;
  for (std::uint64_t i = 0; i < 100; ++i) sketch.Count(BreakAt(static_cast<NameId>(i % 4), i + 1));
  sketch.Withdraw(BreakAt(3, 4));
  EXPECT_EQ(sketch.floor(), 0U);
  EXPECT_EQ(EntryOf(sketch, 2)->net(), 25);
  EXPECT_EQ(EntryOf(sketch, 3)->net(), 24);
  EXPECT_EQ(EntryOf(sketch, 3)->error, 0U);
}

TEST(BreakSketch, KeepsTheLatestExamplesInAnyOrder) {
  BreakSketch sketch;
  for (const std::uint64_t span : {5, 1, 9, 9, 3, 7}) sketch.Count(BreakAt(1, span));
  const auto& examples = EntryOf(sketch, 1)->examples;
  EXPECT_THAT(examples, testing::ElementsAre(BreakAt(1, 9).shown_at, BreakAt(1, 7).shown_at,
                                             BreakAt(1, 5).shown_at));
  sketch.Withdraw(BreakAt(1, 7));
  EXPECT_THAT(
      EntryOf(sketch, 1)->examples,
      testing::ElementsAre(BreakAt(1, 9).shown_at, BreakAt(1, 5).shown_at, SpanReference()));
}

TEST(BreakSketch, IsWithinTheErrorThatItSaysInFixedRoom) {
  BreakSketch sketch(64);
  Truth truth;
  Play(1, sketch, truth);
  EXPECT_EQ(sketch.entries().size(), 64U);
  EXPECT_GT(sketch.floor(), 0U);
  EXPECT_LE(sketch.floor(), 20'000U / 64);
  ExpectWithinBounds(sketch, truth);
  for (NameId often = 0; often < 10; ++often) EXPECT_NE(EntryOf(sketch, often), nullptr);
}

TEST(BreakSketch, AddsUpWithinTheErrorThatItSays) {
  BreakSketch sum(64);
  Truth truth;
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    BreakSketch part(64);
    Play(seed, part, truth);
    sum.Add(part);
  }
  EXPECT_LE(sum.entries().size(), 64U);
  ExpectWithinBounds(sum, truth);
  for (NameId often = 0; often < 10; ++often) EXPECT_NE(EntryOf(sum, often), nullptr);
}

}  // namespace
}  // namespace tracekeeper::continuity
