#include "sidecar/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace tracekeeper::sidecar {
namespace {

using ::testing::HasSubstr;

std::variant<Options, Exit> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "tracekeeper-sidecar");
  return ParseOptions(static_cast<int>(arguments.size()), arguments.data());
}

TEST(SidecarOptions, AreWhatInjectionExpectsWithoutArguments) {
  const auto parsed = Parse({});
  const auto& options = std::get<Options>(parsed);
  EXPECT_EQ(options.config_file, "/etc/tracekeeper/config/config.yaml");
  EXPECT_EQ(options.status_address, "::");
  EXPECT_EQ(options.status_port, 9465);
  EXPECT_FALSE(options.log_level);
}

TEST(SidecarOptions, ReadFlags) {
  const auto parsed =
      Parse({"--config", "/c", "--status-address=127.0.0.1", "--status-port", "0", "--poll-seconds",
             "0.5", "--drain-seconds", "3", "--log-level", "debug"});
  const auto& options = std::get<Options>(parsed);
  EXPECT_EQ(options.config_file, "/c");
  EXPECT_EQ(options.status_address, "127.0.0.1");
  EXPECT_EQ(options.status_port, 0);
  EXPECT_EQ(options.poll_interval, std::chrono::milliseconds(500));
  EXPECT_EQ(options.drain_deadline, std::chrono::seconds(3));
  EXPECT_EQ(options.log_level, LogLevel::kDebug);
}

struct BadCase {
  const char* name;
  std::vector<const char*> arguments;
  const char* sentence;
};

class BadArguments : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadArguments, EndWithCodeTwoAndASentence) {
  const auto parsed = Parse(GetParam().arguments);
  const auto& exit = std::get<Exit>(parsed);
  EXPECT_EQ(exit.code, 2);
  EXPECT_THAT(exit.output, HasSubstr(GetParam().sentence));
  EXPECT_THAT(exit.output, HasSubstr("--help"));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadArguments,
    ::testing::Values(BadCase{"UnknownFlag", {"--nope"}, "--nope"},
                      BadCase{"PortTooLarge", {"--status-port", "70000"}, "70000"},
                      BadCase{"PortNoNumber", {"--status-port", "http"}, "http"},
                      BadCase{"PollZero", {"--poll-seconds", "0"}, "--poll-seconds"},
                      BadCase{"Level", {"--log-level", "loud"}, "loud"},
                      BadCase{"Positional", {"config.yaml"}, "config.yaml"}),
    [](const auto& test) { return test.param.name; });

TEST(SidecarOptions, HelpSaysWhatThisVersionDoesNotDo) {
  const auto parsed = Parse({"--help"});
  const auto& exit = std::get<Exit>(parsed);
  EXPECT_EQ(exit.code, 0);
  EXPECT_THAT(exit.output, HasSubstr("does not proxy requests yet"));
  EXPECT_THAT(exit.output, HasSubstr("Exit codes"));
}

}  // namespace
}  // namespace tracekeeper::sidecar
