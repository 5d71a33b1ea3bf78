// What peers send by fault or in bad faith. However bad it is: it is answered as OTLP asks, memory
// stays inside the budget, all that was counted adds up, and what is sent beside it is judged as
// ever.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "src/analysis/analysis.h"
#include "src/analysis/continuity_metrics.h"
#include "tests/src/analysis/bad_telemetry.h"
#include "tests/src/analysis/broken_trace.h"
#include "tests/src/analysis/metrics_text.h"
#include "tests/support/manual_clock.h"
#include "tests/support/otlp_requests.h"
#include "tests/truth/telemetry_model.h"

namespace tracekeeper::analysis {
namespace {

using otlp::Ingress;
using otlp::RefuseReason;
using otlp::Signal;
using test_support::ManualClock;

class BadInputTest : public testing::Test {
 protected:
  explicit BadInputTest(std::size_t budget = std::size_t{8} << 20U, std::size_t shards = 2)
      : budget_(budget) {
    AnalysisOptions options;
    options.shards = shards;
    options.memory_bytes = budget;
    options.settle_window = std::chrono::seconds(1);
    options.join_window = std::chrono::seconds(1);
    options.warm_up = std::chrono::milliseconds(100);
    analysis_ = std::make_unique<Analysis>(std::move(options), continuity::PolicyRules(), clock_,
                                           Logger(log_));
    analysis_->Start();
  }

  otlp::Accepted Send(const std::string& request) {
    return analysis_->Accept(Signal::kTraces, Ingress::kGrpc, request);
  }
  otlp::Accepted Send(const std::vector<truth::ModelSpan>& spans) {
    return Send(truth::TracesRequest(spans));
  }
  /// The request that came is read, and then time passes.
  std::shared_ptr<const Snapshot> Pass(Duration duration) {
    // The first question may be answered before a request that came with it, the next one is not.
    for (int asked = 0; asked < 2; ++asked) EXPECT_FALSE(analysis_->LookAt({}));
    clock_.Advance(duration);
    std::shared_ptr<const Snapshot> snapshot;
    do {
      snapshot = analysis_->TakeSnapshot();
    } while (snapshot->taken < clock_.Now());
    return snapshot;
  }
  static Samples SamplesOf(const Snapshot& snapshot) {
    telemetry::Exposition text(telemetry::ExpositionFormat::kOpenMetrics);
    WriteContinuityMetrics(snapshot, text);
    return ReadSamples(text.Finish());
  }
  /// What must hold of all input.
  Samples Checked(const Snapshot& snapshot) {
    Samples samples = SamplesOf(snapshot);
    EXPECT_EQ(WhatDoesNotAddUp(samples), "");
    std::uint64_t bytes = 0;
    for (const ShardState& shard : snapshot.shards) bytes += shard.table_bytes;
    EXPECT_LE(bytes, budget_);
    return samples;
  }
  /// Of the end, with a trace beside that is judged as ever; the last of so many.
  Samples AtTheEnd(double traces_beside = 1) {
    EXPECT_TRUE(Send(BrokenTrace(kBeside)));
    analysis_->Drain();
    const auto snapshot = analysis_->TakeSnapshot();
    Samples samples = Checked(*snapshot);
    EXPECT_EQ(samples.Sum("tracekeeper_hop_breaks_total",
                          {"policy=\"checkout\"", "server=\"cart\"", "orphan_remote_parent"}),
              traces_beside);
    EXPECT_EQ(samples.Sum("tracekeeper_spans_pending", {}), 0);
    return samples;
  }

  static constexpr std::uint8_t kBeside = 200;
  const std::size_t budget_;
  ManualClock clock_;
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  std::unique_ptr<Analysis> analysis_;
};

// --- Bytes that are no request -------------------------------------------------------------------

TEST_F(BadInputTest, ARequestThatIsCutOffAnywhereIsRefusedOrIsAWholeOne) {
  const std::string whole = truth::TracesRequest(BrokenTrace(1));
  std::size_t refused = 0;
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    const auto accepted = Send(whole.substr(0, bytes));
    if (accepted) continue;
    ++refused;
    EXPECT_EQ(accepted.error().reason, RefuseReason::kMalformed) << bytes;
    EXPECT_FALSE(accepted.error().retry_after) << "is as bad when it comes again";
    EXPECT_FALSE(accepted.error().sentence.empty());
  }
  // Cut between two resources it is a request of the first, and of none at all an empty one.
  EXPECT_EQ(refused, whole.size() - 2);
  const Samples samples = AtTheEnd();
  EXPECT_EQ(samples.Sum("tracekeeper_requests_refused_total", {"malformed"}),
            static_cast<double>(refused));
  EXPECT_EQ(samples.Sum("tracekeeper_spans_received_total", {}), 1 + 2);
}

TEST_F(BadInputTest, LengthsThatLieAreRefused) {
  for (const auto& [name, request] : LyingLengths()) {
    const auto accepted = Send(request);
    ASSERT_FALSE(accepted) << name;
    EXPECT_EQ(accepted.error().reason, RefuseReason::kMalformed) << name;
  }
  EXPECT_EQ(AtTheEnd().Sum("tracekeeper_spans_received_total", {}), 2);
}

TEST_F(BadInputTest, ValuesNestedBeyondAllMeasureCostNoMoreThanTheirBytes) {
  // Whether such a request is taken is for who reads that attribute to say; nobody does.
  for (const std::size_t depth : {50U, 99U, 100U, 101U, 10'000U, 100'000U}) {
    const auto accepted = Send(NestedAttribute(depth));
    EXPECT_TRUE(accepted || accepted.error().reason == RefuseReason::kMalformed) << depth;
  }
  AtTheEnd();
}

// --- Spans that say what cannot be ---------------------------------------------------------------

TEST_F(BadInputTest, ASpanOfInvalidIdsIsOneBadUnitAndOfNoTrace) {
  const std::vector<truth::ModelSpan> spans = SpansOfInvalidIds();
  ASSERT_TRUE(Send(spans));
  ASSERT_TRUE(Send(spans)) << "again, as after a lost answer";
  const Samples samples = AtTheEnd();
  EXPECT_EQ(samples.Sum("tracekeeper_in_process_breaks_total", {"invalid_id"}),
            static_cast<double>(spans.size()));
  EXPECT_EQ(samples.Sum("tracekeeper_units_seen_total", {"policy=\"\""}),
            static_cast<double>(spans.size()));
}

struct OddTimes {
  const char* name;
  std::uint64_t start;
  std::uint64_t end;
  bool is_finished;
};
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kIn2200 = 7'258'118'400 * kSecond;
constexpr OddTimes kOddTimes[] = {
    {"ends before it starts", 1'700'000'000 * kSecond, 1'600'000'000 * kSecond, false},
    {"never ended", 1'700'000'000 * kSecond, 0, false},
    {"of 1970", 1, kSecond, true},
    {"without times", 0, 0, false},
    {"of 2200", kIn2200, kIn2200 + kSecond, true},
    {"from 1970 to 2200", 1, kIn2200, true},
    {"at the end of time", UINT64_MAX, UINT64_MAX, true},
    {"from the start to the end of time", 0, UINT64_MAX, true},
};

TEST_F(BadInputTest, SpansOfAnyTimeAreJudgedByTheirPlace) {
  std::uint64_t number = 0;
  double unfinished = 0;
  for (const OddTimes& odd : kOddTimes) {
    ASSERT_TRUE(Send(ChainOf({.trace = ++number, .spans = 3, .start = odd.start, .end = odd.end})));
    if (!odd.is_finished) unfinished += 3;
  }
  Pass(std::chrono::seconds(5));
  const Samples samples = AtTheEnd();
  EXPECT_EQ(samples.Sum("tracekeeper_requests_total", {"entry=\"deep\"", "good"}),
            static_cast<double>(number));
  EXPECT_EQ(samples.Sum("tracekeeper_in_process_total", {"service=\"deep\"", "good"}),
            static_cast<double>(2 * number));
  double found = 0;
  for (const ServiceCause& finding : analysis_->TakeSnapshot()->findings) {
    if (finding.cause == continuity::Cause::kUnfinished)
      found += static_cast<double>(finding.count);
  }
  EXPECT_EQ(found, unfinished);
}

TEST_F(BadInputTest, OneTraceOfTwoCenturiesIsBrokenAndTheOthersAreNot) {
  auto spans = ChainOf({.trace = 1, .spans = 2, .start = kSecond, .end = 2 * kSecond});
  spans[1].start_nanoseconds = kIn2200;
  spans[1].end_nanoseconds = kIn2200 + 1;
  ASSERT_TRUE(Send(spans));
  EXPECT_EQ(AtTheEnd().Sum("tracekeeper_request_breaks_total",
                           {"entry=\"deep\"", "cause=\"mixed_traces\""}),
            1);
}

// --- Too much of one thing -----------------------------------------------------------------------

TEST_F(BadInputTest, ATraceOfTenThousandSpansIsJudgedDeepAndWide) {
  constexpr std::uint64_t kSpans = 10'000;
  ASSERT_TRUE(Send(ChainOf({.trace = 1, .spans = kSpans})));
  ASSERT_TRUE(Send(ChainOf({.trace = 2, .spans = kSpans, .is_wide = true})));
  const Samples samples = AtTheEnd();
  EXPECT_EQ(samples.Sum("tracekeeper_requests_total", {"entry=\"deep\"", "good"}), 2);
  EXPECT_EQ(samples.Sum("tracekeeper_in_process_total", {"service=\"deep\"", "good"}),
            static_cast<double>(2 * (kSpans - 1)));
}

/// One shard has no thread of its own, so that what it learned when does not depend on luck.
class LongTraceTest : public BadInputTest {
 protected:
  LongTraceTest() : BadInputTest(std::size_t{8} << 20U, 1) {}
};

TEST_F(LongTraceTest, OfTenHoursIsJudgedByWhatCameWhileItWasRemembered) {
  // A span every five minutes, each sent when it ends: the root last.
  constexpr std::uint64_t kSpans = 120;
  auto spans = ChainOf({.trace = 1, .spans = kSpans, .is_wide = true});
  for (std::uint64_t i = 1; i < kSpans; ++i) {
    spans[i].start_nanoseconds += i * 300 * kSecond;
    spans[i].end_nanoseconds = spans[i].start_nanoseconds + kSecond;
  }
  spans[0].end_nanoseconds += 36'000 * kSecond;
  for (std::uint64_t i = 1; i < kSpans; ++i) {
    ASSERT_TRUE(Send({spans[i]}));
    Checked(*Pass(std::chrono::seconds(300)));
  }
  ASSERT_TRUE(Send({spans[0]}));
  Pass(std::chrono::seconds(300));
  const Samples samples = AtTheEnd();
  // Each is counted as an orphan until its root comes; then all that is remembered is repaired.
  EXPECT_EQ(samples.Sum("tracekeeper_in_process_total", {"service=\"deep\""}),
            static_cast<double>(kSpans - 1));
  EXPECT_EQ(samples.Sum("tracekeeper_in_process_verdicts_repaired_total",
                        {"service=\"deep\"", "to=\"good\""}),
            static_cast<double>(kSpans - 1));
  EXPECT_EQ(samples.Sum("tracekeeper_requests_total", {"entry=\"deep\""}), 1);
}

TEST_F(BadInputTest, ServicesWithoutNumberAreCountedAndShownAsOther) {
  constexpr std::uint64_t kServices = 40'000;
  constexpr std::uint64_t kOfARequest = 1000;
  ASSERT_TRUE(Send(BrokenTrace(1)));  // who has a place keeps it
  for (std::uint64_t first = 0; first < kServices; first += kOfARequest) {
    std::string request;
    for (std::uint64_t i = first; i < first + kOfARequest; ++i) {
      request += test_support::TracesRequest(fmt::format("service-{}", i),
                                             {{.trace_id = test_support::IdOf(i << 20U | 1U, 16)}});
    }
    ASSERT_TRUE(Send(request));
  }
  const Samples samples = AtTheEnd(2);
  EXPECT_EQ(samples.Sum("tracekeeper_requests_total", {}), static_cast<double>(kServices + 2));
  EXPECT_GT(samples.Sum("tracekeeper_requests_total", {"entry=\"other\""}), kServices / 2);
  EXPECT_LT(samples.values.size(), 100'000U);
}

class OverloadTest : public BadInputTest {
 protected:
  static constexpr std::size_t kBudget = std::size_t{1} << 20U;
  OverloadTest() : BadInputTest(kBudget) {}
};

TEST_F(OverloadTest, TenTimesMoreThanThereIsRoomForIsShedAndAddsUp) {
  constexpr std::uint64_t kTraces = 10 * kBudget / 48 / 3;
  constexpr std::uint64_t kOfARequest = 2000;
  // All roots first, so that each trace is open when its other spans come.
  for (const std::size_t span : {0, 1, 2}) {
    for (std::uint64_t first = 0; first < kTraces; first += kOfARequest) {
      std::vector<truth::ModelSpan> spans;
      for (std::uint64_t i = first; i < std::min(first + kOfARequest, kTraces); ++i) {
        spans.push_back(ChainOf({.trace = i << 20U | 1U, .spans = 3})[span]);
      }
      ASSERT_TRUE(Send(spans));
    }
    Checked(*Pass(std::chrono::milliseconds(100)));
  }
  // It takes all again step by step.
  for (int i = 0; i < 30; ++i) Checked(*Pass(std::chrono::seconds(2)));
  const Samples samples = AtTheEnd();
  const auto requests = [&](const char* result) {
    return samples.Sum("tracekeeper_requests_total", {"entry=\"deep\"", result});
  };
  EXPECT_EQ(requests("good") + requests("unknown"), static_cast<double>(kTraces));
  EXPECT_GT(requests("unknown"), kTraces / 2);
  EXPECT_GT(requests("good"), 0);
  EXPECT_EQ(samples.Sum("tracekeeper_in_process_total", {"service=\"deep\""}), 2.0 * kTraces);
}

TEST_F(BadInputTest, OneTraceparentForEveryRequestIsOneBrokenTrace) {
  constexpr std::uint64_t kBursts = 30;
  constexpr std::uint64_t kRequestsInBurst = 100;
  for (std::uint64_t burst = 0; burst < kBursts; ++burst) {
    ASSERT_TRUE(Send(RequestsOfOneTraceparent(burst * kRequestsInBurst, kRequestsInBurst)));
    Checked(*Pass(std::chrono::seconds(3)));
  }
  const Samples samples = AtTheEnd();
  constexpr double kRequests = kBursts * kRequestsInBurst;
  EXPECT_EQ(samples.Sum("tracekeeper_hops_total", {"server=\"front\""}), kRequests);
  EXPECT_EQ(samples.Sum("tracekeeper_requests_total", {"entry=\"front\""}), 1);
  EXPECT_EQ(samples.Sum("tracekeeper_request_verdicts_repaired_total", {"to=\"bad\""}) +
                samples.Sum("tracekeeper_request_breaks_total", {"mixed_traces"}),
            1);
}

}  // namespace
}  // namespace tracekeeper::analysis
