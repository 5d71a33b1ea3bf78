#include "operator/controllers/tracing_policy_controller.h"

#include <gmock/gmock.h>

#include "operator/domain/names.h"
#include "tests/operator/controllers/controller_world.h"

namespace tracekeeper::controllers {
namespace {

using testing::HasSubstr;
using testing::Not;

const kube::ObjectKey kLocal{"shop", "checkout"};
const kube::ObjectKey kFleet{std::string(kOwnNamespace), "fleet"};
constexpr std::string_view kSelector = R"({"selector":{"matchLabels":{"app":"checkout"}}})";
constexpr std::string_view kFleetSpec =
    R"({"selector":{},"namespaceSelector":{"matchLabels":{"traced":"yes"}}})";

constexpr std::string_view kFinalizer = R"(,"finalizers":["tracekeeper.dev/cleanup"])";

class TracingPolicyControllerTest : public ControllerWorld {
 protected:
  TracingPolicyControllerTest() {
    AddNamespace("shop");
    AddNamespace("cart", R"({"traced":"yes"})");
    AddNamespace("pay", R"({"traced":"yes"})");
  }

  Result<runtime::Requeue> Reconcile(const kube::ObjectKey& key) {
    auto context = Context();
    const auto result = controller_.Reconcile(key, context);
    SyncConfigMaps();
    return result;
  }
  /// As the webhook's controller does, long enough ago.
  void Cover(std::vector<std::string> namespaces) {
    coverage_.SetApplied({.best_effort = std::move(namespaces)}, clock_.Now());
    clock_.Advance(WebhookCoverageLedger::kPropagation);
  }
  std::string StatusOf(const kube::ObjectKey& key, std::string_view type) {
    codec::JsonParser parser;
    const codec::JsonValue policy = *parser.Parse(Stored(api::kTracingPolicies, key));
    for (const codec::JsonValue condition : policy["status"]["conditions"].Elements()) {
      if (condition["type"].StringOr("") != type) continue;
      return fmt::format("{} {}", condition["status"].StringOr(""),
                         condition["reason"].StringOr(""));
    }
    return "";
  }
  std::vector<std::string> ConfigMapNamespaces() {
    std::vector<std::string> result;
    for (const auto& key : server_.Keys(kube::kConfigMaps)) result.push_back(key.namespace_name);
    return result;
  }

  WebhookCoverageLedger coverage_;
  ConfigMaps writer_{client_, config_maps_, config_maps_by_policy_};
  kube::EventRecorder events_{{}, client_, clock_, metrics_, logger_};
  SidecarLedger sidecars_;
  CredentialLedger credentials_;
  TracingPolicyController controller_{{.policies = policies_,
                                       .pods = policy_pods_,
                                       .config_maps = writer_,
                                       .coverage = coverage_,
                                       .sidecars = sidecars_,
                                       .credentials = credentials_},
                                      client_,
                                      events_,
                                      metrics_};
};

TEST_F(TracingPolicyControllerTest, IsReadyOnlyWhenTheWebhookCoversItsNamespace) {
  AddPolicy(kLocal, kSelector);
  ASSERT_TRUE(Reconcile(kLocal));
  EXPECT_THAT(ConfigMapNamespaces(), testing::ElementsAre("shop"));
  EXPECT_EQ(StatusOf(kLocal, "Ready"), "False WebhookNotCovering");
  SyncPolicies();

  Cover({"shop"});
  ASSERT_TRUE(Reconcile(kLocal));
  EXPECT_EQ(StatusOf(kLocal, "Ready"), "True Covered");
}

TEST_F(TracingPolicyControllerTest, WritesNothingWhenNothingChanged) {
  AddPolicy(kLocal, kSelector);
  Cover({"shop"});
  ASSERT_TRUE(Reconcile(kLocal));
  SyncPolicies();
  server_.ForgetRequests();
  clock_.Advance(std::chrono::hours(1));
  ASSERT_TRUE(Reconcile(kLocal));
  EXPECT_EQ(server_.CountWrites(), 0U);
}

TEST_F(TracingPolicyControllerTest, ATransitionIsWrittenOnceThoughTheCacheLags) {
  AddPolicy(kLocal, kSelector);
  Cover({"shop"});
  ASSERT_TRUE(Reconcile(kLocal));
  server_.ForgetRequests();
  ASSERT_TRUE(Reconcile(kLocal));  // the cache still holds the object without a status
  EXPECT_EQ(server_.CountWrites(), 0U);
}

TEST_F(TracingPolicyControllerTest, RepairsAConfigMapThatWasEditedOrDeleted) {
  AddPolicy(kLocal, kSelector);
  ASSERT_TRUE(Reconcile(kLocal));
  const kube::ObjectKey key = server_.Keys(kube::kConfigMaps).at(0);
  const std::string written = Stored(kube::kConfigMaps, key);

  server_.Remove(kube::kConfigMaps, key);
  SyncConfigMaps();
  ASSERT_TRUE(Reconcile(kLocal));
  EXPECT_THAT(Stored(kube::kConfigMaps, key), HasSubstr("config.yaml"));

  std::string edited = written;
  edited.replace(edited.find("policy"), 6, "nobody");
  server_.Put(kube::kConfigMaps, edited);
  SyncConfigMaps();
  ASSERT_TRUE(Reconcile(kLocal));
  EXPECT_THAT(Stored(kube::kConfigMaps, key), Not(HasSubstr("nobody")));
}

TEST_F(TracingPolicyControllerTest, IsNotReadyWhileTheCacheDoesNotKnowItsNamespace) {
  const kube::ObjectKey early{"not-seen-yet", "checkout"};
  AddPolicy(early, kSelector);
  ASSERT_TRUE(Reconcile(early));
  EXPECT_EQ(StatusOf(early, "Ready"), "False WebhookNotCovering");
}

TEST_F(TracingPolicyControllerTest, AFleetPolicyFollowsTheLabelsOfNamespaces) {
  AddPolicy(kFleet, kFleetSpec, kFinalizer);
  ASSERT_TRUE(Reconcile(kFleet));
  EXPECT_THAT(ConfigMapNamespaces(), testing::ElementsAre("cart", "pay"));
  AddNamespace("pay");  // lost its label
  ASSERT_TRUE(Reconcile(kFleet));
  EXPECT_THAT(ConfigMapNamespaces(), testing::ElementsAre("cart"));
}

TEST_F(TracingPolicyControllerTest, AFleetPolicyHasItsFinalizerBeforeItWritesAnywhere) {
  AddPolicy(kFleet, kFleetSpec);
  server_.FailNext({.method = "PATCH", .target_contains = "tracingpolicies", .status = 403});
  ASSERT_TRUE(Reconcile(kFleet));
  EXPECT_TRUE(ConfigMapNamespaces().empty());
  EXPECT_EQ(StatusOf(kFleet, "Ready"), "False ConfigMapNotWritten");

  SyncPolicies();
  ASSERT_TRUE(Reconcile(kFleet));
  EXPECT_THAT(Stored(api::kTracingPolicies, kFleet), HasSubstr("tracekeeper.dev/cleanup"));
  EXPECT_TRUE(ConfigMapNamespaces().empty()) << "it writes when the cache shows the finalizer";
  SyncPolicies();
  ASSERT_TRUE(Reconcile(kFleet));
  EXPECT_FALSE(ConfigMapNamespaces().empty());
}

TEST_F(TracingPolicyControllerTest, ACacheThatLagsBehindTheFinalizerIsNoFailure) {
  AddPolicy(kFleet, kFleetSpec);
  ASSERT_TRUE(Reconcile(kFleet));
  ASSERT_TRUE(Reconcile(kFleet));  // the cache still shows no finalizer
  EXPECT_EQ(StatusOf(kFleet, "Ready"), "");
}

TEST_F(TracingPolicyControllerTest, CleansUpInEveryNamespaceWhateverTheCacheKnows) {
  AddPolicy(kFleet, kFleetSpec, kFinalizer);
  auto context = Context();
  ASSERT_TRUE(controller_.Reconcile(kFleet, context));  // and the cache is not told
  ASSERT_FALSE(ConfigMapNamespaces().empty());
  AddPolicy(
      kFleet, kFleetSpec,
      R"(,"deletionTimestamp":"2026-01-02T03:04:05Z","finalizers":["tracekeeper.dev/cleanup"])");
  ASSERT_TRUE(controller_.Reconcile(kFleet, context));
  EXPECT_TRUE(ConfigMapNamespaces().empty());
  EXPECT_THAT(Stored(api::kTracingPolicies, kFleet), Not(HasSubstr("tracekeeper.dev/cleanup")));
}

TEST_F(TracingPolicyControllerTest, CleansUpWithEverythingElseGone) {
  AddPolicy(
      kFleet, kFleetSpec,
      R"(,"deletionTimestamp":"2026-01-02T03:04:05Z","finalizers":["tracekeeper.dev/cleanup"])");
  EXPECT_TRUE(Reconcile(kFleet));
  EXPECT_THAT(Stored(api::kTracingPolicies, kFleet), Not(HasSubstr("tracekeeper.dev/cleanup")));
}

TEST_F(TracingPolicyControllerTest, SaysWhichConfigMapCouldNotBeWrittenAndWhy) {
  AddPolicy(kLocal, kSelector);
  Cover({"shop"});
  server_.FailNext({.method = "PATCH", .target_contains = "configmaps", .status = 403});
  ASSERT_TRUE(Reconcile(kLocal));
  EXPECT_EQ(StatusOf(kLocal, "Ready"), "False ConfigMapNotWritten");
}

TEST_F(TracingPolicyControllerTest, APausedPolicyWritesNothingButThatItIsPaused) {
  AddPolicy(kLocal, kSelector, R"(,"annotations":{"tracekeeper.dev/paused":"true"})");
  ASSERT_TRUE(Reconcile(kLocal));
  EXPECT_TRUE(ConfigMapNamespaces().empty());
  EXPECT_THAT(Stored(api::kTracingPolicies, kLocal), HasSubstr("Paused"));
}

TEST_F(TracingPolicyControllerTest, CountsPodsAndSaysWhichSlippedThrough) {
  AddPolicy(kLocal, kSelector);
  Cover({"shop"});
  AddInjectedPod("fresh", catalog_.snapshot()->Find(kLocal)->digest);
  AddInjectedPod("old", "other");
  AddPod("shop", "missed", R"("labels":{"app":"checkout"})");
  AddPod("shop", "foreign", R"("labels":{"app":"billing"})");
  ASSERT_TRUE(Reconcile(kLocal));
  const std::string policy = Stored(api::kTracingPolicies, kLocal);
  EXPECT_THAT(policy, HasSubstr(R"("matchedPods":3)"));
  EXPECT_THAT(policy, HasSubstr(R"("injectedPods":2)"));
  EXPECT_THAT(policy, HasSubstr(R"("outdatedPods":2)"));
  EXPECT_THAT(metrics_.Text(), HasSubstr("tracekeeper_policy_matched_pods{"));
}

TEST_F(TracingPolicyControllerTest, SaysInItsStatusWhyPodsAreNotInjected) {
  AddPolicy(kLocal,
            R"({"selector":{"matchLabels":{"app":"checkout"}},
                "injection":{"rollout":{"strategy":"Evict"}}})");
  Cover({"shop"});
  AddInjectedPod("old", "other");
  AddPod("shop", "missed", R"("labels":{"app":"checkout"})");
  AddPod("shop", "missed-too", R"("labels":{"app":"checkout"},"ownerReferences":[{"kind":
      "StatefulSet","name":"db","uid":"00000000-0000-4000-8000-0000000000aa","controller":true}])");
  AddPod("shop", "out", R"("labels":{"app":"checkout","tracekeeper.dev/inject":"false"})");
  ASSERT_TRUE(Reconcile(kLocal));
  const std::string policy = Stored(api::kTracingPolicies, kLocal);
  EXPECT_THAT(policy, HasSubstr(R"({"reason":"missing_injection","pods":2})"));
  EXPECT_THAT(policy, HasSubstr(R"({"reason":"outdated_injection","pods":1})"));
  EXPECT_THAT(policy, HasSubstr(R"({"reason":"skipped_opted_out","pods":1})"));
  EXPECT_THAT(policy, HasSubstr(R"({"reason":"renewal_left_to_owner","pods":2})"))
      << "the two bare pods; db's is renewed";
  EXPECT_THAT(
      metrics_.Text(),
      HasSubstr(R"(tracekeeper_policy_reason_pods{policy="checkout",policy_namespace="shop",)"
                R"(reason="missing_injection"} 2)"));

  SyncPolicies();
  server_.Remove(kube::kPods, {"shop", "out"});
  SyncPods();
  clock_.Advance(domain::kPodCountInterval);
  ASSERT_TRUE(Reconcile(kLocal));
  EXPECT_THAT(Stored(api::kTracingPolicies, kLocal), Not(HasSubstr("skipped_opted_out")));
  EXPECT_THAT(metrics_.Text(), Not(HasSubstr("skipped_opted_out")));
}

TEST_F(TracingPolicyControllerTest, TellsThePolicyAndTheOwnersOfPodsOnceWhyTheyAreNotInjected) {
  AddPolicy(kLocal, kSelector);
  Cover({"shop"});
  constexpr std::string_view kOfDb = R"("labels":{"app":"checkout"},"ownerReferences":[{"kind":
      "StatefulSet","name":"db","uid":"00000000-0000-4000-8000-0000000000aa","controller":true}])";
  AddPod("shop", "db-0", kOfDb);
  AddPod("shop", "db-1", kOfDb);
  events_.Start();
  ASSERT_TRUE(Reconcile(kLocal));
  SyncPolicies();
  clock_.Advance(domain::kPodCountInterval);
  ASSERT_TRUE(Reconcile(kLocal));
  events_.Stop();
  std::size_t of_owner = 0;
  std::size_t of_policy = 0;
  for (const auto& key : server_.Keys(kube::kEvents)) {
    const std::string event = Stored(kube::kEvents, key);
    if (event.find("MissingInjection") == std::string::npos) continue;
    if (event.find(R"("kind":"StatefulSet")") != std::string::npos) ++of_owner;
    if (event.find(R"("kind":"TracingPolicy")") != std::string::npos) ++of_policy;
  }
  EXPECT_EQ(of_owner, 1U) << "one for two pods and two looks";
  EXPECT_EQ(of_policy, 1U);
}

TEST_F(TracingPolicyControllerTest, PodsOfJobsAreNotMissedWhereOldNodesKeepThemOut) {
  server_.Put(kube::kNodes, R"({"metadata":{"name":"old"},
      "status":{"nodeInfo":{"kubeletVersion":"v1.28.9"}}})");
  SyncNodes();
  AddPolicy(kLocal, kSelector);
  Cover({"shop"});
  AddPod("shop", "job", R"("labels":{"app":"checkout"},"ownerReferences":[{"apiVersion":"batch/v1",
      "kind":"Job","name":"j","uid":"00000000-0000-4000-8000-0000000000aa","controller":true}])");
  ASSERT_TRUE(Reconcile(kLocal));
  EXPECT_THAT(Stored(api::kTracingPolicies, kLocal), HasSubstr(R"("matchedPods":0)"));
}

TEST_F(TracingPolicyControllerTest, CountsAloneAreWrittenAtMostOnceInTenSeconds) {
  AddPolicy(kLocal, kSelector);
  Cover({"shop"});
  AddPod("shop", "one", R"("labels":{"app":"checkout"})");
  ASSERT_TRUE(Reconcile(kLocal));
  SyncPolicies();
  server_.ForgetRequests();

  AddPod("shop", "two", R"("labels":{"app":"checkout"})");
  ASSERT_TRUE(Reconcile(kLocal));
  EXPECT_EQ(server_.CountWrites(), 0U);
  clock_.Advance(domain::kPodCountInterval);
  ASSERT_TRUE(Reconcile(kLocal));
  EXPECT_EQ(server_.CountWrites(), 1U);
}

TEST_F(TracingPolicyControllerTest, APolicyThatNeverWinsNamesTheOneThatDoes) {
  AddPolicy(kLocal, kSelector);
  AddPolicy({"shop", "louder"}, R"({"priority":5,"selector":{"matchLabels":{"app":"checkout"}}})");
  AddPod("shop", "web", R"("labels":{"app":"checkout"})");
  Cover({"shop"});
  ASSERT_TRUE(Reconcile(kLocal));
  EXPECT_THAT(Stored(api::kTracingPolicies, kLocal), HasSubstr("shop/louder"));
}

TEST_F(TracingPolicyControllerTest, ADeletedPolicysMetricsEnd) {
  AddPolicy(kLocal, kSelector);
  ASSERT_TRUE(Reconcile(kLocal));
  EXPECT_THAT(metrics_.Text(), HasSubstr(R"(tracekeeper_policies{policy="checkout")"));
  server_.Remove(api::kTracingPolicies, kLocal);
  SyncPolicies();
  ASSERT_TRUE(Reconcile(kLocal));
  EXPECT_THAT(metrics_.Text(), Not(HasSubstr(R"(policy="checkout")")));
}

}  // namespace
}  // namespace tracekeeper::controllers
