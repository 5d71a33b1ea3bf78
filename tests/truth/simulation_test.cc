// The simulation as such: that it repeats itself, that a run without faults has none, and the ways
// in which its telemetry arrives.

#include "tests/truth/simulation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/truth/scoring.h"
#include "tests/truth/simulation_arrival.h"
#include "tests/truth/simulation_index.h"

namespace tracekeeper::truth {
namespace {

constexpr int kServerKind = 2;
constexpr int kConsumerKind = 5;

SimulationOptions Short() {
  SimulationOptions options;
  options.duration = std::chrono::seconds(30);
  return options;
}

TEST(Simulation, EqualSeedsGiveEqualBytes) {
  SimulationOptions options = Short();
  for (const Fault fault : AllFaults()) {
    options.faults[fault] = 0.02;
  }
  EXPECT_EQ(Simulate(options), Simulate(options));
}

TEST(Simulation, OtherSeedsGiveOtherTraces) {
  SimulationOptions options = Short();
  const Simulated first = Simulate(options);
  options.seed = 2;
  EXPECT_NE(first, Simulate(options));
}

TEST(Simulation, HasNoFaultAtARateOfZero) {
  SimulationOptions options = Short();
  const Simulated clean = Simulate(options);
  for (const Fault fault : AllFaults()) {
    options.faults[fault] = 0;
  }
  EXPECT_EQ(Simulate(options), clean);
}

// Pins the bytes: a change of these numbers is a change of every test that is seeded.
TEST(Simulation, IsTheSameEverywhere) {
  const Simulated simulated = Simulate(Short());
  std::uint64_t sum = 14695981039346656037ULL;
  for (const ModelSpan& span : simulated.spans) {
    for (const char byte : span.trace_id + span.span_id + std::to_string(span.end_nanoseconds)) {
      sum = (sum ^ static_cast<unsigned char>(byte)) * 1099511628211ULL;
    }
  }
  EXPECT_EQ(simulated.spans.size(), 8064U);
  EXPECT_EQ(sum, 13247930920909861646U);
}

TEST(Simulation, NamesEveryFaultOnce) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < AllFaults().size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(AllFaults()[i]), i);
    names.insert(NameOf(AllFaults()[i]));
  }
  EXPECT_EQ(names.size(), AllFaults().size());
  EXPECT_EQ(AllFaults().size(), static_cast<std::size_t>(Fault::kTraceLost) + 1);
}

struct CleanCase {
  std::string name;
  SimulationOptions options;
};

std::vector<CleanCase> CleanCases() {
  std::vector<CleanCase> cases(9);
  for (CleanCase& one : cases) {
    one.options = Short();
  }
  cases[0].name = "Default";
  cases[1].name = "Consistent";
  cases[1].options.sampling = Sampling::kConsistent;
  cases[1].options.sampling_ratio = 0.25;
  cases[2].name = "SharedIds";
  cases[2].options.shared_span_ids = true;
  cases[3].name = "LongTraces";
  cases[3].options.long_traces = true;
  cases[4].name = "AllBrowsers";
  cases[4].options.load_generator_share = 0;
  cases[5].name = "AllLoadGenerator";
  cases[5].options.load_generator_share = 1;
  cases[6].name = "Skewed";
  cases[6].options.clock_skew = std::chrono::milliseconds(300);
  cases[7].name = "Quick";
  cases[7].options.export_interval = std::chrono::milliseconds(500);
  cases[7].options.export_batch = 64;
  cases[8].name = "Busy";
  cases[8].options.requests_per_second = 60;
  return cases;
}

class CleanRun : public testing::TestWithParam<CleanCase> {
 protected:
  void ExpectWholeTraces() const;
  void ExpectSharedIdsOfCallsAndAnswersOnly() const;
  void ExpectLogsOfSpansThatAreThere() const;
  void ExpectArrivalAfterTheFact() const;

  Simulated simulated_ = Simulate(GetParam().options);
  SimulatedIndex index_{simulated_};
};

TEST_P(CleanRun, IsWhole) {
  EXPECT_TRUE(simulated_.breaks.empty()) << Score(simulated_.breaks, {}).Table();
  EXPECT_TRUE(simulated_.policy.entrypoints.empty());
  ExpectWholeTraces();
  ExpectSharedIdsOfCallsAndAnswersOnly();
  ExpectLogsOfSpansThatAreThere();
  ExpectArrivalAfterTheFact();
}

void CleanRun::ExpectWholeTraces() const {
  std::set<std::string> traces;
  ASSERT_GT(simulated_.spans.size(), 500U);
  for (const ModelSpan& span : simulated_.spans) {
    ASSERT_EQ(span.trace_id.size(), 16U);
    ASSERT_EQ(span.span_id.size(), 8U);
    ASSERT_NE(span.trace_id, std::string(16, '\0'));
    ASSERT_NE(span.span_id, std::string(8, '\0'));
    ASSERT_GE(span.end_nanoseconds, span.start_nanoseconds) << span.name;
    ASSERT_FALSE(index_.IsOrphan(span)) << ServiceOf(span) << " " << span.name;
    traces.insert(span.trace_id);
  }
  for (const std::string& trace : traces) {
    ASSERT_EQ(index_.RootsOf(trace).size(), 1U);
  }
}

void CleanRun::ExpectSharedIdsOfCallsAndAnswersOnly() const {
  std::size_t shared = 0;
  for (const ModelSpan& span : simulated_.spans) {
    const auto same = index_.At({span.trace_id, span.span_id});
    if (same.size() > 1) {
      ++shared;
      ASSERT_EQ(same.size(), 2U);
      EXPECT_EQ(same[0]->kind + same[1]->kind, 5);  // CLIENT and SERVER
    }
  }
  EXPECT_EQ(shared > 0, GetParam().options.shared_span_ids);
}

void CleanRun::ExpectLogsOfSpansThatAreThere() const {
  std::size_t with_ids = 0;
  for (const ModelLog& log : simulated_.logs) {
    if (!log.trace_id.empty() && (log.flags & 1U) != 0) {
      ++with_ids;
      EXPECT_FALSE(index_.At({log.trace_id, log.span_id}).empty());
    }
  }
  EXPECT_GT(with_ids, 100U);
}

void CleanRun::ExpectArrivalAfterTheFact() const {
  const auto skew = static_cast<std::uint64_t>(GetParam().options.clock_skew.count()) * 1'000'000;
  ASSERT_EQ(simulated_.spans.size(), simulated_.span_arrivals.size());
  ASSERT_EQ(simulated_.logs.size(), simulated_.log_arrivals.size());
  EXPECT_TRUE(std::is_sorted(simulated_.span_arrivals.begin(), simulated_.span_arrivals.end()));
  EXPECT_TRUE(std::is_sorted(simulated_.log_arrivals.begin(), simulated_.log_arrivals.end()));
  const auto interval =
      static_cast<std::uint64_t>(GetParam().options.export_interval.count()) * 1'000'000;
  for (std::size_t i = 0; i < simulated_.spans.size(); ++i) {
    const std::uint64_t end = simulated_.spans[i].end_nanoseconds;
    ASSERT_GT(simulated_.span_arrivals[i] + skew, end);
    ASSERT_LT(simulated_.span_arrivals[i], end + skew + interval + 100'000'000);
  }
}

INSTANTIATE_TEST_SUITE_P(Options, CleanRun, testing::ValuesIn(CleanCases()),
                         [](const auto& one) { return one.param.name; });

TEST(Simulation, HasTheConfoundersOfRealSystems) {
  SimulationOptions options = Short();
  options.duration = std::chrono::seconds(120);
  const Simulated simulated = Simulate(options);
  const SimulatedIndex index(simulated);
  std::map<std::string, int> seen;
  for (const ModelSpan& span : simulated.spans) {
    const auto parents = index.ParentsOf(span);
    seen["error"] += span.status == 2 ? 1 : 0;
    seen["probe"] +=
        ValueOf(span.attributes, "user_agent.original").starts_with("kube-probe") ? 1 : 0;
    seen["client root"] += span.kind == 3 && parents.empty() ? 1 : 0;
    seen["internal root"] += span.kind == 1 && parents.empty() ? 1 : 0;
    seen["poll root"] +=
        span.kind == kConsumerKind && span.links.empty() && parents.empty() ? 1 : 0;
    seen["linked"] += span.links.empty() ? 0 : 1;
    seen["message child"] += span.kind == kConsumerKind && span.links.empty() && !parents.empty();
    seen["no flags"] += span.flags == 0 ? 1 : 0;
    seen["trace flags"] += span.flags == 1 ? 1 : 0;
    seen["database"] += ValueOf(span.attributes, "db.system").empty() ? 0 : 1;
    for (const ModelSpan* parent : parents) {
      seen["outlives parent"] += span.end_nanoseconds > parent->end_nanoseconds ? 1 : 0;
      seen["starts before parent"] += span.start_nanoseconds < parent->start_nanoseconds ? 1 : 0;
    }
  }
  for (const auto& [what, times] : seen) {
    EXPECT_GT(times, 5) << what;
  }
}

TEST(Simulation, SamplesConsistently) {
  SimulationOptions options = Short();
  options.sampling = Sampling::kConsistent;
  options.sampling_ratio = 0.25;
  const Simulated simulated = Simulate(options);
  for (const ModelSpan& span : simulated.spans) {
    ASSERT_EQ(span.tracestate, "ot=th:c");
    ASSERT_GE(static_cast<unsigned char>(span.trace_id[9]), 0xc0U);
  }
  options.sampling_ratio = 1;
  EXPECT_EQ(Simulate(options).spans.front().tracestate, "ot=th:0");
}

TEST(Simulation, LeavesGapsWhereServicesSampleApart) {
  SimulationOptions options = Short();
  options.sampling = Sampling::kPerService;
  const Simulated simulated = Simulate(options);
  const SimulatedIndex index(simulated);
  EXPECT_TRUE(simulated.breaks.empty());
  EXPECT_TRUE(std::any_of(simulated.spans.begin(), simulated.spans.end(),
                          [&](const ModelSpan& span) { return index.IsOrphan(span); }));
}

TEST(Simulation, DeclaresWhereForeignTracesEnter) {
  SimulationOptions options = Short();
  options.foreign_share = 0.5;
  const Simulated simulated = Simulate(options);
  const SimulatedIndex index(simulated);
  std::size_t foreign = 0;
  for (const ModelSpan& span : simulated.spans) {
    if (index.IsOrphan(span)) {
      ++foreign;
      EXPECT_EQ(ServiceOf(span), "gateway");
      EXPECT_EQ(span.kind, kServerKind);
    }
  }
  EXPECT_GT(foreign, 20U);
  EXPECT_TRUE(simulated.breaks.empty());
  EXPECT_EQ(simulated.policy.entrypoints, std::set<std::string>{"gateway"});
}

TEST(Simulation, DeclaresWhatTheCollectorDrops) {
  SimulationOptions options = Short();
  options.filtered_middleware = true;
  const Simulated simulated = Simulate(options);
  const SimulatedIndex index(simulated);
  std::size_t orphans = 0;
  for (const ModelSpan& span : simulated.spans) {
    EXPECT_FALSE(simulated.policy.excluded_scopes.contains(span.scope));
    orphans += index.IsOrphan(span) ? 1 : 0;
  }
  EXPECT_GT(orphans, 20U);
  EXPECT_TRUE(simulated.breaks.empty());
}

TEST(Simulation, KeepsLongTracesOpenForMinutes) {
  SimulationOptions options = Short();
  options.long_traces = true;
  const Simulated simulated = Simulate(options);
  EXPECT_TRUE(
      std::any_of(simulated.spans.begin(), simulated.spans.end(), [](const ModelSpan& span) {
        return span.end_nanoseconds - span.start_nanoseconds > 120'000'000'000ULL;
      }));
}

std::multiset<std::size_t> IndicesOf(const std::vector<Delivery>& deliveries) {
  std::multiset<std::size_t> indices;
  for (const Delivery& delivery : deliveries) {
    indices.insert(delivery.index);
  }
  return indices;
}

bool InOrder(const std::vector<Delivery>& deliveries) {
  return std::is_sorted(deliveries.begin(), deliveries.end(),
                        [](const Delivery& a, const Delivery& b) { return a.arrival < b.arrival; });
}

TEST(Arrival, ReordersAndRephasesTheSameSpans) {
  const Simulated simulated = Simulate(Short());
  const std::vector<Delivery> sent = AsSent(simulated.span_arrivals);
  const std::vector<Delivery> shuffled = Shuffled(sent, 5);
  const std::vector<Delivery> rephased =
      Rephased(simulated.spans, std::chrono::milliseconds(5000), 5);
  EXPECT_EQ(IndicesOf(shuffled), IndicesOf(sent));
  EXPECT_EQ(IndicesOf(rephased), IndicesOf(sent));
  EXPECT_NE(shuffled, sent);
  EXPECT_EQ(shuffled, Shuffled(sent, 5));
  EXPECT_NE(shuffled, Shuffled(sent, 6));
  EXPECT_TRUE(InOrder(sent) && InOrder(shuffled) && InOrder(rephased));
  for (const Delivery& delivery : rephased) {
    ASSERT_GT(delivery.arrival, simulated.spans[delivery.index].end_nanoseconds);
    ASSERT_LE(delivery.arrival, simulated.spans[delivery.index].end_nanoseconds + 5'000'000'000ULL);
  }
}

TEST(Arrival, RedeliversWholeBatches) {
  const Simulated simulated = Simulate(Short());
  const std::vector<Delivery> sent = AsSent(simulated.span_arrivals);
  const std::vector<Delivery> twice = Redelivered(sent, 2, std::chrono::milliseconds(20'000), 9);
  ASSERT_EQ(twice.size(), 2 * sent.size());
  EXPECT_TRUE(InOrder(twice));
  std::map<std::uint64_t, std::size_t> batches;  // sizes by arrival
  for (const Delivery& delivery : sent) {
    ++batches[delivery.arrival];
  }
  std::map<std::size_t, std::vector<std::uint64_t>> arrivals;
  std::map<std::uint64_t, std::size_t> again;
  for (const Delivery& delivery : twice) {
    arrivals[delivery.index].push_back(delivery.arrival);
    ++again[delivery.arrival];
  }
  for (const auto& [index, moments] : arrivals) {
    ASSERT_EQ(moments.size(), 2U);
    ASSERT_EQ(moments[0], simulated.span_arrivals[index]);
    ASSERT_GT(moments[1], moments[0]);
    ASSERT_EQ(again[moments[1]], batches[moments[0]]);
  }
}

TEST(Scoring, CountsWhatAgreesCauseByCause) {
  const std::string trace(16, '\x11');
  const std::string cut = std::string(8, '\0') + std::string(8, '\x11');
  const std::vector<SeededBreak> truth = {
      {"broken_hop", trace, "aaaaaaaa"}, {"broken_hop", trace, "bbbbbbbb"},
      {"fragments", trace, "cccccccc"},  {"truncated_id", cut, "dddddddd"},
      {"log_without_id", "", ""},        {"log_without_id", "", ""}};
  const std::string hex = "11111111111111111111111111111111";
  const Scores scores = Score(
      truth, {"broken_hop " + hex + " 6161616161616161", "silent_hop " + hex + " 6262626262626262",
              "fragments " + hex + " 0000000000000001", "truncated_id " + hex + " 6464646464646464",
              "log_without_id  "});
  EXPECT_EQ(scores.causes.at("broken_hop").recall(), 0.5);
  EXPECT_EQ(scores.causes.at("broken_hop").precision(), 1);
  EXPECT_EQ(scores.causes.at("silent_hop").precision(), 0);
  EXPECT_EQ(scores.causes.at("fragments").recall(), 1);
  EXPECT_EQ(scores.causes.at("truncated_id").recall(), 1);
  EXPECT_EQ(scores.causes.at("log_without_id").recall(), 1);
  EXPECT_EQ(scores.missed, std::set<std::string>{"broken_hop " + hex + " 6262626262626262"});
  EXPECT_EQ(scores.false_alarms, std::set<std::string>{"silent_hop " + hex + " 6262626262626262"});
  EXPECT_NE(scores.Table().find("broken_hop "), std::string::npos);
  EXPECT_EQ(CountByCause(truth).at("log_without_id"), 2U);
}

}  // namespace
}  // namespace tracekeeper::truth
