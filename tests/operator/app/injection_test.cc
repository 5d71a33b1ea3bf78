// The main job on a real API server: a policy is applied, becomes Ready, and pods are created with
// the sidecar in them. The operator has the rights of its chart and no more.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/bed.h"
#include "tests/support/operator_process.h"

namespace tracekeeper {
namespace {

using test_support::Bed;
using test_support::CommandResult;
using test_support::OperatorProcess;
using testing::HasSubstr;

constexpr std::string_view kPolicy = R"(
apiVersion: tracekeeper.dev/v1alpha1
kind: TracingPolicy
metadata: {name: checkout, namespace: shop}
spec:
  selector: {matchLabels: {app: checkout}}
  export: {endpoint: "http://collector.observability:4317", protocol: grpc}
)";

std::string PodYaml(std::string_view name, std::string_view app) {
  return fmt::format(R"(
apiVersion: v1
kind: Pod
metadata: {{name: {}, namespace: shop, labels: {{app: {}}}}}
spec:
  containers: [{{name: app, image: example.com/app:1, env: [{{name: GREETING, value: hello}}]}}]
)",
                     name, app);
}

// One control plane and one operator for the whole suite: each test uses names of its own.
class Injection : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto bed = Bed::Start({.controllers = true});
    ASSERT_TRUE(bed) << bed.error().message;
    bed_ = std::move(*bed).release();
    const Status installed = test_support::InstallTracekeeper(*bed_);
    ASSERT_TRUE(installed) << installed.error().message;
    auto started = OperatorProcess::Start(*bed_);
    ASSERT_TRUE(started) << started.error().message;
    operator_ = new OperatorProcess(std::move(*started));
    Kubectl({"create", "namespace", "shop"});
    Kubectl({"apply", "-f", "-"}, kPolicy);
    Kubectl({"wait", "-n", "shop", "--for=condition=Ready", "--timeout=20s", "tkp/checkout"});
  }
  static void TearDownTestSuite() {
    delete operator_;
    delete bed_;
  }

  static std::string Kubectl(const std::vector<std::string>& arguments,
                             std::string_view input = {}) {
    const CommandResult result = bed_->RunKubectl(arguments, input);
    EXPECT_TRUE(result.ok()) << result.err << "\n"
                             << bed_->RunKubectl({"get", "tkp", "-A", "-o", "yaml"}).out << "\n"
                             << operator_->process().ReadLog();
    return result.out;
  }

  static Bed* bed_;
  static OperatorProcess* operator_;
};

Bed* Injection::bed_ = nullptr;
OperatorProcess* Injection::operator_ = nullptr;

TEST_F(Injection, APodThatAPolicySelectsGetsTheSidecarFirst) {
  Kubectl({"apply", "-f", "-"}, PodYaml("selected", "checkout"));
  EXPECT_EQ(Kubectl({"get", "pod", "-n", "shop", "selected", "-o",
                     "jsonpath={.spec.initContainers[0].name}"}),
            "tracekeeper-sidecar");
  EXPECT_THAT(Kubectl({"get", "pod", "-n", "shop", "selected", "-o",
                       "jsonpath={.spec.containers[0].env[*].name}"}),
              HasSubstr("OTEL_EXPORTER_OTLP_ENDPOINT"));
}

TEST_F(Injection, APodThatNoPolicySelectsIsLeftAlone) {
  Kubectl({"apply", "-f", "-"}, PodYaml("other", "billing"));
  EXPECT_EQ(Kubectl({"get", "pod", "-n", "shop", "other", "-o", "jsonpath={.spec.initContainers}"}),
            "");
}

TEST_F(Injection, TheSidecarsConfigurationIsThereBeforeThePolicyIsReady) {
  EXPECT_THAT(
      Kubectl({"get", "configmap", "-n", "shop", "-l", "app.kubernetes.io/managed-by=tracekeeper",
               "-o", "jsonpath={.items[0].data.config\\.yaml}"}),
      HasSubstr("collector.observability"));
}

TEST_F(Injection, ADeletedPolicyTakesItsNamespaceAndItsConfigMapAlong) {
  Kubectl({"create", "namespace", "brief"});
  std::string policy(kPolicy);
  policy.replace(policy.find("namespace: shop"), 15, "namespace: brief");
  Kubectl({"apply", "-f", "-"}, policy);
  Kubectl({"wait", "-n", "brief", "--for=condition=Ready", "--timeout=20s", "tkp/checkout"});
  const std::vector<std::string> covered = {
      "get", "mutatingwebhookconfiguration", "tracekeeper", "-o",
      "jsonpath={.webhooks[0].namespaceSelector.matchExpressions[0].values}"};
  EXPECT_EQ(Kubectl(covered), R"(["brief","shop"])");
  // The garbage collector does the rest; it learns of a new kind within 30 s.
  EXPECT_EQ(
      Kubectl({"get", "configmap", "-n", "brief", "-l", "app.kubernetes.io/managed-by=tracekeeper",
               "-o", "jsonpath={.items[0].metadata.ownerReferences[0].uid}"}),
      Kubectl({"get", "tkp", "-n", "brief", "checkout", "-o", "jsonpath={.metadata.uid}"}));

  Kubectl({"delete", "-n", "brief", "tkp/checkout"});
  const Status gone = bed_->WaitForKubectl(covered, R"(["shop"])", std::chrono::seconds(10));
  EXPECT_TRUE(gone) << gone.error().message;
}

}  // namespace
}  // namespace tracekeeper
