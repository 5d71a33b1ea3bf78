#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/version.h"
#include "src/codec/json_value.h"
#include "tests/cli/command_run.h"
#include "tests/cli/golden.h"

namespace tracekeeper::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct HelpCase {
  const char* name;
  std::vector<std::string> command;
};

class Help : public ::testing::TestWithParam<HelpCase> {};

/// The version stands in the default of --sidecar-image.
std::string WithoutVersion(std::string text) {
  const std::size_t at = text.find(kVersion);
  return at == std::string::npos ? text : text.replace(at, kVersion.size(), "VERSION");
}

TEST_P(Help, IsAsDocumentedWithExamplesAndExitCodes) {
  std::vector<std::string> arguments = GetParam().command;
  arguments.push_back("--help");
  const CommandRun run = RunCommand(arguments);
  EXPECT_EQ(run.code, kDone);
  EXPECT_THAT(run.err, IsEmpty());
  ExpectGolden(std::string("help_") + GetParam().name + ".txt", WithoutVersion(run.out));
}

INSTANTIATE_TEST_SUITE_P(
    All, Help,
    ::testing::Values(HelpCase{"root", {}}, HelpCase{"inject", {"inject"}},
                      HelpCase{"explain", {"explain"}}, HelpCase{"explain_pod", {"explain", "pod"}},
                      HelpCase{"explain_policy", {"explain", "policy"}},
                      HelpCase{"analyze", {"analyze"}}, HelpCase{"audit", {"audit"}},
                      HelpCase{"audit_verify", {"audit", "verify"}}, HelpCase{"doctor", {"doctor"}},
                      HelpCase{"version", {"version"}}, HelpCase{"completion", {"completion"}}),
    [](const auto& test) { return test.param.name; });

TEST(CommandLine, WithoutArgumentsShowsTheHelp) {
  EXPECT_EQ(RunCommand({}).code, kDone);
  EXPECT_EQ(RunCommand({}).out, RunCommand({"--help"}).out);
}

struct WrongCase {
  const char* name;
  std::vector<std::string> arguments;
  const char* sentence;
};

class WrongArguments : public ::testing::TestWithParam<WrongCase> {};

TEST_P(WrongArguments, EndWithCodeTwoAndASentence) {
  const CommandRun run = RunCommand(GetParam().arguments);
  EXPECT_EQ(run.code, kUnusable);
  EXPECT_THAT(run.out, IsEmpty());
  EXPECT_THAT(run.err, StartsWith("tracekeeper"));
  EXPECT_THAT(run.err, HasSubstr(GetParam().sentence));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongArguments,
    ::testing::Values(
        WrongCase{"UnknownCommand", {"injekt"}, "injekt"},
        WrongCase{"UnknownFlag", {"inject", "--nope"}, "--"},
        WrongCase{"UnknownSubject", {"explain", "pods", "a/b"}, "no command 'pods'"},
        WrongCase{"LaterCommand", {"analyze", "traces.json"}, "analyze"},
        WrongCase{"NoPolicy", {"inject", "-f", Data("pod.yaml")}, "--policy"},
        WrongCase{"BadOutput", {"inject", "--policy", Data("policy.yaml"), "-o", "xml"}, "xml"},
        WrongCase{"ExplainNothing", {"explain"}, "subcommand"},
        WrongCase{"ExplainPodOfNobody", {"explain", "pod"}, "name"},
        WrongCase{"BadShell", {"completion", "tcsh"}, "tcsh"},
        WrongCase{"NoKubeconfig",
                  {"doctor", "--kubeconfig", "/nowhere/kubeconfig"},
                  "/nowhere/kubeconfig"},
        WrongCase{"NoFile", {"explain", "pod", "a/b", "-f", "/nowhere.yaml"}, "/nowhere.yaml"},
        WrongCase{"TwoNamespaces",
                  {"explain", "pod", "a/b", "-n", "c", "-f", Data("pod.yaml")},
                  "give one"}),
    [](const auto& test) { return test.param.name; });

TEST(Version, IsPrintedForPeopleAndForScripts) {
  EXPECT_THAT(RunCommand({"version"}).out, StartsWith("tracekeeper " + std::string(kVersion)));
  const CommandRun run = RunCommand({"version", "-o", "json"});
  codec::JsonParser parser;
  const auto json = parser.Parse(run.out);
  ASSERT_TRUE(json) << run.out;
  EXPECT_EQ((*json)["version"].StringOr(""), kVersion);
  EXPECT_TRUE((*json)["platform"].is_string());
}

TEST(ProgramName, IsThePluginsWhenKubectlStartsIt) {
  EXPECT_EQ(ProgramName("/usr/local/bin/tracekeeper"), "tracekeeper");
  EXPECT_EQ(ProgramName("/usr/local/bin/kubectl-tracekeeper"), "kubectl tracekeeper");
}

}  // namespace
}  // namespace tracekeeper::cli
