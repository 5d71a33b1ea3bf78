// Requests of a sampled stream, weighed by what their sampling says, stand for the whole.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "src/analysis/analysis.h"
#include "src/analysis/continuity_metrics.h"
#include "tests/src/analysis/metrics_text.h"
#include "tests/support/manual_clock.h"
#include "tests/support/otlp_requests.h"
#include "tests/truth/simulation.h"

namespace tracekeeper::analysis {
namespace {

using test_support::IdOf;
using test_support::TestSpan;

constexpr std::size_t kPlenty = std::size_t{1} << 30U;

/// What all of these requests are judged as when they came one after another.
Samples Judged(const std::vector<std::string>& requests) {
  const test_support::ManualClock clock;
  Log log{LogLevel::kError, [](LogLevel, std::string_view) {}};
  Analysis analysis({.memory_bytes = kPlenty, .queue_bytes = kPlenty}, continuity::PolicyRules(),
                    clock, Logger(log));
  analysis.Start();
  for (const std::string& request : requests) {
    if (analysis.Accept(otlp::Signal::kTraces, otlp::Ingress::kGrpc, request)) continue;
    ADD_FAILURE() << "not all was taken";
    break;
  }
  analysis.Drain();
  telemetry::Exposition text(telemetry::ExpositionFormat::kOpenMetrics);
  WriteContinuityMetrics(*analysis.TakeSnapshot(), text);
  Samples samples = ReadSamples(text.Finish());
  EXPECT_EQ(WhatDoesNotAddUp(samples), "");
  return samples;
}

constexpr const char* kAll = "tracekeeper_requests_total";
constexpr const char* kKnown = "tracekeeper_requests_threshold_known_total";
constexpr const char* kPopulation = "tracekeeper_requests_population_total";

double Of(const Samples& samples, const char* metric, const char* result) {
  return samples.Sum(metric, {fmt::format("result=\"{}\"", result)});
}
double SliOf(const Samples& samples, const char* metric) {
  const double good = Of(samples, metric, "good");
  return good / (good + Of(samples, metric, "bad"));
}

TEST(Population, CountsARequestAsOftenAsItsLargestThresholdSays) {
  std::uint64_t trace = 0;
  std::vector<std::string> requests;
  // Two spans each: a root, and another root, which breaks the request; or none.
  const auto add = [&](const std::string& root, const std::string& other, bool is_bad) {
    ++trace;
    const std::string id = IdOf(trace << 40U, 16);
    std::vector<TestSpan> spans = {{.trace_id = id, .span_id = IdOf(1, 8), .tracestate = root}};
    if (is_bad) {
      spans.push_back({.trace_id = id, .span_id = IdOf(2, 8), .tracestate = other});
    }
    requests.push_back(test_support::TracesRequest("shop", spans));
  };
  add("ot=th:0", "", false);
  add("ot=th:8", "", false);
  add("vendor=1,ot=rv:ffffffffffffff;th:c", "", false);
  add("vendor=1", "", false);  // not known
  add("", "", false);          // not known
  add("ot=th:zz", "", false);  // not a threshold
  add("ot=th:8", "ot=th:c", true);
  add("", "ot=th:8", true);
  add("", "", true);  // not known
  const Samples samples = Judged(requests);
  EXPECT_EQ(Of(samples, kAll, "good"), 6);
  EXPECT_EQ(Of(samples, kAll, "bad"), 3);
  EXPECT_EQ(Of(samples, kKnown, "good"), 3);
  EXPECT_EQ(Of(samples, kKnown, "bad"), 2);
  EXPECT_EQ(Of(samples, kPopulation, "good"), 1 + 2 + 4);
  EXPECT_EQ(Of(samples, kPopulation, "bad"), 4 + 2);
}

truth::Simulated Shop(std::uint64_t seed) {
  truth::SimulationOptions options;
  options.seed = seed;
  options.duration = std::chrono::seconds(2000);
  for (const truth::Fault fault : truth::AllFaults()) options.faults[fault] = 0.004;
  // Of these there are traces without any tracestate, whose threshold is not known.
  options.faults.erase(truth::Fault::kRepeatedTraceparent);
  options.faults.erase(truth::Fault::kTracestateDropped);
  options.sampling = truth::Sampling::kConsistent;
  return truth::Simulate(options);
}

constexpr std::uint64_t kThreshold = 0xe6666666666666;  // nine tenths of 2^56
constexpr std::uint64_t kRandomness = (std::uint64_t{1} << 56U) - 1;

/// What samplers at the roots keep: the same traffic with the same faults.
std::vector<truth::ModelSpan> TenthOf(const std::vector<truth::ModelSpan>& all) {
  std::vector<truth::ModelSpan> kept;
  for (const truth::ModelSpan& span : all) {
    std::uint64_t low = 0;
    for (const char byte : span.trace_id) low = low << 8U | static_cast<unsigned char>(byte);
    if ((low & kRandomness) < kThreshold) continue;
    kept.push_back(span);
    if (!span.tracestate.empty()) kept.back().tracestate = fmt::format("ot=th:{:x}", kThreshold);
  }
  return kept;
}

Samples JudgedSpans(std::span<const truth::ModelSpan> all) {
  constexpr std::size_t kBatch = 2000;
  std::vector<std::string> requests;
  for (std::size_t at = 0; at < all.size(); at += kBatch) {
    requests.push_back(truth::TracesRequest(all.subspan(at, std::min(kBatch, all.size() - at))));
  }
  return Judged(requests);
}

class PopulationOfASample : public testing::TestWithParam<std::uint64_t> {};

TEST_P(PopulationOfASample, HasTheSliOfTheWhole) {
  const truth::Simulated shop = Shop(GetParam());
  const Samples whole = JudgedSpans(shop.spans);
  const Samples sampled = JudgedSpans(TenthOf(shop.spans));
  RecordProperty("requests_of_the_whole", fmt::format("{}", whole.Sum(kAll, {})));
  RecordProperty("requests_of_the_sample", fmt::format("{}", sampled.Sum(kAll, {})));
  RecordProperty("sli_of_the_whole", fmt::format("{:.4f}", SliOf(whole, kAll)));
  RecordProperty("sli_of_the_population", fmt::format("{:.4f}", SliOf(sampled, kPopulation)));
  ASSERT_GT(Of(whole, kAll, "bad"), 100);
  EXPECT_NEAR(SliOf(sampled, kPopulation), SliOf(whole, kAll), 0.01);
  constexpr double kWeight =
      static_cast<double>(kRandomness + 1) / static_cast<double>(kRandomness + 1 - kThreshold);
  for (const char* result : {"good", "bad", "excluded", "unknown"}) {
    const double known = Of(sampled, kKnown, result);
    EXPECT_EQ(known, Of(sampled, kAll, result)) << result << ": each trace says its threshold";
    EXPECT_NEAR(Of(sampled, kPopulation, result), known * kWeight, 1e-9 * known) << result;
    EXPECT_EQ(Of(whole, kPopulation, result), Of(whole, kAll, result)) << result;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PopulationOfASample, testing::Values(1, 2, 3));

}  // namespace
}  // namespace tracekeeper::analysis
