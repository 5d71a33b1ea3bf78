// What happens to pods and policies when something else fails: the operator is gone, the API server
// restarts, the owner of the webhook configuration is deleted.

#include <csignal>

#include "tests/operator/app/operator_suite.h"

namespace tracekeeper {
namespace {

using testing::HasSubstr;

constexpr std::string_view kSidecar = "tracekeeper-sidecar";

class Failure : public OperatorSuite {};

TEST_F(Failure, WithoutAnOperatorOnlyPodsOfRequiredPoliciesWait) {
  ApplyReady({.namespace_name = "easy"});
  ApplyReady({.namespace_name = "strict",
              .spec = "selector: {matchLabels: {app: checkout}}, injection: {mode: Required}"});
  Kubectl({"create", "namespace", "free"});
  operator_->process().Signal(SIGKILL);
  operator_.reset();

  EXPECT_TRUE(CreatePod("free", "web", "checkout").ok());
  EXPECT_TRUE(CreatePod("easy", "web", "checkout").ok());
  EXPECT_EQ(FirstInitContainer("easy", "web"), "") << "best effort: made without the sidecar";
  const auto refused = CreatePod("strict", "web", "checkout");
  EXPECT_FALSE(refused.ok());
  EXPECT_THAT(refused.err, HasSubstr("required.inject.tracekeeper.dev"));

  StartOperator();
  EXPECT_TRUE(CreatePod("strict", "web", "checkout").ok());
  EXPECT_EQ(FirstInitContainer("strict", "web"), kSidecar);
  // The one that slipped through is found and counted.
  const Status counted = bed_->WaitForKubectl(
      {"get", "tkp", "-n", "easy", "checkout", "-o", "jsonpath={.status.outdatedPods}"}, "1",
      std::chrono::seconds(30));
  EXPECT_TRUE(counted) << counted.error().message;
}

TEST_F(Failure, AnApiServerThatRestartsLosesNothing) {
  ApplyReady({.namespace_name = "steady"});
  const Status restarted = bed_->Restart(test_support::BedPart::kApiServer);
  ASSERT_TRUE(restarted) << restarted.error().message;
  EXPECT_TRUE(CreatePod("steady", "web", "checkout").ok());
  EXPECT_EQ(FirstInitContainer("steady", "web"), kSidecar);
  // Watches resume: what is applied after the restart is seen.
  ApplyReady({.namespace_name = "after-restart"});
  EXPECT_TRUE(operator_->process().IsRunning());
}

TEST_F(Failure, WatchesSurviveACompactionOfEtcd) {
  const auto compacted = bed_->Compact();
  ASSERT_TRUE(compacted) << compacted.error().message;
  const Status restarted = bed_->Restart(test_support::BedPart::kApiServer);
  ASSERT_TRUE(restarted) << restarted.error().message;
  ApplyReady({.namespace_name = "after-compaction"});
  // The API server's own watch of webhook configurations lost its place too. Ready waits for it.
  EXPECT_TRUE(CreatePod("after-compaction", "web", "checkout").ok());
  EXPECT_EQ(FirstInitContainer("after-compaction", "web"), kSidecar);
}

TEST_F(Failure, AWebhookThatTheApiServerCannotCallIsSaidSo) {
  operator_.reset();
  // The API server is sent to a port where nobody listens, as by a firewall between them.
  StartOperator({.webhook_url = "https://127.0.0.1:1"});
  Apply({.namespace_name = "unreachable"});
  const Status said =
      bed_->WaitForKubectl({"get", "tkp", "-n", "unreachable", "checkout", "-o",
                            "jsonpath={.status.conditions[?(@.type==\"Ready\")].message}"},
                           "connection refused", std::chrono::seconds(30));
  EXPECT_TRUE(said) << said.error().message;

  operator_.reset();
  StartOperator();
  ApplyReady({.namespace_name = "reachable"});
}

TEST_F(Failure, TheWebhookConfigurationGoesWithTheChartsClusterRole) {
  ApplyReady({.namespace_name = "owned"});
  // A chart that is uninstalled takes the operator along too; here only its ClusterRole goes.
  operator_->process().Signal(SIGKILL);
  operator_.reset();
  Kubectl({"delete", "clusterrole", "tracekeeper-operator"});
  const bool gone = test_support::Eventually(
      [] { return !bed_->RunKubectl({"get", "mutatingwebhookconfiguration", "tracekeeper"}).ok(); },
      std::chrono::seconds(20));
  EXPECT_TRUE(gone);

  const Status installed = test_support::InstallTracekeeper(*bed_);
  ASSERT_TRUE(installed) << installed.error().message;
  StartOperator();
  ApplyReady({.name = "again", .namespace_name = "owned"});
}

}  // namespace
}  // namespace tracekeeper
