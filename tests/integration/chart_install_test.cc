// The chart's life on a real node, as a platform team goes through it: installed in a namespace at
// Pod Security "restricted", at work through its Service, upgraded, and gone without a trace.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>

#include "tests/support/bed.h"
#include "tests/support/eventually.h"
#include "tests/support/installation.h"
#include "tests/support/operator_process.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper {
namespace {

using std::chrono::seconds;
using test_support::Bed;
using test_support::Eventually;
using test_support::kOperatorNamespace;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kNamespaces = R"(
apiVersion: v1
kind: Namespace
metadata:
  name: tracekeeper-system
  labels: {pod-security.kubernetes.io/enforce: restricted}
---
apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels: {pod-security.kubernetes.io/enforce: restricted}
)";

constexpr std::string_view kPolicy = R"(
apiVersion: tracekeeper.dev/v1alpha1
kind: TracingPolicy
metadata: {name: checkout, namespace: shop}
spec: {selector: {matchLabels: {app: checkout}}}
)";

constexpr std::string_view kDeployment = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: checkout, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: checkout}}
  template:
    metadata: {labels: {app: checkout}}
    spec:
      terminationGracePeriodSeconds: 1
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: app
          image: bed.local/testtool:1
          imagePullPolicy: Never
          args: [web]
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
)";

// One bed for each test: a test must find, and leave, a cluster without Tracekeeper.
class ChartInstall : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (Bed::WhyNot({.nodes = 1})) return;
    folder_.emplace("chart");
    const auto images = test_support::MakeProgramImages(folder_->path());
    ASSERT_TRUE(images) << images.error().message;
    images_ = *images;
  }
  static void TearDownTestSuite() { folder_.reset(); }

  void SetUp() override {
    if (const auto reason = Bed::WhyNot({.nodes = 1})) {
      GTEST_SKIP() << "left out, because " << *reason;
    }
    bed_ = test_support::StartBed({.nodes = 1, .images = images_});
    ASSERT_TRUE(bed_);
    Kubectl({"apply", "-f", "-"}, kNamespaces);
    Kubectl({"wait", "-n", "shop", "--for=create", "--timeout=30s", "serviceaccount/default"});
  }

  std::string Kubectl(const std::vector<std::string>& arguments, std::string_view input = {}) {
    const auto result = bed_->RunKubectl(arguments, input);
    EXPECT_TRUE(result.ok()) << arguments.front() << ": " << result.err;
    return result.out;
  }
  void Helm(std::string_view version, std::vector<std::string> arguments,
            const std::vector<std::string>& values) {
    std::ranges::copy(test_support::ChartArguments(values), std::back_inserter(arguments));
    arguments.insert(arguments.end(), {"--wait", "--timeout=120s"});
    const auto done = test_support::RunHelm(*bed_, version, std::move(arguments));
    ASSERT_TRUE(done) << done.error().message;
  }
  void RolledOut(const std::string& namespace_name, const std::string& deployment) {
    Kubectl(
        {"rollout", "status", "-n", namespace_name, "deployment/" + deployment, "--timeout=120s"});
  }

  /// Applies the policy and the application; the API server calls the webhook through the Service.
  void ExpectInjection() {
    Kubectl({"apply", "-f", "-"}, kPolicy);
    Kubectl({"wait", "-n", "shop", "--for=condition=Ready", "--timeout=60s", "tkp/checkout"});
    Kubectl({"apply", "-f", "-"}, kDeployment);
    RolledOut("shop", "checkout");
    EXPECT_EQ(Sidecars(), "bed.local/tracekeeper-sidecar:test bed.local/tracekeeper-sidecar:test");
    EXPECT_EQ(Kubectl({"get", "mutatingwebhookconfiguration", "tracekeeper", "-o",
                       "jsonpath={.webhooks[0].clientConfig.service.name}"}),
              "tracekeeper-webhook");
  }
  std::string Sidecars() {
    return Kubectl({"get", "pods", "-n", "shop", "-l", "app=checkout", "-o",
                    "jsonpath={.items[*].spec.initContainers[*].image}"});
  }

  /// As the documentation says: policies first, and what they own goes with them.
  void DeletePolicy() {
    Kubectl({"delete", "-n", "shop", "tkp/checkout", "--timeout=30s"});
    // The garbage collector looks for new kinds every 30 s only.
    EXPECT_TRUE(Eventually(
        [this] {
          return Kubectl({"get", "configmaps", "-n", "shop", "-o", "name"}).find("tracekeeper") ==
                 std::string::npos;
        },
        seconds(90)));
  }
  /// Nothing calls the operator any more, and after its namespace went nothing of it is there.
  void ExpectNoTrace() {
    EXPECT_TRUE(Eventually(
        [this] { return Kubectl({"get", "mutatingwebhookconfigurations", "-o", "name"}).empty(); },
        seconds(30)))
        << "the webhook configuration outlived the chart's ClusterRole";
    Kubectl({"delete", "namespace", std::string(kOperatorNamespace), "--timeout=90s"});
    EXPECT_THAT(Kubectl({"get", "clusterroles,clusterrolebindings,mutatingwebhookconfigurations",
                         "-o", "name"}),
                Not(HasSubstr("tracekeeper")));
    // The application goes on, and is deployed again without the sidecar.
    Kubectl({"rollout", "restart", "-n", "shop", "deployment/checkout"});
    RolledOut("shop", "checkout");
    EXPECT_TRUE(Eventually([this] { return Sidecars().empty(); }, seconds(30)));
  }

  static inline std::optional<test_support::TemporaryFolder> folder_;
  static inline std::vector<std::filesystem::path> images_;
  std::unique_ptr<Bed> bed_;
};

TEST_F(ChartInstall, AppliedByKubectlItWorksAndGoesWithoutATrace) {
  const Status installed = test_support::InstallChart(*bed_);
  ASSERT_TRUE(installed) << installed.error().message;
  ExpectInjection();

  DeletePolicy();
  const auto objects = test_support::RenderChart();
  ASSERT_TRUE(objects) << objects.error().message;
  Kubectl({"delete", "-f", "-", "--timeout=90s"}, *objects);
  ExpectNoTrace();
}

TEST_F(ChartInstall, HelmInstallsUpgradesAndUninstallsIt) {
  Helm("helm4", {"install", "tracekeeper"}, {});
  ExpectInjection();
  const std::string certificate = Kubectl({"get", "secret", "-n", "tracekeeper-system",
                                           "tracekeeper-webhook-tls", "-o", "jsonpath={.data}"});

  Helm("helm4", {"upgrade", "tracekeeper"}, {"logLevel=debug", "podAnnotations.rolled=again"});
  EXPECT_THAT(Kubectl({"get", "deployment", "-n", "tracekeeper-system", "tracekeeper-operator",
                       "-o", "jsonpath={.spec.template.spec.containers[0].args}"}),
              HasSubstr("--log-level=debug"));
  EXPECT_EQ(Kubectl({"get", "secret", "-n", "tracekeeper-system", "tracekeeper-webhook-tls", "-o",
                     "jsonpath={.data}"}),
            certificate)
      << "an upgrade must not touch the webhook's certificate";
  Kubectl({"rollout", "restart", "-n", "shop", "deployment/checkout"});
  RolledOut("shop", "checkout");
  EXPECT_THAT(Sidecars(), HasSubstr("tracekeeper-sidecar"));

  DeletePolicy();
  const auto gone = test_support::RunHelm(
      *bed_, "helm4",
      {"uninstall", "tracekeeper", fmt::format("--namespace={}", kOperatorNamespace), "--wait"});
  ASSERT_TRUE(gone) << gone.error().message;
  EXPECT_THAT(Kubectl({"get", "crds", "-o", "name"}), HasSubstr("tracingpolicies.tracekeeper.dev"))
      << "policies must survive an uninstall";
  ExpectNoTrace();
}

TEST_F(ChartInstall, ASecondInstallationSaysWhatToDoAndTouchesNothing) {
  Helm("helm4", {"install", "tracekeeper"}, {"replicaCount=1"});
  ExpectInjection();
  std::vector<std::string> second = {"install", "second"};
  std::ranges::copy(test_support::ChartArguments({"crds.install=false", "replicaCount=1"}),
                    std::back_inserter(second));
  second.insert(second.end(), {"--namespace=second", "--create-namespace"});
  const auto done = test_support::RunHelm(*bed_, "helm4", std::move(second));
  ASSERT_TRUE(done) << done.error().message;

  EXPECT_TRUE(bed_->WaitForKubectl({"logs", "-n", "second", "--all-containers", "--prefix=false",
                                    "--selector=app.kubernetes.io/instance=second"},
                                   "Tracekeeper is already installed in namespace "
                                   "tracekeeper-system",
                                   seconds(60)));
  EXPECT_EQ(Kubectl({"get", "mutatingwebhookconfiguration", "tracekeeper", "-o",
                     "jsonpath={.webhooks[*].clientConfig.service.namespace}"}),
            "tracekeeper-system tracekeeper-system");
  Kubectl({"wait", "-n", "shop", "--for=condition=Ready", "--timeout=10s", "tkp/checkout"});
  Kubectl({"rollout", "restart", "-n", "shop", "deployment/checkout"});
  RolledOut("shop", "checkout");
  EXPECT_THAT(Sidecars(), HasSubstr("tracekeeper-sidecar"));
}

TEST_F(ChartInstall, Helm3InstallsIt) {
  Helm("helm3", {"install", "tracekeeper"}, {"replicaCount=1"});
  ExpectInjection();
}

}  // namespace
}  // namespace tracekeeper
