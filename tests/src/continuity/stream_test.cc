// A stream, net of repairs, says what the whole recording says: in any order of arrival, delivered
// twice, in batches, by any number of shards.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "src/continuity/batch_analysis.h"
#include "src/continuity/stream_engine.h"
#include "tests/truth/simulation.h"
#include "tests/truth/simulation_arrival.h"

namespace tracekeeper::continuity {
namespace {

using truth::Delivery;
using truth::Fault;
using truth::SimulationOptions;

using Totals = std::map<std::string, std::int64_t>;

std::string TextOf(const Names& names, const UnitKey& key, Verdict verdict) {
  const std::string_view why = verdict.is_bad() ? NameOf(verdict.cause) : NameOf(verdict.reason);
  return fmt::format("{} {} > {} {} {} {}", NameOf(key.family), names.Text(key.service),
                     names.Text(key.server), NameOf(key.protocol), NameOf(verdict.outcome), why);
}

/// What the batch engine says, in the same words.
class TotalsSink final : public VerdictSink {
 public:
  TotalsSink(const Recording& recording, Totals& totals) : recording_(recording), totals_(totals) {}

  void OnSeen(Family, std::uint64_t) override {}
  void OnTrace(const TraceTree& tree, const JudgedTrace& trace) override {
    for (const Unit& unit : trace.units) {
      const UnitKey key{.family = unit.family,
                        .protocol = unit.protocol,
                        .policy = unit.policy,
                        .service = unit.service,
                        .server = unit.server};
      ++totals_[TextOf(recording_.names(), key, unit.verdict)];
    }
    for (const Finding& finding : trace.findings) {
      const NameId service = tree.shape(finding.span).service;
      ++totals_[fmt::format("{} {}", NameOf(finding.cause), recording_.names().Text(service))];
    }
  }
  void OnInvalidSpan(const InvalidSpan& span) override {
    const Shape& shape = recording_.shapes().Get(span.shape);
    const UnitKey key{.family = Family::kInProcess, .service = shape.service};
    ++totals_[TextOf(recording_.names(), key, Verdict::Bad(Cause::kInvalidId))];
  }
  void OnLog(const ReadLog& log, Verdict verdict) override {
    ++totals_[TextOf(recording_.names(), {.family = Family::kLog, .service = log.service},
                     verdict)];
  }

 private:
  const Recording& recording_;
  Totals& totals_;
};

Totals NetOf(const Tally& tally, const Names& names) {
  Totals totals;
  for (const auto& [key, counts] : tally.units()) {
    for (std::size_t code = 0; code < kVerdictCodes; ++code) {
      if (counts.net[code] != 0) totals[TextOf(names, key, VerdictOf(code))] += counts.net[code];
    }
  }
  for (const auto& [finding, count] : tally.findings()) {
    if (count == 0) continue;
    totals[fmt::format("{} {}", NameOf(finding.cause), names.Text(finding.service))] += count;
  }
  return totals;
}

std::string Difference(const Totals& want, const Totals& got) {
  std::string text;
  for (const auto& [what, count] : want) {
    const auto found = got.find(what);
    const std::int64_t other = found == got.end() ? 0 : found->second;
    if (other != count) text += fmt::format("{}: {}, not {}\n", what, other, count);
  }
  for (const auto& [what, count] : got) {
    if (!want.contains(what)) text += fmt::format("{}: {}, not 0\n", what, count);
  }
  return text;
}

Rules RulesOf(const truth::ModelPolicy& policy) {
  const auto list = [](const std::set<std::string>& names) {
    return NameList(std::vector<std::string>(names.begin(), names.end()));
  };
  return {.entrypoints = list(policy.entrypoints),
          .excluded_services = list(policy.excluded_services),
          .excluded_scopes = list(policy.excluded_scopes),
          .excluded_span_names = list(policy.excluded_span_names)};
}

/// Telemetry, what the batch engine says of it, and the profile that it learned.
class Recorded {
 public:
  explicit Recorded(const truth::Simulated& simulated) : simulated_(simulated) {
    EXPECT_TRUE(recording_.AddTraces(truth::TracesRequest(simulated.spans)));
    EXPECT_TRUE(recording_.AddLogs(truth::LogsRequest(simulated.logs)));
    EXPECT_EQ(recording_.spans().size() + recording_.invalid_spans().size(),
              simulated.spans.size());
    const Rules rules = RulesOf(simulated.policy);
    TotalsSink sink(recording_, totals_);
    BatchAnalysis analysis(recording_, rules, {});
    analysis.Run(sink);
    epoch_ = std::make_shared<const Epoch>(Epoch{.rules = rules, .profile = analysis.profile()});
    first_arrival_ = simulated.span_arrivals.empty() ? 0 : simulated.span_arrivals.front();
    for (const std::uint64_t arrival : simulated.log_arrivals) {
      first_arrival_ = std::min(first_arrival_, arrival);
    }
  }

  [[nodiscard]] const Totals& totals() const { return totals_; }
  [[nodiscard]] const Names& names() const { return recording_.names(); }

  /// The stream's engine after all of `deliveries`, and after all of it was judged.
  std::unique_ptr<StreamEngine> Play(const std::vector<Delivery>& deliveries,
                                     const StreamOptions& options) {
    auto engine =
        std::make_unique<StreamEngine>(options, recording_.names(), recording_.shapes(), epoch_);
    std::size_t next_log = 0;
    Tick now = 1;
    for (const Delivery& delivery : deliveries) {
      now = std::max(now, TickOf(delivery.arrival));
      for (; next_log < recording_.logs().size() &&
             simulated_.log_arrivals[next_log] <= delivery.arrival;
           ++next_log) {
        engine->Insert(recording_.logs()[next_log], now);
      }
      engine->Advance(now);
      EXPECT_TRUE(engine->tally().AddsUp());
      engine->Insert(SpanOf(delivery.index), now);
    }
    for (; next_log < recording_.logs().size(); ++next_log) {
      engine->Insert(recording_.logs()[next_log], now);
    }
    const Tick settle = static_cast<Tick>(epoch_->profile.settle_window / 100'000) + 1;
    engine->Advance(now + settle);
    engine->Advance(now + settle + options.join_window + 1);
    EXPECT_TRUE(engine->tally().AddsUp());
    return engine;
  }

 private:
  [[nodiscard]] Tick TickOf(std::uint64_t arrival) const {
    return static_cast<Tick>((arrival - first_arrival_) / 100'000'000) + 1;
  }

  /// Spans of no trace stand apart in a recording.
  [[nodiscard]] ReadSpan SpanOf(std::size_t index) {
    if (places_.empty()) FindPlaces();
    const std::ptrdiff_t place = places_[index];
    ReadSpan read;
    if (place < 0) {
      read.span.shape = recording_.invalid_spans()[static_cast<std::size_t>(-place - 1)].shape;
      read.trace.low = index;
      return read;
    }
    const RecordedSpan& recorded = recording_.spans()[static_cast<std::size_t>(place)];
    read.trace = recorded.trace;
    read.span = recorded.span;
    read.is_valid = true;
    read.randomness = recording_.RandomnessOf(recorded.trace);
    return read;
  }

  void FindPlaces() {
    Recording one;
    std::ptrdiff_t valid = 0;
    std::ptrdiff_t invalid = 0;
    for (const truth::ModelSpan& span : simulated_.spans) {
      const std::size_t before = one.invalid_spans().size();
      EXPECT_TRUE(one.AddTraces(truth::TracesRequest(std::span(&span, 1))));
      places_.push_back(one.invalid_spans().size() > before ? --invalid : valid++);
    }
  }

  const truth::Simulated& simulated_;
  Recording recording_;
  Totals totals_;
  std::shared_ptr<const Epoch> epoch_;
  std::uint64_t first_arrival_ = 0;
  std::vector<std::ptrdiff_t> places_;
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
  Recorded recorded(simulated);
  ASSERT_GT(recorded.totals().size(), 100U);
  for (const std::size_t shards : {1, 2, 8}) {
    const auto engine =
        recorded.Play(GetParam().order(simulated, shards), {.shards = shards, .key = shards * 77});
    EXPECT_EQ(Difference(recorded.totals(), NetOf(engine->tally(), recorded.names())), "")
        << shards << " shards";
    EXPECT_EQ(engine->counts().shed_traces + engine->counts().late_spans, 0U);
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
  Recorded recorded(simulated);
  const std::vector<Delivery> as_sent = truth::AsSent(simulated.span_arrivals);
  constexpr std::array<std::size_t, 3> kShards = {1, 2, 8};
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto engine = recorded.Play(truth::Shuffled(as_sent, seed),
                                      {.shards = kShards.at(seed % 3), .key = seed});
    ASSERT_EQ(Difference(recorded.totals(), NetOf(engine->tally(), recorded.names())), "")
        << "seed " << seed;
  }
}

TEST(StreamOrders, ACleanSystemNeedsNoRepair) {
  SimulationOptions options;
  options.failure_share = 0;
  const truth::Simulated simulated = truth::Simulate(options);
  Recorded recorded(simulated);
  const auto engine = recorded.Play(truth::AsSent(simulated.span_arrivals), {});
  EXPECT_EQ(Difference(recorded.totals(), NetOf(engine->tally(), recorded.names())), "");
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
  Recorded recorded(simulated);
  const auto engine = recorded.Play(truth::AsSent(simulated.span_arrivals),
                                    {.shards = 2, .learning = Learning::kFromStream});
  const Tally tally = engine->tally();
  EXPECT_TRUE(engine->is_judging());
  EXPECT_EQ(CountOf(tally, Outcome::kBad), 0);
  EXPECT_GT(CountOf(tally, Outcome::kGood), 10'000);
  EXPECT_LE(CountOf(tally, Outcome::kUnknown) * 100, CountOf(tally, Outcome::kGood));
}

TEST(StreamThatLearns, JudgesNothingBeforeItHasLearned) {
  SimulationOptions options;
  options.duration = std::chrono::seconds(20);
  const truth::Simulated simulated = truth::Simulate(options);
  Recorded recorded(simulated);
  const auto engine =
      recorded.Play(truth::AsSent(simulated.span_arrivals),
                    {.learning = Learning::kFromStream, .learner = {.warm_up = 10'000}});
  EXPECT_FALSE(engine->is_judging());
  EXPECT_EQ(CountOf(engine->tally(), Outcome::kGood), 0);
  EXPECT_GT(engine->shards().front()->pending_spans(), 1000U);
}

class GoroutineCases : public ::testing::TestWithParam<truth::GoroutineCase> {};

TEST_P(GoroutineCases, AreNamedByAStreamToo) {
  const truth::Simulated simulated = truth::Scenario(GetParam());
  Recorded recorded(simulated);
  const auto engine =
      recorded.Play(truth::Shuffled(truth::AsSent(simulated.span_arrivals), 5), {.shards = 2});
  EXPECT_EQ(Difference(recorded.totals(), NetOf(engine->tally(), recorded.names())), "");
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
