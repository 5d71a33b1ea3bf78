// The engine and the oracle, which were written apart from one page, judge the same simulated
// telemetry; and both are held against what the simulation knows to be true.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "src/continuity/cause.h"
#include "tests/src/continuity/engine_verdicts.h"
#include "tests/truth/oracle.h"
#include "tests/truth/scoring.h"
#include "tests/truth/simulation.h"
#include "tests/truth/simulation_arrival.h"

namespace tracekeeper::continuity {
namespace {

using ::testing::IsEmpty;
using truth::Fault;
using truth::Sampling;
using truth::SimulationOptions;

truth::Verdicts AskEngine(const truth::Simulated& simulated) {
  return JudgeByEngine(simulated.spans, simulated.logs, simulated.policy);
}

truth::Verdicts AskOracle(const truth::Simulated& simulated) {
  return truth::Judge(simulated.spans, simulated.logs, simulated.policy);
}

struct Setting {
  const char* name;
  SimulationOptions options;
};

SimulationOptions WithAllFaults(double rate) {
  SimulationOptions options;
  for (const Fault fault : truth::AllFaults()) options.faults[fault] = rate;
  return options;
}

std::vector<Setting> Settings() {
  const SimulationOptions clean;
  SimulationOptions broken = WithAllFaults(0.01);
  SimulationOptions several = WithAllFaults(0.02);
  several.one_fault_per_request = false;
  SimulationOptions zipkin = broken;
  zipkin.shared_span_ids = true;
  SimulationOptions consistent = broken;
  consistent.sampling = Sampling::kConsistent;
  consistent.sampling_ratio = 0.3;
  SimulationOptions per_service = clean;
  per_service.sampling = Sampling::kPerService;
  per_service.sampling_ratio = 0.6;
  SimulationOptions foreign = broken;
  foreign.foreign_share = 0.2;
  foreign.filtered_middleware = true;
  SimulationOptions skewed = broken;
  skewed.clock_skew = std::chrono::milliseconds(400);
  skewed.long_traces = true;
  return {{"Clean", clean},
          {"Broken", broken},
          {"SeveralFaults", several},
          {"SharedIds", zipkin},
          {"Consistent", consistent},
          {"PerService", per_service},
          {"ForeignCallers", foreign},
          {"Skewed", skewed}};
}

class Agreement : public ::testing::TestWithParam<Setting> {};

TEST_P(Agreement, EngineAndOracleSayTheSame) {
  SimulationOptions options = GetParam().options;
  for (const std::uint64_t seed : {1, 2}) {
    options.seed = seed;
    const truth::Simulated simulated = Simulate(options);
    EXPECT_EQ(Difference(AskOracle(simulated), AskEngine(simulated)), "") << "seed " << seed;
  }
}

TEST_P(Agreement, TheOrderOfArrivalAndRepeatsChangeNothing) {
  SimulationOptions options = GetParam().options;
  options.duration = std::chrono::seconds(20);
  const truth::Simulated simulated = Simulate(options);
  const truth::Verdicts expected = AskEngine(simulated);
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto deliveries =
        truth::Shuffled(truth::Redelivered(truth::AsSent(simulated.span_arrivals), 2,
                                           std::chrono::seconds(1), seed),
                        seed);
    std::vector<std::size_t> order;
    order.reserve(deliveries.size());
    for (const truth::Delivery& delivery : deliveries) order.push_back(delivery.index);
    const auto found = JudgeByEngine(simulated.spans, simulated.logs, simulated.policy, order);
    EXPECT_EQ(Difference(expected, found), "") << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Agreement, ::testing::ValuesIn(Settings()),
                         [](const auto& test) { return test.param.name; });

struct NamedScenario {
  const char* name;
  truth::GoroutineCase which;
};

class GoroutineScenario : public ::testing::TestWithParam<NamedScenario> {};

TEST_P(GoroutineScenario, IsJudgedAsItWasMade) {
  const truth::Simulated simulated = truth::Scenario(GetParam().which);
  const truth::Scores scores = truth::Score(simulated.breaks, AskEngine(simulated).findings);
  EXPECT_THAT(scores.missed, IsEmpty());
  EXPECT_THAT(scores.false_alarms, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    All, GoroutineScenario,
    ::testing::Values(NamedScenario{"FireAndForget", truth::GoroutineCase::kFireAndForget},
                      NamedScenario{"ExplicitPass", truth::GoroutineCase::kExplicitPass},
                      NamedScenario{"CancelPropagation", truth::GoroutineCase::kCancelPropagation},
                      NamedScenario{"DeferredAfterDone", truth::GoroutineCase::kDeferredAfterDone},
                      NamedScenario{"WorkerPoolReuse", truth::GoroutineCase::kWorkerPoolReuse},
                      NamedScenario{"KeyOverwrite", truth::GoroutineCase::kKeyOverwrite},
                      NamedScenario{"LeakedUnfinished", truth::GoroutineCase::kLeakedUnfinished},
                      NamedScenario{"NestedFanOut", truth::GoroutineCase::kNestedFanOut}),
    [](const auto& test) { return test.param.name; });

/// Systems in which nothing is broken, each with habits that look like a break to a plain count.
std::vector<Setting> CleanSettings() {
  SimulationOptions usual;
  SimulationOptions slow = usual;
  slow.requests_per_second = 0.5;
  slow.duration = std::chrono::seconds(300);
  SimulationOptions busy = usual;
  busy.requests_per_second = 100;
  busy.duration = std::chrono::seconds(15);
  SimulationOptions zipkin = usual;
  zipkin.shared_span_ids = true;
  SimulationOptions outside = usual;
  outside.foreign_share = 0.5;
  SimulationOptions pauses = usual;
  pauses.long_traces = true;
  pauses.duration = std::chrono::seconds(200);
  SimulationOptions filtered = usual;
  filtered.filtered_middleware = true;
  SimulationOptions skewed = usual;
  skewed.clock_skew = std::chrono::milliseconds(400);
  SimulationOptions failing = usual;
  failing.failure_share = 0.25;
  SimulationOptions sampled = usual;
  sampled.sampling = Sampling::kConsistent;
  sampled.sampling_ratio = 0.1;
  SimulationOptions generated = usual;
  generated.load_generator_share = 1;
  return {{"Usual", usual},
          {"Slow", slow},
          {"Busy", busy},
          {"SharedIds", zipkin},
          {"ForeignCallers", outside},
          {"LongTraces", pauses},
          {"Filtered", filtered},
          {"Skewed", skewed},
          {"Failing", failing},
          {"Sampled", sampled},
          {"LoadGenerator", generated}};
}

class CleanSystem : public ::testing::TestWithParam<Setting> {};

TEST_P(CleanSystem, HasNoBreakAndLittleUnknown) {
  const truth::Verdicts verdicts = AskEngine(Simulate(GetParam().options));
  std::uint64_t units = 0;
  std::uint64_t unknown = 0;
  for (const auto& [unit, count] : verdicts.units) {
    EXPECT_EQ(unit.find(" bad "), std::string::npos) << unit << ": " << count;
    units += count;
    unknown += unit.find(" unknown ") == std::string::npos ? 0 : count;
  }
  EXPECT_LE(unknown * 100, units);
}

INSTANTIATE_TEST_SUITE_P(All, CleanSystem, ::testing::ValuesIn(CleanSettings()),
                         [](const auto& test) { return test.param.name; });

/// Scores of all runs together; each run's ids are its own.
truth::Scores ScoreAll(const std::vector<SimulationOptions>& runs) {
  std::vector<truth::SeededBreak> breaks;
  std::set<std::string> findings;
  for (const SimulationOptions& options : runs) {
    const truth::Simulated simulated = Simulate(options);
    breaks.insert(breaks.end(), simulated.breaks.begin(), simulated.breaks.end());
    findings.merge(AskEngine(simulated).findings);
  }
  return truth::Score(breaks, findings);
}

/// A shop in which everything goes wrong now and then, and one whose checkout samples by itself.
std::vector<SimulationOptions> BrokenShops() {
  std::vector<SimulationOptions> runs;
  for (const std::uint64_t seed : {1, 2, 3}) {
    SimulationOptions options = WithAllFaults(0.01);
    options.faults.erase(Fault::kOwnSampler);
    options.seed = seed;
    options.requests_per_second = 60;
    options.duration = std::chrono::seconds(60);
    runs.push_back(options);
    options.sampling = Sampling::kConsistent;
    options.sampling_ratio = 0.7;
    runs.push_back(options);
    options.requests_per_second = 10;
    options.faults = {{Fault::kOwnSampler, 0.6}};
    runs.push_back(options);
  }
  return runs;
}

/// The children of a span that was never ended look like those of a lost one where its entry went
/// with a batch. One of these runs has such a stream, and thirteen findings of it.
double LeastPrecision(Cause cause) { return cause == Cause::kLostBatch ? 0.85 : 0.95; }

TEST(Truth, EveryCauseIsNamedAsItWasSeeded) {
  const truth::Scores scores = ScoreAll(BrokenShops());
  SCOPED_TRACE(scores.Table());
  for (std::size_t i = 0; i < kCauseCount; ++i) {
    const auto cause = static_cast<Cause>(i);
    if (cause == Cause::kUnknownCause) continue;
    const auto score = scores.causes.find(std::string(NameOf(cause)));
    ASSERT_NE(score, scores.causes.end()) << NameOf(cause) << " was never seeded";
    EXPECT_GE(score->second.precision(), LeastPrecision(cause)) << NameOf(cause);
    EXPECT_GE(score->second.recall(), 0.90) << NameOf(cause);
  }
}

}  // namespace
}  // namespace tracekeeper::continuity
