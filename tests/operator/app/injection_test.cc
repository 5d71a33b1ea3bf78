// The main job on a real API server: a policy is applied, becomes Ready, and pods are created with
// the sidecar in them.

#include <fmt/format.h>

#include "tests/operator/app/operator_suite.h"

namespace tracekeeper {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kSidecar = "tracekeeper-sidecar";

class Injection : public OperatorSuite {
 protected:
  static void SetUpTestSuite() {
    OperatorSuite::SetUpTestSuite();
    ApplyReady({.namespace_name = "shop",
                .spec = "selector: {matchLabels: {app: checkout}}, export: {endpoint: "
                        "'http://collector.observability:4317', protocol: grpc}"});
  }
};

TEST_F(Injection, APodThatAPolicySelectsGetsTheSidecarFirst) {
  EXPECT_TRUE(CreatePod("shop", "selected", "checkout").ok());
  EXPECT_EQ(FirstInitContainer("shop", "selected"), kSidecar);
  EXPECT_THAT(Kubectl({"get", "pod", "-n", "shop", "selected", "-o",
                       "jsonpath={.spec.containers[0].env[*].name}"}),
              HasSubstr("OTEL_EXPORTER_OTLP_ENDPOINT"));
}

TEST_F(Injection, APodThatNoPolicySelectsIsLeftAlone) {
  EXPECT_TRUE(CreatePod("shop", "other", "billing").ok());
  EXPECT_EQ(FirstInitContainer("shop", "other"), "");
}

TEST_F(Injection, TheApplicationsTokenIsNotMountedIntoTheSidecar) {
  EXPECT_TRUE(CreatePod("shop", "token", "checkout").ok());
  const auto mounts = [](std::string_view where) {
    return Kubectl({"get", "pod", "-n", "shop", "token", "-o",
                    fmt::format("jsonpath={{.spec.{}[0].volumeMounts[*].name}}", where)});
  };
  EXPECT_THAT(mounts("containers"), HasSubstr("kube-api-access"));
  EXPECT_THAT(mounts("initContainers"), Not(HasSubstr("kube-api-access")));
}

TEST_F(Injection, TheSidecarsConfigurationIsThereBeforeThePolicyIsReady) {
  EXPECT_THAT(
      Kubectl({"get", "configmap", "-n", "shop", "-l", "app.kubernetes.io/managed-by=tracekeeper",
               "-o", "jsonpath={.items[0].data.config\\.yaml}"}),
      HasSubstr("collector.observability"));
}

TEST_F(Injection, TheColumnsSayHowAPolicyStands) {
  const std::string table = Kubectl({"get", "tkp", "-n", "shop"});
  EXPECT_THAT(table, testing::ContainsRegex("NAME +READY +PODS +INJECTED"));
  EXPECT_THAT(table, testing::ContainsRegex("checkout +True"));
}

TEST_F(Injection, ACompliantPodStaysCompliantUnderRestrictedPodSecurity) {
  ApplyReady({.namespace_name = "restricted"}, "{pod-security.kubernetes.io/enforce: restricted}");
  constexpr std::string_view kCompliant =
      ", securityContext: {runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: "
      "{drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}";
  const auto created = CreatePod("restricted", "web", "checkout", kCompliant);
  EXPECT_TRUE(created.ok()) << created.err;
  EXPECT_EQ(FirstInitContainer("restricted", "web"), kSidecar);
}

TEST_F(Injection, APolicyThatChangesItsModeMovesItsNamespaceToTheOtherEntry) {
  const auto entry_of = [](std::string_view name) {
    return Kubectl({"get", "mutatingwebhookconfiguration", "tracekeeper", "-o",
                    fmt::format("jsonpath={{.webhooks[?(@.failurePolicy=='{}')]"
                                ".namespaceSelector.matchExpressions[0].values}}",
                                name)});
  };
  ApplyReady({.namespace_name = "moving"});
  EXPECT_THAT(entry_of("Ignore"), HasSubstr("moving"));
  EXPECT_THAT(entry_of("Fail"), Not(HasSubstr("moving")));
  ApplyReady({.namespace_name = "moving", .spec = "selector: {}, injection: {mode: Required}"});
  const auto moved =
      bed_->WaitForKubectl({"get", "mutatingwebhookconfiguration", "tracekeeper", "-o",
                            "jsonpath={.webhooks[?(@.failurePolicy=='Fail')].namespaceSelector}"},
                           "moving", std::chrono::seconds(10));
  EXPECT_TRUE(moved) << moved.error().message;
  EXPECT_THAT(entry_of("Ignore"), Not(HasSubstr("moving")));
}

TEST_F(Injection, APolicyDeletedWhilePodsAreCreatedCostsNoPod) {
  ApplyReady({.namespace_name = "ending"});
  for (int i = 0; i < 20; ++i) {
    if (i == 5) Kubectl({"delete", "-n", "ending", "tkp/checkout", "--wait=false"});
    const auto created = CreatePod("ending", fmt::format("web-{}", i), "checkout");
    EXPECT_TRUE(created.ok()) << created.err;
  }
}

TEST_F(Injection, ADeletedPolicyTakesItsNamespaceAndItsConfigMapAlong) {
  ApplyReady({.namespace_name = "brief"});
  const std::string namespaces =
      "jsonpath={.webhooks[?(@.failurePolicy=='Ignore')].namespaceSelector.matchExpressions[0]."
      "values}{'\\n'}";
  const std::vector<std::string> covered = {"get", "mutatingwebhookconfiguration", "tracekeeper",
                                            "-o", namespaces};
  EXPECT_THAT(Kubectl(covered), HasSubstr("\"brief\""));
  // The garbage collector does the rest; it learns of a new kind within 30 s.
  EXPECT_EQ(
      Kubectl({"get", "configmap", "-n", "brief", "-l", "app.kubernetes.io/managed-by=tracekeeper",
               "-o", "jsonpath={.items[0].metadata.ownerReferences[0].uid}"}),
      Kubectl({"get", "tkp", "-n", "brief", "checkout", "-o", "jsonpath={.metadata.uid}"}));

  Kubectl({"delete", "-n", "brief", "tkp/checkout"});
  const bool gone = test_support::Eventually(
      [&] { return Kubectl(covered).find("\"brief\"") == std::string::npos; },
      std::chrono::seconds(10));
  EXPECT_TRUE(gone);
}

}  // namespace
}  // namespace tracekeeper
