// The whole way, from requests on the wire to a scrape, says net of repairs what the batch engine
// says of the same telemetry: nothing is lost between the parts, and what is learned is the same
// where the stream's sample is all there is.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <span>
#include <string>

#include "src/continuity/batch_analysis.h"
#include "tests/analyzer/analyzer_process.h"
#include "tests/support/eventually.h"
#include "tests/truth/simulation.h"

namespace tracekeeper::analyzer {
namespace {

using analysis::Samples;
using continuity::Family;
using continuity::Outcome;

/// "hop bad": how many.
using Totals = std::map<std::string, double>;

class TotalsSink final : public continuity::VerdictSink {
 public:
  void OnSeen(Family, std::uint64_t) override {}
  void OnTrace(const continuity::TraceTree&, const continuity::JudgedTrace& trace) override {
    for (const continuity::Unit& unit : trace.units) Count(unit.family, unit.verdict);
  }
  void OnInvalidSpan(const continuity::InvalidSpan&) override {
    Count(Family::kInProcess, continuity::Verdict::Bad(continuity::Cause::kInvalidId));
  }
  void OnLog(const continuity::ReadLog&, continuity::Verdict verdict) override {
    Count(Family::kLog, verdict);
  }
  Totals totals;

 private:
  void Count(Family family, continuity::Verdict verdict) {
    ++totals[fmt::format("{} {}", NameOf(family), NameOf(verdict.outcome))];
  }
};

/// It learns from the whole, but for the settle window, which is given.
Totals OfTheBatchEngine(const truth::Simulated& simulated, continuity::Microseconds settle_window) {
  continuity::Recording recording;
  EXPECT_TRUE(recording.AddTraces(truth::TracesRequest(simulated.spans)));
  EXPECT_TRUE(recording.AddLogs(truth::LogsRequest(simulated.logs)));
  const continuity::Rules rules;
  TotalsSink unused;
  continuity::BatchAnalysis learning(recording, rules, {});
  learning.Run(unused);
  continuity::Profile profile = learning.profile();
  profile.settle_window = settle_window;
  TotalsSink sink;
  continuity::BatchAnalysis(recording, rules, {}).Run(sink, profile);
  return sink.totals;
}

Totals NetOf(const Samples& samples) {
  struct Names {
    const char* family;
    const char* total;
    const char* repaired;
  };
  constexpr Names kNames[] = {
      {"hop", "tracekeeper_hops_total", "tracekeeper_hop_verdicts_repaired_total"},
      {"request", "tracekeeper_requests_total", "tracekeeper_request_verdicts_repaired_total"},
      {"in_process", "tracekeeper_in_process_total",
       "tracekeeper_in_process_verdicts_repaired_total"},
      {"logs", "tracekeeper_logs_total", "tracekeeper_log_verdicts_repaired_total"}};
  Totals totals;
  for (const Names& names : kNames) {
    for (const char* result : {"good", "bad", "excluded", "unknown"}) {
      const auto label = [result](const char* name) {
        return fmt::format("{}=\"{}\"", name, result);
      };
      const double net = samples.Sum(names.total, {label("result")}) +
                         samples.Sum(names.repaired, {label("to")}) -
                         samples.Sum(names.repaired, {label("from")});
      if (net != 0) totals[fmt::format("{} {}", names.family, result)] = net;
    }
  }
  return totals;
}

TEST(AnalyzerTruth, TheWholeWaySaysWhatTheBatchEngineSays) {
  truth::SimulationOptions options;
  for (const truth::Fault fault : truth::AllFaults()) options.faults[fault] = 0.02;
  // The two forms of an id are judged as one trace, and teach nothing to a stream.
  options.faults.erase(truth::Fault::kTruncatedId);
  options.duration = std::chrono::seconds(30);
  const truth::Simulated simulated = truth::Simulate(options);
  AnalyzerProcess analyzer({"--shards=3", "--learning-seconds=3600"}, "2", "3");
  const net::Headers protobuf = {{"Content-Type", "application/x-protobuf"}};
  constexpr std::size_t kBatch = 500;
  const auto spans = std::span(simulated.spans);
  for (std::size_t at = 0; at < spans.size(); at += kBatch) {
    const std::string request =
        truth::TracesRequest(spans.subspan(at, std::min(kBatch, spans.size() - at)));
    if (at / kBatch % 2 == 0) {
      ASSERT_EQ(analyzer.Send("/v1/traces", protobuf, request).status, 200);
    } else {
      ASSERT_TRUE(analyzer.SendOverGrpc(request));
    }
  }
  ASSERT_EQ(analyzer.Send("/v1/logs", protobuf, truth::LogsRequest(simulated.logs)).status, 200);

  const Totals wanted = OfTheBatchEngine(simulated, 2'000'000);
  ASSERT_GT(wanted.at("hop bad"), 10);
  Samples samples;
  test_support::Eventually(
      [&] {
        samples = analyzer.Scrape();
        EXPECT_EQ(analysis::WhatDoesNotAddUp(samples), "");
        return NetOf(samples) == wanted;
      },
      std::chrono::seconds(15));
  EXPECT_EQ(NetOf(samples), wanted);
  EXPECT_EQ(samples.Sum("tracekeeper_spans_received_total", {}),
            static_cast<double>(simulated.spans.size()));
}

}  // namespace
}  // namespace tracekeeper::analyzer
