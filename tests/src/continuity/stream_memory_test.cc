// What a stream does when there is too much of it, and when it comes too late.

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "src/continuity/stream_engine.h"

namespace tracekeeper::continuity {
namespace {

constexpr Tick kSettled = 101;  // after the last span of a trace
constexpr Tick kCounted = kSettled + 101;

/// One service, which serves; spans are made by hand.
class StreamMemory : public ::testing::Test {
 protected:
  StreamMemory() {
    const NameId shop = names_.Intern("shop");
    server_ = shapes_.Intern({.service = shop, .kind = otlp::SpanKind::kServer});
    inner_ = shapes_.Intern({.service = shop, .kind = otlp::SpanKind::kInternal});
    key_.service = shop;
  }

  StreamEngine& Start(const StreamOptions& options) {
    engine_ =
        std::make_unique<StreamEngine>(options, names_, shapes_, std::make_shared<const Epoch>());
    return *engine_;
  }

  ReadSpan SpanOf(std::uint64_t trace, std::uint64_t id, std::uint64_t parent,
                  std::uint64_t high = 7) const {
    ReadSpan read;
    read.trace = {high, trace};
    read.span.Set({id, parent}, trace * 1000, 5, parent == 0 ? server_ : inner_);
    read.is_valid = true;
    return read;
  }

  [[nodiscard]] UnitCounts CountsOf(Family family) const {
    engine_->Flush();
    UnitKey key = key_;
    key.family = family;
    const Tally tally = engine_->tally();
    const auto found = tally.units().find(key);
    return found == tally.units().end() ? UnitCounts{} : found->second;
  }

  [[nodiscard]] std::size_t Bytes() const {
    std::size_t bytes = 0;
    for (const auto& shard : engine_->shards()) bytes += shard->table_bytes();
    return bytes;
  }
  /// Spans of one trace with more upper halves than can be told apart.
  void InsertManyHalves(std::uint64_t trace, Tick now) {
    constexpr std::uint64_t kHalves = SpanTable::kMaxTags;
    for (std::uint64_t i = 0; i < kHalves; ++i) engine_->Insert(SpanOf(trace, 10, 0, 100 + i), now);
    engine_->Insert(SpanOf(trace, 11, 10, 99), now);
  }

  static std::size_t Code(Reason reason) { return CodeOf(Verdict::Unknown(reason)); }

  Names names_;
  ShapeTable shapes_;
  ShapeId server_ = 0;
  ShapeId inner_ = 0;
  UnitKey key_;
  std::unique_ptr<StreamEngine> engine_;
};

TEST_F(StreamMemory, ATraceIsCountedOnceItIsSettledAndAnswered) {
  StreamEngine& engine = Start({});
  engine.Insert(SpanOf(1, 10, 0), 5);
  engine.Insert(SpanOf(1, 11, 10), 8);
  engine.Advance(8 + kSettled - 2);
  EXPECT_EQ(CountsOf(Family::kRequest).Of(Outcome::kGood), 0U);
  engine.Advance(8 + kCounted);
  EXPECT_EQ(CountsOf(Family::kRequest).Of(Outcome::kGood), 1U);
  EXPECT_EQ(CountsOf(Family::kInProcess).Of(Outcome::kGood), 1U);
}

TEST_F(StreamMemory, ALateSpanRepairsWhatWasCounted) {
  StreamEngine& engine = Start({});
  engine.Insert(SpanOf(1, 11, 10), 1);
  engine.Advance(1 + kCounted);
  EXPECT_EQ(CountsOf(Family::kInProcess).Of(Outcome::kBad), 1U);
  engine.Insert(SpanOf(1, 10, 0), 300);
  engine.Advance(300 + kCounted);
  const UnitCounts steps = CountsOf(Family::kInProcess);
  EXPECT_EQ(steps.Of(Outcome::kBad), 1U) << "counters never go down";
  EXPECT_EQ(steps.NetOf(Outcome::kBad), 0);
  EXPECT_EQ(steps.NetOf(Outcome::kGood), 1);
  EXPECT_EQ(steps.repaired[static_cast<std::size_t>(Outcome::kBad)]
                          [static_cast<std::size_t>(Outcome::kGood)],
            1U);
  EXPECT_EQ(CountsOf(Family::kRequest).NetOf(Outcome::kGood), 1);
  EXPECT_TRUE(engine.tally().AddsUp());
}

TEST_F(StreamMemory, ARepeatOfWhatWasCountedChangesNothing) {
  StreamEngine& engine = Start({});
  engine.Insert(SpanOf(1, 10, 0), 1);
  engine.Advance(1 + kCounted);
  for (int again = 0; again < 50; ++again) engine.Insert(SpanOf(1, 10, 0), 300);
  engine.Advance(300 + kCounted);
  EXPECT_EQ(CountsOf(Family::kRequest).NetOf(Outcome::kGood), 1);
  EXPECT_EQ(engine.shards().front()->pending_spans(), 0U);
  EXPECT_TRUE(engine.tally().AddsUp());
}

TEST_F(StreamMemory, WhatComesAfterATraceWasForgottenIsUnknown) {
  StreamEngine& engine = Start({.memory = 1000});
  engine.Insert(SpanOf(1, 10, 0), 1);
  engine.Advance(1 + kCounted + 1001);
  engine.Insert(SpanOf(1, 11, 10), 1300);
  engine.Advance(1300 + kCounted);
  EXPECT_EQ(CountsOf(Family::kInProcess).first[Code(Reason::kLate)], 1U);
  EXPECT_EQ(CountsOf(Family::kRequest).Of(Outcome::kGood), 1U) << "begins no trace";
  EXPECT_EQ(engine.counts().late_spans, 1U);
  EXPECT_TRUE(engine.tally().AddsUp());
}

TEST_F(StreamMemory, TellsOfATraceWhatBecameOfItUntilItIsOutOfMind) {
  using State = KnownTrace::State;
  StreamEngine& engine = Start({.memory = 1000});
  const otlp::TraceId id{7, 1};
  EXPECT_FALSE(engine.Look(id));
  engine.Insert(SpanOf(1, 11, 10), 1);
  auto known = engine.Look(id);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->state, State::kWaiting);
  EXPECT_FALSE(known->report) << "the rest of it may be on its way";
  engine.Advance(1 + kCounted);
  known = engine.Look(id);
  EXPECT_EQ(known->state, State::kCounted);
  ASSERT_TRUE(known->report);
  ASSERT_EQ(known->report->findings.size(), 1U);
  EXPECT_EQ(known->report->findings.front().service, "shop");
  EXPECT_EQ(known->report->findings.front().span_id, HexOf(11));
  engine.Insert(SpanOf(1, 10, 0), 300);
  engine.Advance(300 + kSettled);
  known = engine.Look(id);
  EXPECT_EQ(known->state, State::kAsking) << "whether another trace made its root";
  EXPECT_EQ(known->spans, 2U);
  EXPECT_TRUE(known->report->findings.empty()) << "repaired";
  EXPECT_EQ(known->report->verdict.outcome, Outcome::kGood);
  engine.Advance(300 + kCounted + 1001);
  EXPECT_EQ(engine.Look(id)->state, State::kForgotten);
  engine.Advance(300 + kCounted + 2002);
  EXPECT_FALSE(engine.Look(id));
}

TEST_F(StreamMemory, TracesWithTheSameLowerHalfAreToldApart) {
  StreamEngine& engine = Start({});
  engine.Insert(SpanOf(1, 10, 0, 7), 1);
  engine.Insert(SpanOf(1, 10, 0, 8), 1);
  engine.Insert(SpanOf(1, 11, 99, 8), 1);
  engine.Insert(SpanOf(2, 10, 0, 9), 1);
  engine.Insert(SpanOf(2, 11, 10, 0), 1);
  engine.Advance(1 + kCounted);
  EXPECT_TRUE(engine.Look({7, 1})->report->findings.empty());
  EXPECT_EQ(engine.Look({8, 1})->report->findings.size(), 1U);
  EXPECT_FALSE(engine.Look({9, 1}));
  EXPECT_FALSE(engine.Look({0, 1})) << "whose short form it is, is not known";
  EXPECT_EQ(engine.Look({0, 2})->report->trace_id, HexOf(otlp::TraceId{9, 2}));
}

TEST_F(StreamMemory, WhatWasCountedMakesRoomBeforeAnythingIsShed) {
  StreamEngine& engine = Start({.budget_bytes = 64U << 10U});
  Tick now = 1;
  for (std::uint64_t trace = 1; trace <= 2000; ++trace) {
    engine.Insert(SpanOf(trace, 10, 0), ++now);
    engine.Advance(now);
  }
  EXPECT_EQ(engine.counts().shed_traces, 0U);
  EXPECT_GT(engine.counts().forgotten_early, 0U);
  EXPECT_TRUE(engine.tally().AddsUp());
}

TEST_F(StreamMemory, TenTimesTooMuchIsShedByWholeTracesInsideTheBudget) {
  constexpr std::size_t kBudget = 1U << 20U;
  StreamEngine& engine = Start({.budget_bytes = kBudget});
  constexpr std::uint64_t kTraces = 40'000;  // at 192 bytes and more each
  for (const std::uint64_t id : {10, 11, 12}) {
    for (std::uint64_t trace = 1; trace <= kTraces; ++trace) {
      engine.Insert(SpanOf(trace, id, id == 10 ? 0 : 10), 1);
      ASSERT_TRUE(trace % 1000 != 0 || engine.tally().AddsUp());
    }
  }
  EXPECT_LE(Bytes(), kBudget);
  engine.Advance(1 + kCounted);
  const UnitCounts requests = CountsOf(Family::kRequest);
  EXPECT_EQ(requests.Of(Outcome::kGood) + requests.first[Code(Reason::kShed)], kTraces);
  EXPECT_GT(requests.Of(Outcome::kGood), 0U);
  EXPECT_EQ(requests.Of(Outcome::kBad), 0U);
  EXPECT_EQ(CountsOf(Family::kInProcess).Of(Outcome::kBad), 0U) << "no half traces are judged";
  EXPECT_TRUE(engine.tally().AddsUp());
}

TEST_F(StreamMemory, WhatIsDueAllAtOnceIsToldInPortionsAndAllOfItCounted) {
  constexpr std::uint64_t kTraces = 50'000;  // a portion is 20,000
  for (const std::size_t shards : {1, 2}) {
    StreamEngine& engine = Start({.shards = shards});
    for (std::uint64_t trace = 1; trace <= kTraces; ++trace) {
      engine.Insert(SpanOf(trace, 10, 0), 1);
    }
    engine.Advance(1 + kSettled);
    engine.Advance(1 + kCounted);
    EXPECT_EQ(CountsOf(Family::kRequest).Of(Outcome::kGood), kTraces) << shards << " shards";
    EXPECT_TRUE(engine.tally().AddsUp());
  }
}

/// Of traces with so many ticks between their two spans, so many begin each tick.
struct Flood {
  const char* name;
  std::vector<std::uint64_t> each_tick;  // for 700 ticks each
  Tick second_half;
  std::uint64_t least_good;
};

class StreamFlood : public StreamMemory, public ::testing::WithParamInterface<Flood> {
 protected:
  static constexpr Tick kTicks = 700;

  /// Returns how many traces came.
  std::uint64_t InsertAll(StreamEngine& engine) {
    std::deque<std::pair<std::uint64_t, std::uint64_t>> begun;  // each tick: first and last
    std::uint64_t trace = 1;
    Tick now = 0;
    const auto tick = [&](std::uint64_t traces) {
      engine.Advance(++now);
      begun.emplace_back(trace, trace + traces);
      for (; trace < begun.back().second; ++trace) engine.Insert(SpanOf(trace, 10, 0), now);
      if (begun.size() <= GetParam().second_half) return;
      const auto [first, last] = begun.front();
      for (auto id = first; id < last; ++id) engine.Insert(SpanOf(id, 11, 10), now);
      begun.pop_front();
    };
    for (const std::uint64_t each : GetParam().each_tick) {
      for (Tick i = 0; i < kTicks; ++i) tick(each);
    }
    for (Tick i = 0; i < GetParam().second_half; ++i) tick(0);
    engine.Advance(now + kCounted);
    return trace - 1;
  }
};

TEST_P(StreamFlood, OfMoreShedTracesThanCanBeRememberedNoHalfIsJudged) {
  StreamEngine& engine = Start({.budget_bytes = 1U << 20U});  // remembers 2,048 that were shed
  const std::uint64_t traces = InsertAll(engine);
  const UnitCounts requests = CountsOf(Family::kRequest);
  EXPECT_EQ(requests.Of(Outcome::kGood) + requests.first[Code(Reason::kShed)], traces);
  EXPECT_GT(requests.Of(Outcome::kGood), GetParam().least_good);
  EXPECT_EQ(CountsOf(Family::kInProcess).Of(Outcome::kBad), 0U);
  EXPECT_TRUE(engine.tally().AddsUp());
}

INSTANTIATE_TEST_SUITE_P(All, StreamFlood,
                         ::testing::Values(Flood{"TenTimesTooMuch", {250}, 50, 12'000},
                                           Flood{"LongTraces", {250}, 95, 10'000},
                                           Flood{"ALittleTooMuch", {40}, 50, 12'000},
                                           Flood{"ThatEnds", {250, 10, 10}, 50, 20'000},
                                           Flood{"InWaves", {100, 5, 250, 20}, 30, 28'000}),
                         [](const auto& test) { return test.param.name; });

TEST_F(StreamMemory, ATraceLargerThanTheBudgetIsShedAndTheOthersAreNot) {
  StreamEngine& engine = Start({.budget_bytes = 256U << 10U});
  for (std::uint64_t id = 10; id < 20'000; ++id) engine.Insert(SpanOf(1, id, id == 10 ? 0 : 10), 1);
  engine.Advance(1 + kCounted);
  EXPECT_EQ(CountsOf(Family::kRequest).first[Code(Reason::kShed)], 1U);
  engine.Insert(SpanOf(2, 10, 0), 300);
  engine.Advance(300 + kCounted);
  EXPECT_EQ(CountsOf(Family::kRequest).Of(Outcome::kGood), 1U);
  EXPECT_TRUE(engine.tally().AddsUp());
}

TEST_F(StreamMemory, NoBudgetIsLeftWhateverItsSize) {
  for (const std::size_t budget : {100'000U, 300'000U, 1'000'000U, 1'500'000U}) {
    for (const std::size_t shards : {1, 3, 8}) {
      StreamEngine& engine = Start({.shards = shards, .budget_bytes = budget});
      for (std::uint64_t trace = 1; trace <= 20'000; ++trace) {
        engine.Insert(SpanOf(trace, 10, 0), 1);
      }
      EXPECT_LE(Bytes(), budget) << shards << " shards";
    }
  }
}

TEST_F(StreamMemory, ATraceWithTooManyUpperHalvesIsShedAndTheOthersAreNot) {
  StreamEngine& engine = Start({});
  InsertManyHalves(1, 1);
  EXPECT_EQ(CountsOf(Family::kRequest).first[Code(Reason::kShed)], SpanTable::kMaxTags);
  EXPECT_TRUE(engine.tally().AddsUp());
  for (std::uint64_t trace = 2; trace < 100; ++trace) engine.Insert(SpanOf(trace, 10, 0), 2);
  engine.Advance(2 + kCounted);
  EXPECT_EQ(CountsOf(Family::kRequest).Of(Outcome::kGood), 98U);
  EXPECT_TRUE(engine.tally().AddsUp());
}

TEST_F(StreamMemory, WhatIsShedAfterItWasCountedStaysCountedAndBeginsNoTraceAgain) {
  StreamEngine& engine = Start({});
  engine.Insert(SpanOf(1, 10, 0), 1);
  engine.Advance(1 + kCounted);
  InsertManyHalves(1, 300);
  EXPECT_TRUE(engine.tally().AddsUp());
  EXPECT_EQ(CountsOf(Family::kRequest).first[Code(Reason::kShed)], SpanTable::kMaxTags)
      << "but for what was counted";
  for (Tick now = 300; now < 300 + 2 * kCounted; ++now) engine.Advance(now);
  EXPECT_EQ(engine.shards().front()->pending_spans(), 0U);
  engine.Insert(SpanOf(1, 12, 10), 300 + 2 * kCounted);
  engine.Advance(300 + 4 * kCounted);
  EXPECT_EQ(CountsOf(Family::kRequest).Of(Outcome::kGood), 1U);
  EXPECT_EQ(CountsOf(Family::kRequest).Of(Outcome::kBad), 0U);
  EXPECT_EQ(CountsOf(Family::kInProcess).first[Code(Reason::kShed)], 1U);
  EXPECT_EQ(CountsOf(Family::kInProcess).first[Code(Reason::kLate)], 1U);
  EXPECT_TRUE(engine.tally().AddsUp());
}

TEST_F(StreamMemory, ATraceThatIsNeverSettledKeepsNoOtherInMemory) {
  StreamEngine& engine = Start({.memory = 1000});
  engine.Insert(SpanOf(1, 10, 0), 1);
  engine.Insert(SpanOf(2, 10, 0), 2);
  for (Tick now = 1; now < 1500; ++now) {
    engine.Advance(now);
    if (now > 250 && now % 50 == 0) engine.Insert(SpanOf(1, now, 10), now);
  }
  engine.Insert(SpanOf(2, 11, 10), 1500);
  EXPECT_EQ(CountsOf(Family::kInProcess).first[Code(Reason::kLate)], 1U);
}

TEST_F(StreamMemory, WhatWasCountedMakesNoRoomWhileMoreOfItComes) {
  StreamEngine& engine = Start({.budget_bytes = 64U << 10U});
  constexpr std::uint64_t kCountedTraces = 100;
  for (std::uint64_t trace = 1; trace <= kCountedTraces; ++trace) {
    engine.Insert(SpanOf(trace, 11, 10), 1);
  }
  for (Tick now = 1; now < 300; ++now) engine.Advance(now);
  EXPECT_EQ(CountsOf(Family::kInProcess).NetOf(Outcome::kBad), 100);
  for (std::uint64_t trace = 1; trace <= kCountedTraces; ++trace) {
    engine.Insert(SpanOf(trace, 10, 0), 300);
  }
  for (std::uint64_t trace = 1000; trace < 2000; ++trace) engine.Insert(SpanOf(trace, 10, 0), 300);
  for (Tick now = 300; now < 600; ++now) engine.Advance(now);
  EXPECT_GT(engine.counts().shed_traces, 0U);
  EXPECT_EQ(CountsOf(Family::kInProcess).NetOf(Outcome::kBad), 0);
  EXPECT_EQ(CountsOf(Family::kInProcess).NetOf(Outcome::kGood), 100);
  EXPECT_TRUE(engine.tally().AddsUp());
}

TEST_F(StreamMemory, OfATraceThatIsShedNothingIsJudgedHoweverLongItLasts) {
  StreamEngine& engine = Start({.budget_bytes = 64U << 10U});
  constexpr std::uint64_t kTraces = 1000;
  for (std::uint64_t trace = 1; trace <= kTraces; ++trace) engine.Insert(SpanOf(trace, 10, 0), 1);
  Tick now = 1;
  for (std::uint64_t id = 11; id < 40; ++id) {
    now += 60;
    engine.Advance(now);
    // Few of them go on: there is room for all that do.
    for (std::uint64_t i = 1; i <= kTraces; i += 10) engine.Insert(SpanOf(i, id, 10), now);
  }
  engine.Advance(now + kCounted);
  EXPECT_GT(CountsOf(Family::kRequest).first[Code(Reason::kShed)], kTraces / 2);
  EXPECT_GT(CountsOf(Family::kInProcess).Of(Outcome::kGood), 0U);
  EXPECT_EQ(CountsOf(Family::kInProcess).Of(Outcome::kBad), 0U);
  EXPECT_TRUE(engine.tally().AddsUp());
}

TEST_F(StreamMemory, WhereThereIsNoRoomWhileTracesAskNoHalfOfOneIsJudged) {
  constexpr std::size_t kBudget = 1U << 20U;
  StreamEngine& engine = Start({.budget_bytes = kBudget, .join_window = 4000});
  // A root asks whether a call made it. More come than there is room for until they are counted.
  constexpr std::uint64_t kEachTick = 2;
  constexpr Tick kTicks = 5000;
  for (Tick now = 1; now <= kTicks; ++now) {
    engine.Advance(now);
    for (std::uint64_t trace = now * kEachTick; trace < (now + 1) * kEachTick; ++trace) {
      engine.Insert(SpanOf(trace, 10, 0), now);
      if (now > 50) engine.Insert(SpanOf(trace - 50 * kEachTick, 11, 10), now);
      if (now > 170) engine.Insert(SpanOf(trace - 170 * kEachTick, 12, 10), now);
    }
    ASSERT_LE(Bytes(), kBudget);
    ASSERT_TRUE(now % 50 != 0 || engine.tally().AddsUp());
  }
  engine.Advance(kTicks + 6000);
  EXPECT_TRUE(engine.tally().AddsUp());
  const UnitCounts requests = CountsOf(Family::kRequest);
  EXPECT_EQ(static_cast<std::uint64_t>(requests.NetOf(Outcome::kGood)) +
                requests.first[Code(Reason::kShed)],
            kTicks * kEachTick);
  EXPECT_GT(requests.first[Code(Reason::kShed)], 200U);
  EXPECT_GT(requests.NetOf(Outcome::kGood), 1000);
  EXPECT_EQ(CountsOf(Family::kInProcess).NetOf(Outcome::kBad), 0);
}

}  // namespace
}  // namespace tracekeeper::continuity
