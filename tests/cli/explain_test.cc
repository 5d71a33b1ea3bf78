#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/console.h"
#include "tests/cli/command_run.h"
#include "tests/cli/golden.h"
#include "tests/support/folders.h"

namespace tracekeeper::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string kPolicy = Data("policy.yaml");
const std::string kFleet = Data("fleet.yaml");
const std::string kPods = Data("pods.yaml");

std::string Example(const char* name) {
  return (test_support::SourceFolder() / "docs/examples" / name).string();
}

struct ExplainCase {
  const char* name;
  std::vector<std::string> arguments;
};

class Explain : public ::testing::TestWithParam<ExplainCase> {};

TEST_P(Explain, SaysItInSentences) {
  std::vector<std::string> arguments = {"explain"};
  arguments.insert(arguments.end(), GetParam().arguments.begin(), GetParam().arguments.end());
  const CommandRun run = RunCommand(arguments);
  EXPECT_EQ(run.code, kDone) << run.err;
  ExpectGolden(std::string("explain_") + GetParam().name + ".txt", run.out);
}

INSTANTIATE_TEST_SUITE_P(
    All, Explain,
    ::testing::Values(
        ExplainCase{"manifest", {"pod", "shop/web-1", "-f", kPolicy, "-f", Data("pod.yaml")}},
        ExplainCase{"missed_pod", {"pod", "shop/web-1", "-f", kPolicy, "-f", kPods}},
        ExplainCase{"skipped_pod", {"pod", "host-1", "-n", "shop", "-f", kPolicy, "-f", kPods}},
        ExplainCase{"pod_without_policy", {"pod", "shop/other-1", "-f", kPolicy, "-f", kPods}},
        ExplainCase{"two_policies",
                    {"pod", "shop/web-1", "-f", kPolicy, "-f", kFleet, "-f", kPods}},
        ExplainCase{"policy", {"policy", "shop/checkout", "-f", kPolicy, "-f", kPods}},
        ExplainCase{
            "fleet_policy",
            {"policy", "tracekeeper-system/default", "-f", kPolicy, "-f", kFleet, "-f", kPods}},
        ExplainCase{"renewed_policy",
                    {"policy", "shop/checkout", "-f", Data("renewed_policy.yaml")}},
        ExplainCase{"rotating_policy",
                    {"policy", "shop/checkout", "-f", Data("rotating_policy.yaml")}},
        ExplainCase{"credentials", {"policy", "shop/payments", "-f", Example("credentials.yaml")}},
        ExplainCase{"reason", {"reason", "skipped_port_conflict"}},
        ExplainCase{"reasons", {"reason"}}, ExplainCase{"cause", {"cause", "broken_hop"}},
        ExplainCase{"finding", {"cause", "A1"}}, ExplainCase{"causes", {"cause"}}),
    [](const auto& test) { return test.param.name; });

/// A pod as the webhook makes it, with what the API server adds.
std::string InjectedPod(const std::string& generation) {
  CommandRun run = RunCommand(
      {"inject", "--policy", kPolicy, "-n", "shop", "-f", Data("pod.yaml"), "-o", "pod"});
  const std::string was = "\"tracekeeper.dev/generation\": \"3\"";
  const std::size_t at = run.out.find(was);
  EXPECT_NE(at, std::string::npos);
  return run.out.replace(at, was.size(), "\"tracekeeper.dev/generation\": \"" + generation + "\"");
}

TEST(ExplainPod, SaysThatTheInjectionIsWhatThePolicySays) {
  const CommandRun run =
      RunCommand({"explain", "pod", "shop/web-1", "-f", kPolicy, "-f", "-"}, InjectedPod("3"));
  EXPECT_EQ(run.code, kDone) << run.err;
  EXPECT_THAT(run.out, HasSubstr("carries the injection of shop/checkout, generation 3"));
  EXPECT_THAT(run.out, HasSubstr("That is what the policy says today"));
  EXPECT_THAT(run.out, HasSubstr("env_kept_user_value"))
      << "remarks of the injection are told although the pod has it already";
  EXPECT_THAT(run.out, Not(HasSubstr("already_injected")));
}

TEST(ExplainPod, SaysThatThePolicyHasMovedOn) {
  const CommandRun run =
      RunCommand({"explain", "pod", "shop/web-1", "-f", kPolicy, "-f", "-"}, InjectedPod("2"));
  EXPECT_THAT(run.out, HasSubstr("generation 2.\n"));
  EXPECT_THAT(run.out, HasSubstr("The policy is at generation 3 now"));
}

TEST(ExplainPod, SaysThatNoPolicySelectsItAnyMore) {
  const CommandRun run = RunCommand({"explain", "pod", "shop/web-1", "-f", "-"}, InjectedPod("3"));
  EXPECT_THAT(run.out, HasSubstr("none selects it"));
  EXPECT_THAT(run.out, HasSubstr("its next pod comes without"));
}

TEST(ExplainPod, SaysHowTheSidecarDoes) {
  const std::string status =
      "status:\n  initContainerStatuses:\n"
      "    - {name: tracekeeper-sidecar, ready: true, restartCount: 2, image: \"img:1\", "
      "state: {running: {}}}\n";
  const CommandRun run = RunCommand({"explain", "pod", "shop/web-1", "-f", kPolicy, "-f", "-"},
                                    InjectedPod("3") + status);
  EXPECT_THAT(run.out, HasSubstr("Sidecar:    running, ready, 2 restarts, image img:1."));
}

TEST(Explain, EndsWithOneWhenThereIsNoSuchObject) {
  for (const char* kind : {"pod", "policy"}) {
    const CommandRun run = RunCommand({"explain", kind, "shop/nobody", "-f", kPolicy});
    EXPECT_EQ(run.code, kFailed);
    EXPECT_THAT(run.err, HasSubstr("shop/nobody"));
    EXPECT_THAT(run.out, IsEmpty());
  }
  EXPECT_EQ(RunCommand({"explain", "reason", "because"}).code, kFailed);
}

TEST(ExplainPolicy, SaysWhyAPolicyCannotBeUsed) {
  const CommandRun run = RunCommand(
      {"explain", "policy", "shop/checkout", "-f", Data("deployment.yaml"), "-f", kPolicy});
  EXPECT_EQ(run.code, kDone);
  EXPECT_THAT(run.out, HasSubstr("Note: a Deployment was passed over."));
}

TEST(ExplainCause, IsFoundByItsClassToo) {
  EXPECT_EQ(RunCommand({"explain", "cause", "B5"}).out,
            RunCommand({"explain", "cause", "broken_hop"}).out);
}

TEST(ExplainCause, SaysWhereAllAreListed) {
  const CommandRun run = RunCommand({"explain", "cause", "lost_context"});
  EXPECT_EQ(run.code, kFailed);
  EXPECT_THAT(run.err, HasSubstr("`tracekeeper explain cause` lists them all"));
}

}  // namespace
}  // namespace tracekeeper::cli
