#include "src/telemetry/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/telemetry/prometheus_metrics.h"

namespace tracekeeper::telemetry {
namespace {

std::string Written(ExpositionFormat format) {
  Exposition text(format);
  text.Family(MetricType::kCounter, "hops_total", "Hops, \"judged\".\nAll \\ of them.");
  text.Sample({{"client", "a\"b\\c\nd"}, {"server", "ü"}}, 3,
              Exemplar{.labels = "trace_id=\"01\"", .seconds = 1.5});
  text.Sample({{"client", ""}}, 1e17);
  text.Family(MetricType::kGauge, "bytes", "Bytes.");
  text.Sample({}, 0.25);
  return text.Finish();
}

TEST(Exposition, WritesPrometheusTextWithoutExemplars) {
  EXPECT_EQ(Written(ExpositionFormat::kPrometheus),
            "# HELP hops_total Hops, \"judged\".\\nAll \\\\ of them.\n"
            "# TYPE hops_total counter\n"
            "hops_total{client=\"a\\\"b\\\\c\\nd\",server=\"ü\"} 3\n"
            "hops_total{client=\"\"} 1e+17\n"
            "# HELP bytes Bytes.\n"
            "# TYPE bytes gauge\n"
            "bytes 0.25\n");
}

TEST(Exposition, WritesOpenMetricsWithExemplarsAndAnEnd) {
  EXPECT_EQ(Written(ExpositionFormat::kOpenMetrics),
            "# HELP hops Hops, \\\"judged\\\".\\nAll \\\\ of them.\n"
            "# TYPE hops counter\n"
            "hops_total{client=\"a\\\"b\\\\c\\nd\",server=\"ü\"} 3 # {trace_id=\"01\"} 1 1.500000\n"
            "hops_total{client=\"\"} 1e+17\n"
            "# HELP bytes Bytes.\n"
            "# TYPE bytes gauge\n"
            "bytes 0.25\n"
            "# EOF\n");
}

struct AcceptCase {
  const char* name;
  const char* accept;
  ExpositionFormat format;
};
constexpr AcceptCase kAccepts[] = {
    {"Nothing", "", ExpositionFormat::kPrometheus},
    {"Anything", "*/*", ExpositionFormat::kPrometheus},
    {"OpenMetrics", "application/openmetrics-text", ExpositionFormat::kOpenMetrics},
    {"AsPrometheusAsks",
     "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;"
     "q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
     ExpositionFormat::kOpenMetrics},
    {"RatherPlain", "application/openmetrics-text; q=0.2, text/plain; q=0.9",
     ExpositionFormat::kPrometheus},
    {"NoOpenMetrics", "application/openmetrics-text;q=0", ExpositionFormat::kPrometheus},
};

class Accepting : public testing::TestWithParam<AcceptCase> {};
TEST_P(Accepting, GivesWhatIsAskedFor) {
  EXPECT_EQ(FormatFor(GetParam().accept), GetParam().format);
}
INSTANTIATE_TEST_SUITE_P(Headers, Accepting, testing::ValuesIn(kAccepts),
                         [](const auto& tested) { return tested.param.name; });

TEST(Exposition, HoldsARegistryToo) {
  PrometheusMetrics metrics;
  metrics.MakeCounter("c_total", "C.", {{"a", "1"}}).Increment(2);
  metrics.MakeGauge("g", "G.", {}).Set(0.5);
  metrics.MakeHistogram("h", "H.", {{"b", "2"}}, {0.1, 1}).Observe(0.5);
  Exposition text(ExpositionFormat::kOpenMetrics);
  metrics.WriteTo(text);
  const std::string written = text.Finish();
  for (const char* part :
       {"# TYPE c counter\nc_total{a=\"1\"} 2\n", "# TYPE g gauge\ng 0.5\n",
        "# TYPE h histogram\nh_bucket{b=\"2\",le=\"0.1\"} 0\nh_bucket{b=\"2\",le=\"1\"} 1\n"
        "h_bucket{b=\"2\",le=\"+Inf\"} 1\nh_sum{b=\"2\"} 0.5\nh_count{b=\"2\"} 1\n"}) {
    EXPECT_THAT(written, testing::HasSubstr(part));
  }
}

}  // namespace
}  // namespace tracekeeper::telemetry
