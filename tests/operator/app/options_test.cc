#include "operator/app/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace tracekeeper::app {
namespace {

std::variant<Options, int> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "tracekeeper-operator");
  return ParseOptions(static_cast<int>(arguments.size()), arguments.data());
}

TEST(OperatorOptions, HaveTheDefaultsOfTheChart) {
  const auto parsed = Parse({"--sidecar-image=s:1"});
  ASSERT_TRUE(std::holds_alternative<Options>(parsed));
  const Options& options = std::get<Options>(parsed);
  EXPECT_EQ(options.webhook_port, 9443);
  EXPECT_EQ(options.metrics_port, 8080);
  EXPECT_EQ(options.health_port, 8081);
  EXPECT_TRUE(options.leader_election);
  EXPECT_EQ(options.certificate_lifetime, std::chrono::hours(2160));
}

TEST(OperatorOptions, ReadADurationAsPoliciesDo) {
  const auto parsed = Parse({"--sidecar-image=s:1", "--certificate-lifetime=1h30m"});
  ASSERT_TRUE(std::holds_alternative<Options>(parsed));
  EXPECT_EQ(std::get<Options>(parsed).certificate_lifetime, std::chrono::minutes(90));
}

TEST(OperatorOptions, LeaveTheAnalyzerOffUnlessAskedFor) {
  EXPECT_FALSE(std::get<Options>(Parse({"--sidecar-image=s:1"})).analyzer.is_on);
  const auto parsed = Parse({"--sidecar-image=s:1", "--analyzer", "--memory-mib=32",
                             "--settle-seconds=0.5", "--otlp-http-port=14318"});
  const AnalyzerOptions analyzer = std::get<Options>(parsed).analyzer;
  EXPECT_TRUE(analyzer.is_on);
  const auto server = ServerOptionsOf(analyzer, "::");
  EXPECT_EQ(server.analysis.memory_bytes, std::size_t{32} << 20U);
  EXPECT_EQ(server.analysis.settle_window, std::chrono::milliseconds(500));
  EXPECT_EQ(server.otlp_http_port, 14318);
  EXPECT_EQ(server.otlp_grpc_port, 4317);
}

TEST(OperatorOptions, HelpIsNoFailure) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(std::get<int>(Parse({"--help"})), 0);
  EXPECT_THAT(testing::internal::GetCapturedStdout(), testing::HasSubstr("Examples:"));
}

struct BadOptions {
  const char* name;
  std::vector<const char*> arguments;
  const char* message;
};

class RefusedOptions : public testing::TestWithParam<BadOptions> {};

TEST_P(RefusedOptions, EndWithCodeTwoAndASentence) {
  testing::internal::CaptureStderr();
  const auto parsed = Parse(GetParam().arguments);
  const std::string said = testing::internal::GetCapturedStderr();
  ASSERT_TRUE(std::holds_alternative<int>(parsed));
  EXPECT_EQ(std::get<int>(parsed), 2);
  EXPECT_THAT(said, testing::HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedOptions,
    testing::Values(
        BadOptions{"no_image", {}, "--sidecar-image is empty"},
        BadOptions{"plain_url",
                   {"--sidecar-image=s:1", "--webhook-url=http://10.0.0.1:9443"},
                   "must start with https://"},
        BadOptions{
            "bare_number", {"--sidecar-image=s:1", "--certificate-lifetime=90"}, "is no duration"},
        BadOptions{
            "short_life", {"--sidecar-image=s:1", "--certificate-lifetime=9s"}, "at least 10s"},
        BadOptions{"days", {"--sidecar-image=s:1", "--certificate-lifetime=90d"}, "is no duration"},
        BadOptions{"same_port", {"--sidecar-image=s:1", "--metrics-port=9443"}, "must differ"},
        BadOptions{"port_range", {"--sidecar-image=s:1", "--webhook-port=70000"}, "70000"},
        BadOptions{"analyzer_port",
                   {"--sidecar-image=s:1", "--analyzer", "--api-port=8080"},
                   "--metrics-port and --api-port are both 8080"},
        BadOptions{"analyzer_without_address",
                   {"--sidecar-image=s:1", "--analyzer", "--analyzer-service=otlp"},
                   "--analyzer-service needs --pod-ip"},
        BadOptions{"no_time", {"--sidecar-image=s:1", "--settle-seconds=0"}, "--settle-seconds"},
        BadOptions{"unknown", {"--sidecar-image=s:1", "--frobnicate"}, "--frobnicate"},
        BadOptions{"log_level",
                   {"--sidecar-image=s:1", "--log-level=loud"},
                   "use debug, info, warn or error"}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace tracekeeper::app
