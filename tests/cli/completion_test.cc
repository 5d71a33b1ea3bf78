#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/completion_scripts.h"
#include "tests/cli/command_run.h"
#include "tests/support/folders.h"
#include "tests/support/process.h"

namespace tracekeeper::cli {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

std::vector<std::string> Words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

/// What a real bash offers after `words` and TAB; the last word is what was begun.
std::vector<std::string> Complete(const std::vector<std::string>& words) {
  std::string script = RunCommand({"completion", "bash"}).out + "\nCOMP_WORDS=(";
  for (const std::string& word : words) script += "'" + word + "' ";
  script += ")\nCOMP_CWORD=" + std::to_string(words.size() - 1) +
            "\n_tracekeeper\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
  const auto result = test_support::RunProcess({.argv = {"bash", "--norc", "--noprofile"}}, script);
  EXPECT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->err, "");
  return Words(result->out);
}

TEST(BashCompletion, OffersCommands) {
  EXPECT_THAT(Complete({"tracekeeper", ""}),
              IsSupersetOf({"inject", "explain", "doctor", "version", "completion"}));
  EXPECT_THAT(Complete({"tracekeeper", "do"}), ElementsAre("doctor"));
}

TEST(BashCompletion, OffersSubCommandsOfACommandOnly) {
  EXPECT_THAT(Complete({"tracekeeper", "explain", ""}),
              AllOf(IsSupersetOf({"pod", "policy", "reason", "cause"}), Not(Contains("doctor"))));
}

TEST(BashCompletion, OffersTheFlagsOfTheCommandThatIsThere) {
  EXPECT_THAT(Complete({"tracekeeper", "inject", "--n"}),
              UnorderedElementsAre("--namespace", "--namespace-labels"));
  EXPECT_THAT(Complete({"tracekeeper", "explain", "pod", "--kube"}), ElementsAre("--kubeconfig"));
}

TEST(BashCompletion, OffersTheValuesOfAFlag) {
  EXPECT_THAT(Complete({"tracekeeper", "inject", "-o", ""}),
              UnorderedElementsAre("patch", "pod", "reasons"));
  EXPECT_THAT(Complete({"tracekeeper", "inject", "--output", "=", "pa"}), ElementsAre("patch"));
  EXPECT_THAT(Complete({"tracekeeper", "completion", "z"}), ElementsAre("zsh"));
}

TEST(BashCompletion, OffersFilesWhereAFileIsMeant) {
  const std::string prefix = Data("pol");
  EXPECT_THAT(Complete({"tracekeeper", "inject", "--policy", prefix}),
              ElementsAre(Data("policy.yaml")));
  EXPECT_THAT(Complete({"tracekeeper", "inject", "--namespace", prefix}), IsEmpty())
      << "a name is not a file";
}

/// kubectl asks the plugin's own completion program.
TEST(KubectlCompletion, AnswersAsKubectlExpects) {
  const auto result = test_support::RunProcess(
      {.argv = {test_support::SourceFolder() / "cli/kubectl_complete-tracekeeper", "explain", "po"},
       .environment = {
           {"PATH", (test_support::BuildFolder() / "bin").string() + ":/usr/bin:/bin"}}});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out, "pod\npolicy\n:4\n") << result->err;
}

struct ShellCase {
  const char* shell;
  std::vector<std::string> check;
};

class OtherShells : public ::testing::TestWithParam<ShellCase> {};

TEST_P(OtherShells, AcceptTheirScript) {
  if (std::system((std::string("command -v ") + GetParam().shell + " >/dev/null").c_str()) != 0) {
    GTEST_SKIP() << GetParam().shell << " is not installed";
  }
  const auto result = test_support::RunProcess({.argv = GetParam().check},
                                               RunCommand({"completion", GetParam().shell}).out);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->exit_code, 0) << result->err;
}

INSTANTIATE_TEST_SUITE_P(
    All, OtherShells,
    ::testing::Values(ShellCase{"zsh", {"zsh", "-f", "-n", "/dev/stdin"}},
                      ShellCase{"fish", {"fish", "--no-config", "--no-execute", "/dev/stdin"}}),
    [](const auto& test) { return std::string(test.param.shell); });

TEST(FishCompletion, DescribesCommandsAndValues) {
  const std::string script = RunCommand({"completion", "fish"}).out;
  EXPECT_THAT(script, HasSubstr("-n '__fish_use_subcommand' -a doctor -d"));
  EXPECT_THAT(script, HasSubstr("-a 'patch pod reasons'"));
}

TEST(ZshCompletion, QuotesWhatADescriptionHolds) {
  const CompletionCommand root{.name = "tool",
                               .options = {{.names = {"--a"}, .description = "it's: here"}}};
  EXPECT_THAT(ZshCompletion(root), HasSubstr(R"('--a:it'\''s: here')"));
}

}  // namespace
}  // namespace tracekeeper::cli
