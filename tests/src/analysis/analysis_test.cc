// The engine at work: requests in, snapshots out, in virtual time.

#include "src/analysis/analysis.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "src/analysis/continuity_metrics.h"
#include "tests/src/analysis/broken_trace.h"
#include "tests/src/analysis/metrics_text.h"
#include "tests/support/eventually.h"
#include "tests/support/manual_clock.h"
#include "tests/truth/simulation.h"
#include "tests/truth/telemetry_model.h"

namespace tracekeeper::analysis {
namespace {

using otlp::Ingress;
using otlp::RefuseReason;
using otlp::Signal;
using test_support::ManualClock;
using truth::ModelSpan;

class AnalysisTest : public testing::Test {
 protected:
  AnalysisOptions Options() {
    return {.shards = 2,
            .memory_bytes = std::size_t{8} << 20U,
            .settle_window = std::chrono::seconds(1),
            .join_window = std::chrono::seconds(1),
            .warm_up = std::chrono::milliseconds(100)};
  }
  std::unique_ptr<Analysis> Make(AnalysisOptions options) {
    auto analysis = std::make_unique<Analysis>(std::move(options), continuity::PolicyRules(),
                                               clock_, Logger(log_));
    return analysis;
  }
  static otlp::Accepted Send(Analysis& analysis, const std::vector<ModelSpan>& spans) {
    return analysis.Accept(Signal::kTraces, Ingress::kGrpc, truth::TracesRequest(spans));
  }
  static Samples SamplesOf(Analysis& analysis) {
    telemetry::Exposition text(telemetry::ExpositionFormat::kOpenMetrics);
    WriteContinuityMetrics(*analysis.TakeSnapshot(), text);
    return ReadSamples(text.Finish());
  }

  ManualClock clock_;
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
};

TEST_F(AnalysisTest, JudgesWhatIsSettledAndShowsTheBreak) {
  const auto analysis = Make(Options());
  analysis->Start();
  ASSERT_TRUE(Send(*analysis, BrokenTrace(1)));
  ASSERT_TRUE(clock_.WaitForWaiters(1));
  EXPECT_EQ(SamplesOf(*analysis).Sum("tracekeeper_units_seen_total", {}), 0);
  ASSERT_TRUE(test_support::Eventually(
      [&] {
        clock_.Advance(std::chrono::milliseconds(500));
        return SamplesOf(*analysis).Sum("tracekeeper_hops_total", {"bad"}) == 1;
      },
      std::chrono::seconds(10)));
  const Samples samples = SamplesOf(*analysis);
  EXPECT_EQ(WhatDoesNotAddUp(samples), "");
  EXPECT_EQ(samples.Sum("tracekeeper_hop_breaks_total",
                        {"policy=\"checkout\"", "policy_namespace=\"shop\"", "server=\"cart\"",
                         "cause=\"orphan_remote_parent\""}),
            1);
  EXPECT_EQ(samples.exemplars.size(), 2U) << "of the hop and of the request";
  EXPECT_EQ(samples.Sum("tracekeeper_spans_received_total", {"grpc"}), 2);
  const auto snapshot = analysis->TakeSnapshot();
  ASSERT_FALSE(snapshot->breaks.empty());
  EXPECT_EQ(snapshot->breaks.front().service, "cart");
  EXPECT_EQ(snapshot->breaks.front().span_name, "GET /cart");
}

TEST_F(AnalysisTest, JudgesWhatIsPendingWhenItDrains) {
  const auto analysis = Make(Options());
  analysis->Start();
  for (std::uint8_t i = 1; i <= 20; ++i) ASSERT_TRUE(Send(*analysis, BrokenTrace(i)));
  analysis->Drain();
  const auto refused = Send(*analysis, BrokenTrace(30));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, RefuseReason::kDraining);
  const Samples samples = SamplesOf(*analysis);
  EXPECT_EQ(samples.Sum("tracekeeper_hops_total", {"bad"}), 20);
  EXPECT_EQ(WhatDoesNotAddUp(samples), "");
  EXPECT_EQ(samples.Sum("tracekeeper_spans_pending", {}), 0);
  EXPECT_TRUE(analysis->TakeSnapshot()->is_draining);
}

TEST_F(AnalysisTest, RefusesWhatIsNoOtlpAndWhatFindsNoRoom) {
  AnalysisOptions options = Options();
  options.queue_bytes = 1000;
  const auto analysis = Make(options);  // not started: nothing is read
  EXPECT_EQ(analysis->Accept(Signal::kTraces, Ingress::kGrpc, "\x0A\x7Fx").error().reason,
            RefuseReason::kMalformed);
  EXPECT_TRUE(analysis->Accept(Signal::kMetrics, Ingress::kGrpc, ""));
  bool was_full = false;
  for (std::uint8_t i = 1; i < 20 && !was_full; ++i) {
    const auto accepted = Send(*analysis, BrokenTrace(i));
    was_full = !accepted && accepted.error().reason == RefuseReason::kQueueFull;
    EXPECT_TRUE(!was_full || accepted.error().retry_after);
  }
  EXPECT_TRUE(was_full);
  analysis->Start();
  const Samples samples = SamplesOf(*analysis);
  EXPECT_EQ(samples.Sum("tracekeeper_requests_refused_total", {"queue_full"}), 1);
  EXPECT_EQ(samples.Sum("tracekeeper_requests_refused_total", {"malformed"}), 1);
}

TEST_F(AnalysisTest, UsesNewRulesAndWhatIsLearnedWhileItRuns) {
  AnalysisOptions options = Options();
  options.learning_interval = std::chrono::seconds(5);
  options.repair_window = std::chrono::minutes(2);
  const auto analysis = Make(options);
  analysis->Start();
  ASSERT_TRUE(Send(*analysis, BrokenTrace(1)));
  analysis->UseRules(continuity::Rules{.entrypoints = {{"cart"}}});
  ASSERT_TRUE(test_support::Eventually(
      [&] {
        clock_.Advance(std::chrono::seconds(1));
        return analysis->TakeSnapshot()->epochs > 3;
      },
      std::chrono::seconds(10)));
  ASSERT_TRUE(Send(*analysis, BrokenTrace(2)));
  analysis->Drain();
  const Samples samples = SamplesOf(*analysis);
  EXPECT_EQ(samples.Sum("tracekeeper_hops_total", {"server=\"cart\"", "excluded"}), 2)
      << "a foreign parent at an entry point";
}

TEST_F(AnalysisTest, KnowsThePolicyOfASpanByItsPod) {
  const auto analysis = Make(Options());
  analysis->Start();
  auto pods = std::make_shared<continuity::PodPolicies>();
  pods->Add({.uid = "u1", .namespace_name = "shop", .name = "cart-0"}, "shop/all");
  analysis->UsePods(pods);
  std::vector<ModelSpan> spans = BrokenTrace(1);
  for (ModelSpan& span : spans) {
    std::erase_if(span.resource,
                  [](const auto& said) { return said.first == "tracekeeper.policy"; });
    span.resource.emplace_back("k8s.pod.uid", "u1");
  }
  ASSERT_TRUE(Send(*analysis, spans));
  analysis->Drain();
  EXPECT_EQ(SamplesOf(*analysis).Sum("tracekeeper_hops_total", {"policy=\"all\"", "bad"}), 1);
}

TEST_F(AnalysisTest, AddsUpAtEveryScrapeWhileManySend) {
  truth::SimulationOptions simulation;
  for (const truth::Fault fault : truth::AllFaults()) simulation.faults[fault] = 0.02;
  simulation.duration = std::chrono::seconds(20);
  const truth::Simulated simulated = truth::Simulate(simulation);
  const auto analysis = Make(Options());
  analysis->Start();
  std::atomic<bool> is_over = false;
  std::jthread scraper([&] {
    while (!is_over) EXPECT_EQ(WhatDoesNotAddUp(SamplesOf(*analysis)), "");
  });
  constexpr std::size_t kThreads = 3;
  {
    std::vector<std::jthread> senders;
    senders.reserve(kThreads);
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
      senders.emplace_back([&, thread] {
        constexpr std::size_t kBatch = 50;
        const auto all = std::span(simulated.spans);
        for (std::size_t at = thread * kBatch; at < all.size(); at += kThreads * kBatch) {
          const auto batch = all.subspan(at, std::min(kBatch, all.size() - at));
          ASSERT_TRUE(
              analysis->Accept(Signal::kTraces, Ingress::kGrpc, truth::TracesRequest(batch)));
          clock_.Advance(std::chrono::milliseconds(20));
        }
      });
    }
  }
  ASSERT_TRUE(
      analysis->Accept(Signal::kLogs, Ingress::kHttpJson, truth::LogsRequest(simulated.logs)));
  analysis->Drain();
  is_over = true;
  scraper.join();
  const Samples samples = SamplesOf(*analysis);
  EXPECT_EQ(WhatDoesNotAddUp(samples), "");
  EXPECT_EQ(samples.Sum("tracekeeper_spans_received_total", {}),
            static_cast<double>(simulated.spans.size()));
  EXPECT_EQ(samples.Sum("tracekeeper_logs_received_total", {"http/json"}),
            static_cast<double>(simulated.logs.size()));
  EXPECT_GT(samples.Sum("tracekeeper_hops_total", {"bad"}), 0);
  EXPECT_EQ(samples.Sum("tracekeeper_spans_pending", {}), 0);
}

}  // namespace
}  // namespace tracekeeper::analysis
