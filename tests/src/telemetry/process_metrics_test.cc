#include "src/telemetry/process_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "src/telemetry/prometheus_metrics.h"

namespace tracekeeper::telemetry {
namespace {

// As Linux writes it, of a process whose command is "a) b".
constexpr std::string_view kStat =
    "4242 (a) b) S 1 4242 4242 0 -1 4194560 1203 0 0 0 150 50 0 0 20 0 7 0 30000 104857600 2560 "
    "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n";

TEST(ProcessUsage, IsReadFromTheKernelsText) {
  const auto usage = ParseProcessUsage(
      kStat, {.ticks_per_second = 100, .page_bytes = 4096, .boot_time_seconds = 1000});
  ASSERT_TRUE(usage);
  EXPECT_DOUBLE_EQ(usage->cpu_seconds, 2.0);
  EXPECT_DOUBLE_EQ(usage->threads, 7);
  EXPECT_DOUBLE_EQ(usage->start_time_seconds, 1300);
  EXPECT_DOUBLE_EQ(usage->virtual_bytes, 104857600);
  EXPECT_DOUBLE_EQ(usage->resident_bytes, 2560 * 4096.0);
}

TEST(ProcessUsage, TextThatIsCutIsNotBelieved) {
  for (const std::string_view text :
       {"", "4242", "4242 (a", "4242 (a) S 1 2 3", "4242 (a) S 1 4242 x y z"}) {
    EXPECT_FALSE(ParseProcessUsage(text, {})) << text;
  }
}

TEST(ProcessMetrics, SaysWhatThisProcessUses) {
  PrometheusMetrics metrics;
  ProcessMetrics process(metrics);
  metrics.BeforeText([&] { process.Refresh(); });
  const std::string text = metrics.Text();
  const auto value = [&](const std::string& name) {
    const std::size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1.0 : std::stod(text.substr(at + name.size() + 2));
  };
  EXPECT_GT(value("process_resident_memory_bytes"), 1e6);
  EXPECT_GE(value("process_virtual_memory_bytes"), value("process_resident_memory_bytes"));
  EXPECT_GE(value("process_cpu_seconds_total"), 0);
  EXPECT_GE(value("process_threads"), 1);
  EXPECT_GE(value("process_open_fds"), 3);
  EXPECT_GE(value("process_max_fds"), value("process_open_fds"));
  EXPECT_NEAR(value("process_start_time_seconds"), static_cast<double>(std::time(nullptr)), 600);
}

TEST(ProcessMetrics, WithoutProcItKeepsWhatItKnew) {
  PrometheusMetrics metrics;
  ProcessMetrics process(metrics, "/nonexistent");
  process.Refresh();
  EXPECT_THAT(metrics.Text(), testing::HasSubstr("process_resident_memory_bytes 0"));
}

}  // namespace
}  // namespace tracekeeper::telemetry
