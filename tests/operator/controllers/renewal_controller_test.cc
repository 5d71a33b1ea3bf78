#include "operator/controllers/renewal_controller.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/operator/controllers/controller_world.h"

namespace tracekeeper::controllers {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const kube::ObjectKey kPolicy{"shop", "checkout"};

class RenewalControllerTest : public ControllerWorld {
 protected:
  RenewalControllerTest() {
    AddNamespace("shop");
    AddNamespace("cart");
  }

  void AddReadyPolicy(std::string_view strategy, std::string_view extra_metadata = "") {
    AddPolicy(kPolicy,
              fmt::format(R"({{"selector":{{"matchLabels":{{"app":"checkout"}}}},"injection":{{
                  "rollout":{{"strategy":"{}","minInterval":"30s"}}}}}},"status":{{"conditions":[
                  {{"type":"Ready","status":"True","reason":"Covered","message":"m",
                  "observedGeneration":1,"lastTransitionTime":"2026-01-01T00:00:00Z"}}]}})",
                          strategy),
              extra_metadata);
  }
  /// A pod of `kind` `owner` from an hour ago.
  void AddOwnedPod(std::string_view name, std::string_view kind, std::string_view owner,
                   std::string_view ready = "True", std::string_view labels = "") {
    server_.Put(kube::kPods, fmt::format(R"({{"metadata":{{"namespace":"shop","name":"{}",
                    "creationTimestamp":"2026-01-02T02:00:00Z","labels":{{"app":"checkout"{}}},
                    "ownerReferences":[{{"apiVersion":"apps/v1","kind":"{}","name":"{}",
                    "uid":"00000000-0000-4000-8000-0000000000aa","controller":true}}]}},
                    "spec":{{"containers":[{{"name":"app","image":"app:1"}}]}},
                    "status":{{"phase":"Running","conditions":[{{"type":"Ready","status":"{}"}}]}}}})",
                                         name, labels, kind, owner, ready));
    SyncPods();
  }
  void AddBudget(std::int64_t allowed) {
    server_.Put(kPodDisruptionBudgets,
                fmt::format(R"({{"metadata":{{"namespace":"shop","name":"all","generation":1}},
                    "spec":{{"selector":{{"matchLabels":{{"app":"checkout"}}}}}},
                    "status":{{"disruptionsAllowed":{},"observedGeneration":1}}}})",
                            allowed));
    SyncBudgets();
  }
  Result<runtime::Requeue> Reconcile() {
    auto context = Context();
    const auto result = controller_.Reconcile(kPolicy, context);
    return result;
  }
  std::vector<std::string> PodsLeft() {
    std::vector<std::string> names;
    for (const auto& key : server_.Keys(kube::kPods)) names.push_back(key.name);
    return names;
  }
  std::string Journal() {
    codec::JsonParser parser;
    const std::string stored = Stored(api::kTracingPolicies, kPolicy);
    return (*parser.Parse(stored))["status"]["rollout"].ToJson();
  }

  kube::EventRecorder events_{{}, client_, clock_, metrics_, logger_};
  RenewalController controller_{{.policies = policies_,
                                 .pods = policy_pods_,
                                 .budgets = budgets_,
                                 .budgets_by_namespace = budgets_by_namespace_},
                                client_,
                                events_,
                                metrics_};
};

TEST_F(RenewalControllerTest, EvictsOnePodByItsUidAfterTheJournalIsWritten) {
  AddReadyPolicy("Evict");
  AddOwnedPod("db-0", "StatefulSet", "db");
  AddOwnedPod("db-1", "StatefulSet", "db");
  const std::string uid =
      policy_pods_.catalog().is_built() ? pods_.Find({"shop", "db-0"})->UidText() : "";
  server_.ForgetRequests();
  ASSERT_TRUE(Reconcile());
  EXPECT_THAT(PodsLeft(), ElementsAre("db-1"));
  const auto requests = server_.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_THAT(requests[0].target, HasSubstr("tracingpolicies/checkout/status"));
  EXPECT_THAT(requests[1].target, HasSubstr("/pods/db-0/eviction"));
  EXPECT_THAT(requests[1].body, HasSubstr(fmt::format(R"("preconditions":{{"uid":"{}"}})", uid)));
  EXPECT_THAT(Journal(), HasSubstr(R"("workload":"StatefulSet shop/db","state":"Renewing")"));
}

TEST_F(RenewalControllerTest, DoesNotEvictAnotherWhileTheCacheStillShowsTheFirst) {
  AddReadyPolicy("Evict");
  AddOwnedPod("db-0", "StatefulSet", "db");
  AddOwnedPod("db-1", "StatefulSet", "db");
  ASSERT_TRUE(Reconcile());
  ASSERT_TRUE(Reconcile());
  EXPECT_THAT(PodsLeft(), ElementsAre("db-1"));
  SyncPods();
  SyncPolicies();
  ASSERT_TRUE(Reconcile());
  EXPECT_THAT(PodsLeft(), ElementsAre("db-1")) << "its successor is not there yet";
}

TEST_F(RenewalControllerTest, ANewLeaderDoesNotEvictWhatAnotherIsWaitingFor) {
  AddReadyPolicy("Evict");
  AddOwnedPod("db-0", "StatefulSet", "db");
  AddOwnedPod("db-1", "StatefulSet", "db");
  ASSERT_TRUE(Reconcile());
  SyncPods();
  SyncPolicies();
  RenewalController next{{.policies = policies_,
                          .pods = policy_pods_,
                          .budgets = budgets_,
                          .budgets_by_namespace = budgets_by_namespace_},
                         client_,
                         events_,
                         metrics_};
  clock_.Advance(minutes(1));
  auto context = Context();
  ASSERT_TRUE(next.Reconcile(kPolicy, context));
  EXPECT_THAT(PodsLeft(), ElementsAre("db-1"));
}

TEST_F(RenewalControllerTest, ABudgetThatForbidsIsShownWithItsSentenceAndTriedAgainWhenItChanges) {
  AddReadyPolicy("Evict");
  AddOwnedPod("db-0", "StatefulSet", "db");
  AddOwnedPod("db-1", "StatefulSet", "db");
  AddBudget(0);
  server_.FailNext({.method = "POST",
                    .target_contains = "eviction",
                    .status = 429,
                    .reason = "TooManyRequests",
                    .body = R"({"kind":"Status","status":"Failure","reason":"TooManyRequests",
                        "code":429,"message":"Cannot evict pod as it would violate the pod's
                        disruption budget."})"});
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(PodsLeft().size(), 2U) << "one refusal is enough for the workload";
  EXPECT_EQ(server_.CountRequests("eviction"), 1U);
  SyncPolicies();
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(server_.CountRequests("eviction"), 1U) << "not before its time";
  EXPECT_THAT(Journal(), HasSubstr(R"("state":"Waiting")"));
  EXPECT_THAT(Journal(), HasSubstr("disruption budget"));

  AddBudget(2);
  EXPECT_THAT(controller_.Retry("cart"), IsEmpty());
  EXPECT_THAT(controller_.Retry("shop"), ElementsAre(kPolicy));
  SyncPolicies();
  ASSERT_TRUE(Reconcile());
  EXPECT_THAT(PodsLeft(), IsEmpty()) << "the budget decides how many";
  SyncPolicies();
  ASSERT_TRUE(Reconcile());
  EXPECT_THAT(Journal(), Not(HasSubstr("Waiting")));
}

TEST_F(RenewalControllerTest, BarePodsAndPodsOfJobsAreNeverEvicted) {
  AddReadyPolicy("Evict");
  AddPod("shop", "bare", R"("labels":{"app":"checkout"})");
  AddOwnedPod("once-x", "Job", "once");
  AddOwnedPod("set-x", "CloneSet", "set");
  server_.ForgetRequests();
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(PodsLeft().size(), 3U);
  EXPECT_EQ(server_.CountWrites(), 0U);
}

TEST_F(RenewalControllerTest, APausedPolicyAndOneThatIsNotReadyTouchNothing) {
  AddReadyPolicy("Evict", R"(,"annotations":{"tracekeeper.dev/paused":"true"})");
  AddOwnedPod("db-0", "StatefulSet", "db");
  server_.ForgetRequests();
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(server_.CountWrites(), 0U);

  AddReadyPolicy("Evict", R"(,"generation":2)");
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(server_.CountWrites(), 0U) << "Ready is about an older generation";
}

TEST_F(RenewalControllerTest, RestartsTheDeploymentOfAReplicaSetOnceByItsTemplate) {
  server_.Put(kube::kDeployments, R"({"metadata":{"namespace":"shop","name":"web",
      "uid":"00000000-0000-4000-8000-000000000001"},"spec":{"replicas":1,"template":{"metadata":{
      "labels":{"app":"checkout"}}}}})");
  server_.Put(kube::kReplicaSets, R"({"metadata":{"namespace":"shop","name":"web-7c9d",
      "ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"web",
      "uid":"00000000-0000-4000-8000-000000000001","controller":true}]}})");
  AddReadyPolicy("Template");
  AddOwnedPod("web-7c9d-x", "ReplicaSet", "web-7c9d", "True", R"(,"pod-template-hash":"7c9d")");
  ASSERT_TRUE(Reconcile());
  const std::string deployment = Stored(kube::kDeployments, {"shop", "web"});
  EXPECT_THAT(deployment, HasSubstr(R"("tracekeeper.dev/renewed-for":")"));
  EXPECT_THAT(deployment, HasSubstr(R"("labels":{"app":"checkout"})"));
  EXPECT_EQ(PodsLeft().size(), 1U) << "the Deployment does the rest";
  SyncPolicies();
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(server_.CountRequests("PATCH /apis/apps/v1/namespaces/shop/deployments"), 1U);

  // A leader that follows sends the same: nothing changes.
  RenewalController next{{.policies = policies_,
                          .pods = policy_pods_,
                          .budgets = budgets_,
                          .budgets_by_namespace = budgets_by_namespace_},
                         client_,
                         events_,
                         metrics_};
  auto context = Context();
  ASSERT_TRUE(next.Reconcile(kPolicy, context));
  EXPECT_EQ(Stored(kube::kDeployments, {"shop", "web"}), deployment);
}

TEST_F(RenewalControllerTest, RestartsAnArgoRolloutThroughItsReplicaSet) {
  constexpr kube::Resource kRollouts{"argoproj.io", "v1alpha1", "rollouts", "Rollout"};
  server_.Serve(kRollouts);
  server_.Put(kRollouts, R"({"metadata":{"namespace":"shop","name":"web",
      "uid":"00000000-0000-4000-8000-000000000001"},"spec":{"template":{}}})");
  server_.Put(kube::kReplicaSets, R"({"metadata":{"namespace":"shop","name":"web-7c9d",
      "ownerReferences":[{"apiVersion":"argoproj.io/v1alpha1","kind":"Rollout","name":"web",
      "uid":"00000000-0000-4000-8000-000000000001","controller":true}]}})");
  AddReadyPolicy("Template");
  AddOwnedPod("web-7c9d-x", "ReplicaSet", "web-7c9d", "True",
              R"(,"rollouts-pod-template-hash":"7c9d")");
  ASSERT_TRUE(Reconcile());
  EXPECT_THAT(Stored(kRollouts, {"shop", "web"}), HasSubstr("tracekeeper.dev/renewed-for"));
  EXPECT_THAT(Journal(), HasSubstr("Rollout shop/web"));
}

TEST_F(RenewalControllerTest, APolicyThatIsDeletedIsForgotten) {
  AddReadyPolicy("Evict");
  AddOwnedPod("db-0", "StatefulSet", "db");
  server_.Remove(api::kTracingPolicies, kPolicy);
  SyncPolicies();
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(PodsLeft().size(), 1U);
}

TEST_F(RenewalControllerTest, ARightThatIsMissingIsSaidInTheJournal) {
  AddReadyPolicy("Template");
  AddOwnedPod("db-0", "StatefulSet", "db");
  server_.FailNext({.method = "GET", .target_contains = "statefulsets", .status = 403});
  ASSERT_TRUE(Reconcile());
  SyncPolicies();
  ASSERT_TRUE(Reconcile());
  EXPECT_THAT(Journal(), HasSubstr("statefulsets"));
  EXPECT_THAT(Journal(), HasSubstr("rollout.template")) << "what to do";
}

}  // namespace
}  // namespace tracekeeper::controllers
