#include "analyzer/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "analyzer/policies.h"
#include "tests/support/folders.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper::analyzer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Options Parsed(std::vector<std::string> arguments) {
  const auto parsed = ParseOptions(std::move(arguments));
  const auto* command_line = std::get_if<CommandLine>(&parsed);
  EXPECT_NE(command_line, nullptr);
  return command_line == nullptr ? Options() : command_line->options;
}

Exit Ended(std::vector<std::string> arguments) {
  const auto parsed = ParseOptions(std::move(arguments));
  const auto* exit = std::get_if<Exit>(&parsed);
  EXPECT_NE(exit, nullptr);
  return exit == nullptr ? Exit() : *exit;
}

class AnalyzerOptions : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  test_support::TemporaryFolder folder_{"options"};
};

TEST_F(AnalyzerOptions, AreTheDocumentedPortsWithoutArguments) {
  const Options options = Parsed({});
  EXPECT_EQ(options.otlp_grpc_port, 4317);
  EXPECT_EQ(options.otlp_http_port, 4318);
  EXPECT_EQ(options.metrics_port, 9464);
  EXPECT_EQ(options.api_port, 8085);
  EXPECT_EQ(options.address, "::");
}

TEST_F(AnalyzerOptions, ComeFromTheFileAndFlagsWin) {
  const std::string file =
      Write("c.yaml",
            "otlpGrpcPort: 14317\nsettleSeconds: 3\nmaxEdges: 7\nlogLevel: warn\n"
            "policies: [a.yaml, b.yaml]\n");
  const Options options = Parsed({"--config", file, "--max-edges", "9"});
  EXPECT_EQ(options.otlp_grpc_port, 14317);
  EXPECT_EQ(options.settle_seconds, 3);
  EXPECT_EQ(options.max_edges, 9);
  EXPECT_EQ(options.log_level, "warn");
  EXPECT_THAT(options.policies, ElementsAre("a.yaml", "b.yaml"));
  EXPECT_THAT(Parsed({"--config", file, "--policy", "c.yaml"}).policies, ElementsAre("c.yaml"));
}

TEST_F(AnalyzerOptions, PoliciesAreThoseOfFilesOrThoseOfTheCluster) {
  EXPECT_FALSE(Parsed({}).kubernetes);
  const std::string file =
      Write("c.yaml", "kubernetes: true\nkubeconfig: /k\ncontext: test\nnamespace: shop\n");
  const Options options = Parsed({"--config", file, "--kubeconfig", "/other"});
  EXPECT_TRUE(options.kubernetes);
  EXPECT_EQ(options.kubeconfig, "/other");
  EXPECT_EQ(options.context, "test");
  EXPECT_EQ(options.namespace_name, "shop");
  for (const std::vector<std::string>& both :
       {std::vector<std::string>{"--kubernetes", "--policy", "p.yaml"},
        std::vector<std::string>{"--config", file, "--policy", "p.yaml"}}) {
    EXPECT_THAT(Ended(both).output, HasSubstr("not from both: leave out one of the two"));
  }
  for (const char* const flag : {"--kubeconfig", "--context", "--namespace"}) {
    EXPECT_THAT(Ended({flag, "x"}).output, HasSubstr("add --kubernetes, or kubernetes: true"));
  }
}

TEST_F(AnalyzerOptions, ThatCannotBeEndWithCodeTwoAndASentence) {
  const auto expect = [](const std::vector<std::string>& arguments, const char* sentence) {
    const Exit exit = Ended(arguments);
    EXPECT_EQ(exit.code, 2);
    EXPECT_THAT(exit.output, HasSubstr(sentence));
  };
  expect({"--api-port", "70000"}, "--api-port");
  expect({"--log-level", "loud"}, "--log-level");
  expect({"--config", "/nowhere.yaml"}, "/nowhere.yaml: cannot be opened");
  expect({"--api-port=4318"}, "port 4318 is given to two servers");
  expect({"--tls-certificate", "tls.crt"}, "tlsKey (--tls-key) is missing");
  expect({"--tls-key", "tls.key"}, "tlsCertificate (--tls-certificate) is missing");
  expect({"--tls-client-ca", "ca.crt"}, "add --tls-certificate and --tls-key");
  expect({"--config", Write("a.yaml", "apiPrt: 1\n")}, "no option apiPrt");
  expect({"--config", Write("b.yaml", "apiPort: high\n")}, "apiPort");
  expect({"--config", Write("c.yaml", "settleSeconds: -1\n")}, "settleSeconds must be more than 0");
  expect({"--config", Write("d.yaml", "logLevel: loud\n")}, "loud");
  EXPECT_EQ(Ended({"--help"}).code, 0);
  EXPECT_THAT(Ended({"--help"}).output, HasSubstr("Examples:"));
  EXPECT_THAT(Ended({"--version"}).output, HasSubstr("tracekeeper-analyzer "));
}

TEST_F(AnalyzerOptions, PoliciesHoldForTheirSpansAndTogetherForThoseOfNone) {
  Write("1.yaml",
        "apiVersion: tracekeeper.dev/v1alpha1\nkind: TracingPolicy\n"
        "metadata: {name: one, namespace: shop}\nspec:\n"
        "  selector: {matchLabels: {app: one}}\n"
        "  slo: {objective: \"99\", entrypoints: [web], exclude: {spanNames: [\"GET /health*\"]}}\n"
        "---\napiVersion: v1\nkind: Secret\nmetadata: {name: other}\n");
  Write("2.yaml",
        "apiVersion: tracekeeper.dev/v1alpha1\nkind: TracingPolicy\n"
        "metadata: {name: two, namespace: shop}\nspec:\n"
        "  selector: {matchLabels: {app: two}}\n"
        "  slo: {objective: \"99\", entrypoints: [mail], exclude: {services: [legacy]}}\n");
  Write("notes.txt", "no document");
  const auto read = ReadPolicyFiles({folder_.path()});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(read->names, ElementsAre("shop/one", "shop/two"));
  continuity::Names names;
  const auto rules_of = [&](std::string_view policy) {
    return read->rules.Of({.policy = names.Intern(policy)}, names);
  };
  EXPECT_TRUE(rules_of("shop/one").entrypoints.Has("web"));
  EXPECT_TRUE(rules_of("shop/one").excluded_span_names.Has("GET /healthz"));
  EXPECT_FALSE(rules_of("shop/one").entrypoints.Has("mail"));
  EXPECT_TRUE(rules_of("shop/two").entrypoints.Has("mail"));
  EXPECT_TRUE(rules_of("shop/two").excluded_services.Has("legacy"));
  EXPECT_FALSE(rules_of("shop/two").excluded_span_names.Has("GET /healthz"));
  for (const std::string_view other : {"", "shop/gone"}) {
    EXPECT_TRUE(rules_of(other).entrypoints.Has("web")) << other;
    EXPECT_TRUE(rules_of(other).entrypoints.Has("mail")) << other;
    EXPECT_TRUE(rules_of(other).excluded_services.Has("legacy")) << other;
  }
}

}  // namespace
}  // namespace tracekeeper::analyzer
