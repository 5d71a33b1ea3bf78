// A stream, net of repairs, says what the whole recording says: in any order of arrival, delivered
// twice, in batches, by any number of shards.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/continuity/stream_engine.h"
#include "tests/src/continuity/stream_truth.h"
#include "tests/truth/simulation.h"
#include "tests/truth/simulation_arrival.h"

namespace tracekeeper::continuity {
namespace {

using truth::Delivery;
using truth::Fault;
using truth::SimulationOptions;

/// Simulated telemetry, sent to a stream in some order.
class Played {
 public:
  explicit Played(const truth::Simulated& simulated)
      : simulated_(simulated), recorded_(simulated.spans, simulated.logs, simulated.policy) {
    first_arrival_ = simulated.span_arrivals.empty() ? 0 : simulated.span_arrivals.front();
    for (const std::uint64_t arrival : simulated.log_arrivals) {
      first_arrival_ = std::min(first_arrival_, arrival);
    }
  }

  [[nodiscard]] const Totals& totals() const { return recorded_.totals(); }
  /// The moment of tick 0.
  [[nodiscard]] Microseconds origin() const { return first_arrival_ / 1000 - 100'000; }
  /// How it differs from what the whole says: empty where it does not.
  [[nodiscard]] std::string DifferenceOf(const StreamEngine& engine) const {
    return Difference(totals(), NetOf(engine.tally(), recorded_.names()));
  }

  /// The stream's engine after all of `deliveries`, and after all of it was judged.
  std::unique_ptr<StreamEngine> Play(const std::vector<Delivery>& deliveries,
                                     const StreamOptions& options) {
    auto engine = std::make_unique<StreamEngine>(options, recorded_.names(), recorded_.shapes(),
                                                 recorded_.epoch());
    std::size_t next_log = 0;
    Tick now = 1;
    for (const Delivery& delivery : deliveries) {
      const Tick before = std::exchange(now, std::max(now, TickOf(delivery.arrival)));
      for (; next_log < recorded_.logs() && simulated_.log_arrivals[next_log] <= delivery.arrival;
           ++next_log) {
        engine->Insert(recorded_.LogAt(next_log), now);
      }
      if (now != before) {
        engine->Advance(now);
        engine->Flush();
        EXPECT_TRUE(engine->tally().AddsUp());
      }
      engine->Insert(recorded_.SpanAt(delivery.index), now);
    }
    for (; next_log < recorded_.logs(); ++next_log) engine->Insert(recorded_.LogAt(next_log), now);
    const Tick settle = static_cast<Tick>(engine->epoch().profile.settle_window / 100'000) + 1;
    engine->Advance(now + settle);
    engine->Advance(now + 2 * settle + options.join_window + 1);
    engine->Flush();
    EXPECT_TRUE(engine->tally().AddsUp());
    return engine;
  }

 private:
  [[nodiscard]] Tick TickOf(std::uint64_t arrival) const {
    return static_cast<Tick>((arrival - first_arrival_) / 100'000'000) + 1;
  }

  const truth::Simulated& simulated_;
  Recorded recorded_;
  std::uint64_t first_arrival_ = 0;
};

SimulationOptions Broken() {
  SimulationOptions options;
  for (const Fault fault : truth::AllFaults()) options.faults[fault] = 0.01;
  options.duration = std::chrono::seconds(40);
  return options;
}

bool HasRepairs(const Tally& tally) {
  return std::ranges::any_of(tally.units(), [](const auto& unit) {
    return std::ranges::any_of(unit.second.repaired, [](const auto& from) {
      return std::ranges::any_of(from, [](std::uint64_t count) { return count > 0; });
    });
  });
}

struct Arrival {
  const char* name;
  bool has_repairs;  // surely: some of it comes after its trace was judged
  std::vector<Delivery> (*order)(const truth::Simulated&, std::uint64_t seed);
};

const Arrival kArrivals[] = {
    {"AsSent", false,
     [](const truth::Simulated& simulated, std::uint64_t) {
       return truth::AsSent(simulated.span_arrivals);
     }},
    {"InAnyOrder", true,
     [](const truth::Simulated& simulated, std::uint64_t seed) {
       return truth::Shuffled(truth::AsSent(simulated.span_arrivals), seed);
     }},
    {"TwiceEach", false,
     [](const truth::Simulated& simulated, std::uint64_t seed) {
       return truth::Redelivered(truth::AsSent(simulated.span_arrivals), 2,
                                 std::chrono::seconds(30), seed);
     }},
    {"TwiceInAnyOrder", true,
     [](const truth::Simulated& simulated, std::uint64_t seed) {
       return truth::Shuffled(truth::Redelivered(truth::AsSent(simulated.span_arrivals), 2,
                                                 std::chrono::seconds(30), seed),
                              seed);
     }},
    {"InBatches", false,
     [](const truth::Simulated& simulated, std::uint64_t seed) {
       return truth::Rephased(simulated.spans, std::chrono::seconds(5), seed);
     }},
};

class Stream : public ::testing::TestWithParam<Arrival> {};

TEST_P(Stream, SaysNetOfRepairsWhatTheWholeSaysWithAnyNumberOfShards) {
  const truth::Simulated simulated = truth::Simulate(Broken());
  Played played(simulated);
  ASSERT_GT(played.totals().size(), 100U);
  for (const std::size_t shards : {1, 2, 8}) {
    const auto engine =
        played.Play(GetParam().order(simulated, shards), {.shards = shards, .key = shards * 77});
    EXPECT_EQ(played.DifferenceOf(*engine), "") << shards << " shards";
    EXPECT_EQ(engine->counts().shed_traces + engine->counts().late_spans, 0U);
    EXPECT_TRUE(HasRepairs(engine->tally()) || !GetParam().has_repairs);
  }
}

TEST_P(Stream, SaysTheSameWithAThreadForEachShard) {
  const truth::Simulated simulated = truth::Simulate(Broken());
  Played played(simulated);
  for (const std::size_t shards : {1, 3}) {
    const auto engine = played.Play(GetParam().order(simulated, shards),
                                    {.shards = shards, .running = Running::kInThread, .key = 5});
    EXPECT_EQ(played.DifferenceOf(*engine), "") << shards << " shards";
    EXPECT_TRUE(HasRepairs(engine->tally()) || !GetParam().has_repairs);
  }
}

INSTANTIATE_TEST_SUITE_P(Arriving, Stream, ::testing::ValuesIn(kArrivals),
                         [](const auto& tested) { return tested.param.name; });

TEST(StreamOrders, AnyOfAHundredSayTheSame) {
  SimulationOptions options = Broken();
  options.duration = std::chrono::seconds(25);
  options.requests_per_second = 4;
  const truth::Simulated simulated = truth::Simulate(options);
  Played played(simulated);
  const std::vector<Delivery> as_sent = truth::AsSent(simulated.span_arrivals);
  constexpr std::array<std::size_t, 3> kShards = {1, 2, 8};
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto engine =
        played.Play(truth::Shuffled(as_sent, seed), {.shards = kShards.at(seed % 3), .key = seed});
    ASSERT_EQ(played.DifferenceOf(*engine), "") << "seed " << seed;
  }
}

TEST(StreamOrders, ACleanSystemNeedsNoRepair) {
  SimulationOptions options;
  options.failure_share = 0;
  const truth::Simulated simulated = truth::Simulate(options);
  Played played(simulated);
  const auto engine = played.Play(truth::AsSent(simulated.span_arrivals), {});
  EXPECT_EQ(played.DifferenceOf(*engine), "");
  EXPECT_FALSE(HasRepairs(engine->tally()));
}

std::int64_t CountOf(const Tally& tally, Outcome outcome) {
  std::int64_t sum = 0;
  for (const auto& [key, counts] : tally.units()) sum += counts.NetOf(outcome);
  return sum;
}

TEST(StreamThatLearns, FindsNoBreakInACleanSystem) {
  SimulationOptions options;
  options.duration = std::chrono::seconds(90);
  const truth::Simulated simulated = truth::Simulate(options);
  Played played(simulated);
  const auto engine = played.Play(truth::AsSent(simulated.span_arrivals),
                                  {.shards = 2, .learning = Learning::kFromStream});
  const Tally tally = engine->tally();
  EXPECT_TRUE(engine->is_judging());
  EXPECT_EQ(CountOf(tally, Outcome::kBad), 0);
  EXPECT_GT(CountOf(tally, Outcome::kGood), 10'000);
  EXPECT_LE(CountOf(tally, Outcome::kUnknown) * 100, CountOf(tally, Outcome::kGood));
}

/// With exporters that send every five seconds, and a settle window that ends sooner.
TEST(StreamThatLearns, SettlesLaterWhereSpansArriveUnevenly) {
  SimulationOptions options;
  options.duration = std::chrono::seconds(90);
  options.failure_share = 0;
  const truth::Simulated simulated = truth::Simulate(options);
  Played played(simulated);
  const StreamLearner::Options learner{.settle_window = 2'000'000};
  for (const Microseconds origin : {Microseconds{0}, played.origin()}) {
    const auto engine =
        played.Play(truth::Rephased(simulated.spans, std::chrono::seconds(5), 3),
                    {.learning = Learning::kFromStream, .learner = learner, .origin = origin});
    const Microseconds window = engine->epoch().profile.settle_window;
    const Tally tally = engine->tally();
    EXPECT_TRUE(engine->is_judging());
    const bool knows_arrivals = origin != 0;
    EXPECT_EQ(HasRepairs(tally), !knows_arrivals);
    if (!knows_arrivals) {
      EXPECT_EQ(window, learner.settle_window);
      continue;
    }
    EXPECT_EQ(CountOf(tally, Outcome::kBad), 0);
    EXPECT_GE(window, 8'000'000U);
    EXPECT_LE(window, 12'000'000U);
  }
}

TEST(StreamThatLearns, JudgesNothingBeforeItHasLearned) {
  SimulationOptions options;
  options.duration = std::chrono::seconds(20);
  const truth::Simulated simulated = truth::Simulate(options);
  Played played(simulated);
  const auto engine =
      played.Play(truth::AsSent(simulated.span_arrivals),
                  {.learning = Learning::kFromStream, .learner = {.warm_up = 10'000}});
  EXPECT_FALSE(engine->is_judging());
  EXPECT_EQ(CountOf(engine->tally(), Outcome::kGood), 0);
  EXPECT_GT(engine->shards().front()->pending_spans(), 1000U);
}

class GoroutineCases : public ::testing::TestWithParam<truth::GoroutineCase> {};

TEST_P(GoroutineCases, AreNamedByAStreamToo) {
  const truth::Simulated simulated = truth::Scenario(GetParam());
  Played played(simulated);
  const auto engine =
      played.Play(truth::Shuffled(truth::AsSent(simulated.span_arrivals), 5), {.shards = 2});
  EXPECT_EQ(played.DifferenceOf(*engine), "");
}

INSTANTIATE_TEST_SUITE_P(All, GoroutineCases,
                         ::testing::Values(truth::GoroutineCase::kFireAndForget,
                                           truth::GoroutineCase::kExplicitPass,
                                           truth::GoroutineCase::kCancelPropagation,
                                           truth::GoroutineCase::kDeferredAfterDone,
                                           truth::GoroutineCase::kWorkerPoolReuse,
                                           truth::GoroutineCase::kKeyOverwrite,
                                           truth::GoroutineCase::kLeakedUnfinished,
                                           truth::GoroutineCase::kNestedFanOut));

}  // namespace
}  // namespace tracekeeper::continuity
