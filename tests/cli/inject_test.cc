#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/console.h"
#include "cli/documents.h"
#include "src/codec/json_patch.h"
#include "src/codec/json_value.h"
#include "src/codec/yaml.h"
#include "tests/cli/command_run.h"

namespace tracekeeper::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::vector<std::string> Inject(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"inject", "--policy", Data("policy.yaml"), "-n", "shop"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::string PodJson(const std::string& spec = R"({"containers":[{"name":"app","image":"a:1"}]})",
                    const std::string& app = "web") {
  return R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","labels":{"app":")" + app +
         R"("}},"spec":)" + spec + "}";
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Inject, PrintsAPatchThatAppliesToThePod) {
  const CommandRun run = RunCommand(Inject({"-f", "-"}), PodJson());
  ASSERT_EQ(run.code, kDone) << run.err;
  const auto pod = codec::ApplyJsonPatch(PodJson(), run.out);
  ASSERT_TRUE(pod) << pod.error().message;
  EXPECT_THAT(*pod, HasSubstr("tracekeeper-sidecar"));
  EXPECT_THAT(*pod, HasSubstr(R"("tracekeeper.dev/policy":"shop/checkout")"));
}

TEST(Inject, PrintsThePodInTheLanguageItCameIn) {
  const CommandRun json = RunCommand(Inject({"-o", "pod"}), PodJson());
  EXPECT_EQ(json.code, kDone);
  codec::JsonParser parser;
  const auto pod = parser.Parse(json.out);
  ASSERT_TRUE(pod);
  EXPECT_EQ((*pod)["spec"]["initContainers"].size(), 1U);

  const CommandRun yaml = RunCommand(Inject({"-o", "pod", "-f", Data("pod.yaml")}));
  EXPECT_EQ(yaml.code, kDone);
  EXPECT_THAT(yaml.out, StartsWith("apiVersion: \"v1\"\n"));
  codec::YamlParser yaml_parser;
  const auto document = yaml_parser.Parse(yaml.out);
  ASSERT_TRUE(document) << document.error().message;
  EXPECT_EQ((*document)["metadata"]["name"].StringOr(""), "web-1");
}

TEST(Inject, InjectingTheResultAgainAddsNothing) {
  const CommandRun once = RunCommand(Inject({"-o", "pod"}), PodJson());
  const CommandRun twice = RunCommand(Inject({}), once.out);
  EXPECT_EQ(twice.code, kDone);
  EXPECT_EQ(twice.out, "[]\n");
}

TEST(Inject, SaysTheReasonsWithWhatToDo) {
  const CommandRun run = RunCommand(Inject({"-o", "reasons", "-f", Data("pod.yaml")}));
  EXPECT_EQ(run.code, kDone);
  EXPECT_THAT(run.out, StartsWith("injected\n"));
  EXPECT_THAT(run.out, HasSubstr("env_kept_user_value: container app: OTEL_SERVICE_NAME\n"));
  EXPECT_THAT(run.out, HasSubstr("Remove the variable from the container"));
}

TEST(Inject, SkipsAPodThatThePolicyDoesNotSelect) {
  const CommandRun run = RunCommand(
      Inject({"-o", "reasons"}), PodJson(R"({"containers":[{"name":"a","image":"b"}]})", "other"));
  EXPECT_EQ(run.code, kDone) << "to be skipped is a decision, not a failure";
  EXPECT_THAT(run.out, StartsWith("no_policy\n"));
}

TEST(Inject, TakesALocalPolicyOnlyInItsNamespace) {
  const CommandRun run = RunCommand(
      {"inject", "--policy", Data("policy.yaml"), "-n", "elsewhere", "-o", "reasons"}, PodJson());
  EXPECT_THAT(run.out, StartsWith("no_policy"));
}

TEST(Inject, TakesAFleetPolicyByTheLabelsOfTheNamespace) {
  const std::vector<std::string> fleet = {
      "inject", "--policy", Data("fleet.yaml"),   "-n",           "shop",
      "-o",     "reasons",  "--namespace-labels", "team=shop,a=b"};
  EXPECT_THAT(RunCommand(fleet, PodJson()).out, StartsWith("injected"));
  std::vector<std::string> other = fleet;
  other.back() = "team=bank";
  EXPECT_THAT(RunCommand(other, PodJson()).out, StartsWith("no_policy"));
  other.back() = "team";
  const CommandRun wrong = RunCommand(other, PodJson());
  EXPECT_EQ(wrong.code, kUnusable);
  EXPECT_THAT(wrong.err, HasSubstr("write key=value"));
}

TEST(Inject, NeverTouchesSystemNamespaces) {
  const CommandRun run = RunCommand(
      {"inject", "--policy", Data("policy.yaml"), "-n", "kube-system", "-o", "reasons"}, PodJson());
  EXPECT_THAT(run.out, StartsWith("skipped_excluded_namespace"));
}

TEST(Inject, UsesAPlainContainerForOldNodes) {
  const CommandRun run =
      RunCommand(Inject({"-o", "reasons", "--kubernetes-version", "v1.27.3"}), PodJson());
  EXPECT_THAT(run.out, HasSubstr("sidecar_as_plain_container"));
}

TEST(Inject, TellsTheWebhooksWarningsOnStandardError) {
  const CommandRun run = RunCommand(
      Inject({}), PodJson(R"({"hostNetwork":true,"containers":[{"name":"a","image":"b"}]})"));
  EXPECT_EQ(run.code, kDone);
  EXPECT_EQ(run.out, "[]\n");
  EXPECT_THAT(run.err, StartsWith("Warning: "));
}

struct BadInput {
  const char* name;
  std::string text;
  const char* sentence;
};

class InjectBadInput : public ::testing::TestWithParam<BadInput> {};

TEST_P(InjectBadInput, EndsWithCodeTwoAndASentence) {
  const CommandRun run = RunCommand(Inject({"-f", "-"}), GetParam().text);
  EXPECT_EQ(run.code, kUnusable);
  EXPECT_THAT(run.out, IsEmpty());
  EXPECT_THAT(run.err, HasSubstr("standard input"));
  EXPECT_THAT(run.err, HasSubstr(GetParam().sentence));
}

INSTANTIATE_TEST_SUITE_P(
    All, InjectBadInput,
    ::testing::Values(BadInput{"Empty", "", "holds 0 objects"},
                      BadInput{"NotYaml", "a: [", "line 1"},
                      BadInput{"AList", "- a\n- b\n", "is no object"},
                      BadInput{"ADeployment", "kind: Deployment\nspec: {}\n", "is a Deployment"},
                      BadInput{"NoSpec", "kind: Pod\n", "it has no spec"},
                      BadInput{"TwoPods", "kind: Pod\n---\nkind: Pod\n", "holds 2 objects"},
                      BadInput{"TooLong", std::string(kMaxDocumentBytes + 2, ' '),
                               "longer than 8 MiB"}),
    [](const auto& test) { return test.param.name; });

TEST(Inject, RefusesAFileWithoutAPolicy) {
  const CommandRun run =
      RunCommand({"inject", "--policy", Data("pod.yaml"), "-n", "shop"}, PodJson());
  EXPECT_EQ(run.code, kUnusable);
  EXPECT_THAT(run.err, HasSubstr("holds no TracingPolicy"));
}

TEST(Inject, RefusesToReadStandardInputTwice) {
  const CommandRun run = RunCommand({"inject", "--policy", "-", "-n", "shop"}, PodJson());
  EXPECT_EQ(run.code, kUnusable);
  EXPECT_THAT(run.err, HasSubstr("both read standard input"));
}

TEST(InjectStream, AnswersEachLineAndGoesOnAfterABadOne) {
  const std::string input = PodJson() + "\nnonsense\n\n" + R"({"kind":"Deployment","spec":{}})" +
                            "\n[1]\n" + PodJson(R"({"containers":[]})", "other") + "\n" +
                            PodJson();  // no newline at the end
  const CommandRun run = RunCommand(Inject({"--stream"}), input);
  EXPECT_EQ(run.code, kDone);
  const std::vector<std::string> lines = Lines(run.out);
  ASSERT_THAT(lines, ElementsAre(StartsWith(R"({"patch":[{"op":"add")"), StartsWith(R"({"error":)"),
                                 StartsWith(R"({"error":)"), HasSubstr("is a Deployment"),
                                 HasSubstr("is no object"),
                                 R"({"patch":[],"reasons":["no_policy"]})", lines.front()));
  codec::JsonParser parser;
  for (const std::string& line : lines) EXPECT_TRUE(parser.Parse(line)) << line;
}

TEST(InjectStream, AnswersTheSameAsOnePodAtATime) {
  const CommandRun stream = RunCommand(Inject({"--stream"}), PodJson() + "\n");
  const CommandRun one = RunCommand(Inject({}), PodJson());
  codec::JsonParser parser;
  const auto answer = parser.Parse(stream.out);
  ASSERT_TRUE(answer);
  codec::JsonParser patch_parser;
  EXPECT_EQ((*answer)["patch"].ToJson(), patch_parser.Parse(one.out)->ToJson());
}

TEST(InjectStream, PassesOverALineThatIsTooLong) {
  const CommandRun run = RunCommand(
      Inject({"--stream"}), std::string(kMaxDocumentBytes + 10, 'x') + "\n" + PodJson() + "\n");
  EXPECT_THAT(Lines(run.out),
              ElementsAre(HasSubstr("longer than 8 MiB"), StartsWith(R"({"patch":[{"op":"add")")));
}

TEST(InjectStream, OfNothingIsNothing) {
  const CommandRun run = RunCommand(Inject({"--stream"}), "");
  EXPECT_EQ(run.code, kDone);
  EXPECT_THAT(run.out, IsEmpty());
}

}  // namespace
}  // namespace tracekeeper::cli
