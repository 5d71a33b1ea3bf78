#include "src/telemetry/prometheus_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace tracekeeper::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(PrometheusMetrics, WritesPrometheusText) {
  PrometheusMetrics metrics;
  metrics.MakeCounter("tracekeeper_injections_total", "Pods seen.", {{"result", "injected"}})
      .Increment(2);
  metrics.MakeGauge("tracekeeper_policies", "Policies.", {}).Set(3);
  Histogram& seconds =
      metrics.MakeHistogram("tracekeeper_admission_seconds", "Time.", {}, {0.1, 1});
  seconds.Observe(0.05);
  seconds.Observe(0.5);
  const std::string text = metrics.Text();
  for (const char* line : {
           "# HELP tracekeeper_injections_total Pods seen.\n",
           "# TYPE tracekeeper_injections_total counter\n",
           "tracekeeper_injections_total{result=\"injected\"} 2\n",
           "# TYPE tracekeeper_policies gauge\n",
           "tracekeeper_policies 3\n",
           "# TYPE tracekeeper_admission_seconds histogram\n",
           "tracekeeper_admission_seconds_bucket{le=\"0.1\"} 1\n",
           "tracekeeper_admission_seconds_bucket{le=\"1\"} 2\n",
           "tracekeeper_admission_seconds_bucket{le=\"+Inf\"} 2\n",
           "tracekeeper_admission_seconds_count 2\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(PrometheusMetrics, AChildIsThereAtZeroAndIsMadeOnce) {
  PrometheusMetrics metrics;
  Counter& first = metrics.MakeCounter("errors_total", "Errors.", {{"a", "1"}, {"b", "2"}});
  EXPECT_THAT(metrics.Text(), HasSubstr("errors_total{a=\"1\",b=\"2\"} 0"));
  Counter& second = metrics.MakeCounter("errors_total", "Errors.", {{"b", "2"}, {"a", "1"}});
  EXPECT_EQ(&first, &second) << "the order of labels says nothing";
  EXPECT_NE(&first, &metrics.MakeCounter("errors_total", "Errors.", {{"a", "9"}, {"b", "2"}}));
}

TEST(PrometheusMetrics, ARemovedChildIsGoneAndMayComeBackAtZero) {
  PrometheusMetrics metrics;
  metrics.MakeGauge("pods", "Pods.", {{"policy", "shop/a"}}).Set(7);
  metrics.MakeGauge("pods", "Pods.", {{"policy", "shop/b"}}).Set(8);
  metrics.Remove("pods", {{"policy", "shop/a"}});
  metrics.Remove("pods", {{"policy", "unknown"}});
  metrics.Remove("unknown", {});
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("shop/a")));
  EXPECT_THAT(metrics.Text(), HasSubstr("pods{policy=\"shop/b\"} 8"));
  metrics.MakeGauge("pods", "Pods.", {{"policy", "shop/a"}});
  EXPECT_THAT(metrics.Text(), HasSubstr("pods{policy=\"shop/a\"} 0"));
}

TEST(PrometheusMetrics, LabelValuesAreEscaped) {
  PrometheusMetrics metrics;
  metrics.MakeCounter("c_total", "C.", {{"text", "a\"b\\c\nd"}});
  EXPECT_THAT(metrics.Text(), HasSubstr(R"(c_total{text="a\"b\\c\nd"} 0)"));
}

TEST(PrometheusMetrics, RefreshesBeforeEachText) {
  PrometheusMetrics metrics;
  Gauge& gauge = metrics.MakeGauge("depth", "Depth.", {});
  int reads = 0;
  metrics.BeforeText([&] { gauge.Set(++reads); });
  EXPECT_THAT(metrics.Text(), HasSubstr("depth 1"));
  EXPECT_THAT(metrics.Text(), HasSubstr("depth 2"));
}

TEST(PrometheusMetrics, CountsFromManyThreads) {
  PrometheusMetrics metrics;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&metrics] {
        Counter& counter = metrics.MakeCounter("c_total", "C.", {});
        for (int n = 0; n < 10000; ++n) counter.Increment();
      });
    }
    for (int i = 0; i < 20; ++i) (void)metrics.Text();
  }
  EXPECT_THAT(metrics.Text(), HasSubstr("c_total 40000"));
}

}  // namespace
}  // namespace tracekeeper::telemetry
