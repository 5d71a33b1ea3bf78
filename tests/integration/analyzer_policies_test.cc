// tracekeeper-analyzer with --kubernetes on a real API server, with the rights that
// docs/reference/analyzer.md prints and no more: policies that come, change and go hold for the
// spans of a running analyzer, and what it may not read it says and goes on.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "operator/domain/names.h"
#include "tests/analyzer/analyzer_process.h"
#include "tests/src/analysis/broken_trace.h"
#include "tests/support/bed.h"
#include "tests/support/eventually.h"
#include "tests/support/folders.h"

namespace tracekeeper::analyzer {
namespace {

using test_support::Bed;
using test_support::BedPart;
using test_support::Eventually;
using testing::HasSubstr;

constexpr std::chrono::seconds kLimit{30};
/// The longest wait between two tries, and some.
constexpr std::chrono::seconds kAfterTrouble{90};
constexpr const char* kNamespace = "tracekeeper-system";

/// The YAML of the reference that makes the account and its rights.
std::string RightsOfTheReference() {
  std::ifstream file(test_support::SourceFolder() / "docs/reference/analyzer.md");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::string fence = "```yaml\n";
  for (std::size_t at = 0; (at = text.find(fence, at)) != std::string::npos;) {
    at += fence.size();
    const std::string block = text.substr(at, text.find("```", at) - at);
    if (block.find("kind: ClusterRole") != std::string::npos) return block;
  }
  return {};
}

class AnalyzerPolicies : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    bed_ = test_support::StartBed();
    ASSERT_TRUE(bed_);
    Kubectl({"create", "namespace", kNamespace});
    Kubectl({"apply", "-f", "-"}, RightsOfTheReference());
    auto file = bed_->ServiceAccountKubeconfig(kNamespace, "tracekeeper-analyzer");
    ASSERT_TRUE(file) << file.error().message;
    documented_ = *std::move(file);
  }
  static void TearDownTestSuite() { bed_.reset(); }
  // What they say together holds for spans of no policy.
  void TearDown() override { Kubectl({"delete", "tkp", "-A", "--all"}); }

  static std::string Kubectl(const std::vector<std::string>& arguments,
                             std::string_view input = {}) {
    const auto result = bed_->RunKubectl(arguments, input);
    EXPECT_TRUE(result.ok()) << result.err;
    return result.out;
  }
  static void InstallCrds() {
    Kubectl({"apply", "--server-side", "-f", (test_support::SourceFolder() / "crds").string()});
    Kubectl({"wait", "--for=condition=Established", "--timeout=30s",
             "crd/tracingpolicies.tracekeeper.dev"});
  }
  static void MakeNamespace(const std::string& name) {
    Kubectl({"create", "namespace", name});
    Kubectl({"create", "serviceaccount", "default", "-n", name});  // no controller is there to
  }
  static void Apply(const std::string& namespace_name, const std::string& entrypoint) {
    Kubectl({"apply", "-f", "-"},
            fmt::format("apiVersion: tracekeeper.dev/v1alpha1\nkind: TracingPolicy\n"
                        "metadata: {{name: policy, namespace: {}}}\n"
                        "spec: {{selector: {{}}, slo: {{entrypoints: [{}]}}}}\n",
                        namespace_name, entrypoint));
  }

  static AnalyzerProcess Start(const std::filesystem::path& kubeconfig,
                               const std::vector<std::string>& more = {}) {
    std::vector<std::string> flags = {"--kubernetes", "--kubeconfig=" + kubeconfig.string(),
                                      "--repair-seconds=10", "--learning-seconds=1"};
    flags.insert(flags.end(), more.begin(), more.end());
    return AnalyzerProcess(flags);
  }

  /// Sends traces whose spans have `last` as their last attribute until one more hop of a policy of
  /// that namespace has that result.
  static bool JudgesAs(AnalyzerProcess& analyzer, const std::string& result,
                       const std::pair<std::string, std::string>& last,
                       const std::string& policy_namespace, std::chrono::seconds limit = kLimit) {
    const auto count = [&] {
      return analyzer.Scrape().Sum(
          "tracekeeper_hops_total",
          {"result=\"" + result + "\"", "policy_namespace=\"" + policy_namespace + "\""});
    };
    const double before = count();
    static std::uint32_t number = 0;  // a trace that comes again counts once
    return Eventually(
        [&] {
          std::vector<truth::ModelSpan> spans = analysis::BrokenTrace(++number);
          for (truth::ModelSpan& span : spans) span.resource.back() = last;
          const auto answer =
              analyzer.Send("/v1/traces", {{"Content-Type", "application/x-protobuf"}},
                            truth::TracesRequest(spans));
          return answer.status == 200 && count() > before;
        },
        limit);
  }
  /// Of spans that name the policy of that namespace themselves.
  static bool JudgesAs(AnalyzerProcess& analyzer, const std::string& result,
                       const std::string& policy_namespace, std::chrono::seconds limit = kLimit) {
    return JudgesAs(analyzer, result, {"tracekeeper.policy", policy_namespace + "/policy"},
                    policy_namespace, limit);
  }

  static inline std::unique_ptr<Bed> bed_;
  static inline std::filesystem::path documented_;
};

// The first: the others have the CRD.
TEST_F(AnalyzerPolicies, ItSaysThatTheCrdIsMissingAndTakesPoliciesWhenItIsThere) {
  AnalyzerProcess analyzer = Start(documented_);
  EXPECT_TRUE(analyzer.process().WaitForLog(
      "Found no TracingPolicies in this cluster: install the chart tracekeeper-crds", kLimit));
  EXPECT_TRUE(JudgesAs(analyzer, "bad", "early"));
  InstallCrds();
  MakeNamespace("early");
  Apply("early", "cart");
  EXPECT_TRUE(JudgesAs(analyzer, "excluded", "early", kAfterTrouble))
      << analyzer.process().ReadLog();
}

TEST_F(AnalyzerPolicies, APolicyHoldsWhenItIsAppliedAndNoMoreWhenItIsDeleted) {
  InstallCrds();
  MakeNamespace("comes");
  AnalyzerProcess analyzer = Start(documented_);
  EXPECT_TRUE(JudgesAs(analyzer, "bad", "comes"));
  Apply("comes", "cart");
  EXPECT_TRUE(JudgesAs(analyzer, "excluded", "comes")) << analyzer.process().ReadLog();
  Apply("comes", "another");
  EXPECT_TRUE(JudgesAs(analyzer, "bad", "comes")) << analyzer.process().ReadLog();
  Apply("comes", "cart");
  EXPECT_TRUE(JudgesAs(analyzer, "excluded", "comes")) << analyzer.process().ReadLog();
  Kubectl({"delete", "tkp", "-n", "comes", "policy"});
  EXPECT_TRUE(JudgesAs(analyzer, "bad", "comes")) << analyzer.process().ReadLog();
  EXPECT_EQ(analyzer.process().Terminate(), 0);
  EXPECT_THAT(analyzer.process().ReadLog(), testing::Not(HasSubstr("level=error")));
}

TEST_F(AnalyzerPolicies, ASpanThatNamesNoPolicyBelongsToThatOfItsPod) {
  InstallCrds();
  MakeNamespace("silent");
  Apply("silent", "cart");
  AnalyzerProcess analyzer = Start(documented_);
  Kubectl({"create", "-f", "-"},
          fmt::format("apiVersion: v1\nkind: Pod\n"
                      "metadata: {{name: web, namespace: silent, annotations: "
                      "{{{}: silent/policy}}}}\n"
                      "spec:\n  containers:\n  - {{name: app, image: 'example.com/app:1'}}\n"
                      "  - {{name: {}, image: 'example.com/sidecar:1'}}\n",
                      domain::kPolicyAnnotation, domain::kSidecarContainer));
  const std::string uid =
      Kubectl({"get", "pod", "-n", "silent", "web", "-o", "jsonpath={.metadata.uid}"});
  EXPECT_TRUE(JudgesAs(analyzer, "excluded", {"k8s.pod.uid", uid}, "silent"))
      << analyzer.process().ReadLog();
}

TEST_F(AnalyzerPolicies, WithoutRightsItSaysWhichAndGoesOnWithThoseThatItHas) {
  InstallCrds();
  MakeNamespace("refused");
  Apply("refused", "cart");
  AnalyzerProcess analyzer = Start(bed_->unprivileged_kubeconfig());
  EXPECT_TRUE(analyzer.process().WaitForLog(
      "Was not allowed to read TracingPolicies: grant list and watch on tracingpolicies of "
      "tracekeeper.dev; judges without policies until then",
      kLimit));
  EXPECT_TRUE(analyzer.process().WaitForLog(
      "Was not allowed to read pods: grant list and watch on pods", kLimit));
  EXPECT_TRUE(JudgesAs(analyzer, "bad", "refused"));
  Kubectl({"create", "clusterrole", "policies-alone", "--verb=list,watch",
           "--resource=tracingpolicies.tracekeeper.dev"});
  Kubectl({"create", "clusterrolebinding", "policies-alone", "--clusterrole=policies-alone",
           "--user=tester"});
  EXPECT_TRUE(JudgesAs(analyzer, "excluded", "refused", kAfterTrouble))
      << analyzer.process().ReadLog();
}

TEST_F(AnalyzerPolicies, OfOneNamespaceNeedRightsInThatAlone) {
  InstallCrds();
  MakeNamespace("ours");
  MakeNamespace("theirs");
  Apply("ours", "cart");
  Apply("theirs", "cart");
  Kubectl({"create", "role", "reader", "-n", "ours", "--verb=list,watch",
           "--resource=tracingpolicies.tracekeeper.dev,pods"});
  auto kubeconfig = bed_->ServiceAccountKubeconfig("ours", "analyzer");
  ASSERT_TRUE(kubeconfig) << kubeconfig.error().message;
  Kubectl({"create", "rolebinding", "reader", "-n", "ours", "--role=reader",
           "--serviceaccount=ours:analyzer"});
  AnalyzerProcess analyzer = Start(*kubeconfig, {"--namespace=ours"});
  EXPECT_TRUE(analyzer.process().WaitForLog("Gave the analyzer the rules of the policies", kLimit))
      << analyzer.process().ReadLog();
  EXPECT_THAT(analyzer.process().ReadLog(), HasSubstr("policies=1"));
  EXPECT_TRUE(JudgesAs(analyzer, "excluded", "ours")) << analyzer.process().ReadLog();
}

TEST_F(AnalyzerPolicies, AnApiServerThatIsAwayAtTheStartIsFollowedWhenItComes) {
  InstallCrds();
  MakeNamespace("later");
  Apply("later", "cart");
  ASSERT_TRUE(bed_->Kill(BedPart::kApiServer));
  AnalyzerProcess analyzer = Start(documented_);
  EXPECT_TRUE(analyzer.process().WaitForLog(
      "Could not read TracingPolicies from the API server, tries again; judges without policies "
      "until then",
      kLimit));
  EXPECT_TRUE(JudgesAs(analyzer, "bad", "later"));
  ASSERT_TRUE(bed_->StartPart(BedPart::kApiServer));
  EXPECT_TRUE(JudgesAs(analyzer, "excluded", "later", kAfterTrouble))
      << analyzer.process().ReadLog();

  ASSERT_TRUE(bed_->Kill(BedPart::kApiServer));
  EXPECT_TRUE(analyzer.process().WaitForLog("goes on with the TracingPolicies that it has", kLimit))
      << analyzer.process().ReadLog();
  EXPECT_TRUE(JudgesAs(analyzer, "excluded", "later"));
  EXPECT_EQ(analyzer.process().Terminate(), 0) << "while it waits for the API server";
  ASSERT_TRUE(bed_->StartPart(BedPart::kApiServer));
}

}  // namespace
}  // namespace tracekeeper::analyzer
