// Ten times more spans than the real program has room for: some requests are pushed back with a
// time to come again, whole traces are shed, what is counted adds up, and no more memory is ever
// resident than 1.05 times the sum that docs/reference/analyzer.md states.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/analyzer/analyzer_load.h"
#include "tests/analyzer/analyzer_process.h"
#include "tests/src/analysis/bad_telemetry.h"
#include "tests/support/otlp_requests.h"

namespace tracekeeper::analyzer {
namespace {

using analysis::Samples;

constexpr std::size_t kMemoryMiB = 64;
constexpr std::size_t kQueueMiB = 16;
constexpr std::size_t kSpansOfATrace = 4;
constexpr std::size_t kTracesOfARequest = 1000;
/// At 48 bytes a span that is pending.
constexpr std::size_t kRequests =
    10 * (kMemoryMiB << 20U) / 48 / kSpansOfATrace / kTracesOfARequest;

/// Whether all spans say that they started at one moment, as of a peer in bad faith, or as they
/// come.
class OverloadOfSpans : public testing::TestWithParam<bool> {};

TEST_P(OverloadOfSpans, IsShedByWholeTracesWithinTheMemory) {
  AnalyzerProcess analyzer({fmt::format("--memory-mib={}", kMemoryMiB),
                            fmt::format("--queue-mib={}", kQueueMiB), "--shards=2"},
                           "5");
  const double fresh = MostResidentMiB(analyzer);
  const auto now =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                     std::chrono::system_clock::now().time_since_epoch())
                                     .count());
  const Answers answers =
      SendAll(analyzer, kRequests, PushedBack::kIsSentAgain, [now](std::size_t request) {
        std::vector<truth::ModelSpan> spans;
        for (std::size_t i = 0; i < kTracesOfARequest; ++i) {
          const std::uint64_t trace = request * kTracesOfARequest + i + 1;
          const std::uint64_t start = now + (GetParam() ? 0 : trace * 10'000);
          const auto made = analysis::ChainOf({.trace = trace << 20U,
                                               .spans = kSpansOfATrace,
                                               .start = start,
                                               .end = start + 1'000'000});
          spans.insert(spans.end(), made.begin(), made.end());
        }
        return truth::TracesRequest(spans);
      });
  EXPECT_EQ(answers.taken, kRequests);
  EXPECT_EQ(answers.other, 0U);
  const Samples samples = ScrapeWhenJudged(analyzer);
  constexpr double kTraces = static_cast<double>(kRequests * kTracesOfARequest);
  EXPECT_EQ(samples.Sum("tracekeeper_spans_received_total", {}), kTraces * kSpansOfATrace);
  const auto requests = [&](const char* result) {
    return samples.Sum("tracekeeper_requests_total",
                       {fmt::format("result=\"{}\"", result), "entry=\"deep\""});
  };
  EXPECT_EQ(requests("good") + requests("unknown"), kTraces);
  EXPECT_GT(requests("unknown"), 0);
  EXPECT_EQ(samples.Sum("tracekeeper_requests_refused_total", {"queue_full"}),
            static_cast<double>(answers.pushed_back));
  EXPECT_LE(samples.Sum("tracekeeper_span_table_bytes", {}),
            samples.Sum("tracekeeper_span_table_budget_bytes", {}));
  const double most = MostResidentMiB(analyzer);
  RecordProperty("most_mib", fmt::format("{:.1f}", most));
  EXPECT_LE(most, 1.05 * (fresh + 1.25 * kMemoryMiB + 3 * kQueueMiB)) << "fresh " << fresh;
}

TEST(Overload, AMillionNamesOfServices) {
  AnalyzerProcess analyzer({fmt::format("--memory-mib={}", kMemoryMiB),
                            fmt::format("--queue-mib={}", kQueueMiB), "--shards=2"});
  const double fresh = MostResidentMiB(analyzer);
  constexpr std::size_t kNames = 1'000'000;
  constexpr std::size_t kOfARequest = 1000;
  constexpr std::size_t kNameRequests = kNames / kOfARequest;
  const auto make = [](std::size_t request) {
    std::string text;
    for (std::size_t i = 0; i < kOfARequest; ++i) {
      const std::uint64_t number = request * kOfARequest + i + 1;
      text += test_support::TracesRequest(fmt::format("service-of-somebody-{}", number),
                                          {{.trace_id = test_support::IdOf(number << 20U, 16),
                                            .span_id = test_support::IdOf(number, 8)}});
    }
    return text;
  };
  const Answers answers = SendAll(analyzer, kNameRequests, PushedBack::kIsSentAgain, make);
  EXPECT_EQ(answers.taken, kNameRequests);
  const Samples samples = ScrapeWhenJudged(analyzer);
  EXPECT_EQ(samples.Sum("tracekeeper_spans_received_total", {}), kNames);
  EXPECT_EQ(samples.Sum("tracekeeper_requests_total", {}), kNames);
  EXPECT_LT(samples.values.size(), 200'000U) << "what a scraper is given";
  constexpr double kCounters = 2 * 44;
  constexpr double kShown = 48;
  EXPECT_LE(MostResidentMiB(analyzer),
            1.05 * (fresh + 1.75 * kMemoryMiB + kCounters + kShown + 3 * kQueueMiB))
      << "fresh " << fresh;
}

INSTANTIATE_TEST_SUITE_P(Times, OverloadOfSpans, testing::Bool(), [](const auto& test) {
  return test.param ? "AllOfOneMoment" : "AsTheyCome";
});

}  // namespace
}  // namespace tracekeeper::analyzer
