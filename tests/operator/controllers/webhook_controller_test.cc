#include "operator/controllers/webhook_controller.h"

#include <gmock/gmock.h>

#include "tests/operator/controllers/controller_world.h"

namespace tracekeeper::controllers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const kube::ObjectKey kPolicy{"shop", "checkout"};
/// The probe's ConfigMap after the webhook saw it, and as it comes back when nobody did.
constexpr std::string_view kMarked =
    R"({"metadata":{"annotations":{"tracekeeper.dev/webhook-answered":"true"}}})";
constexpr std::string_view kUnmarked = R"({"metadata":{"annotations":{}}})";
constexpr std::string_view kRefusedConnection =
    R"({"kind":"Status","status":"Failure","reason":"InternalError","code":500,"message":"Internal )"
    R"(error occurred: failed calling webhook \"probe.inject.tracekeeper.dev\": failed to call )"
    R"(webhook: Post \"https://hook.svc:443/probe?timeout=2s\": connection refused"})";
constexpr std::string_view kSelectAll = R"({"selector":{}})";

class WebhookControllerTest : public ControllerWorld {
 protected:
  WebhookControllerTest() {
    server_.Put(kube::kClusterRoles, R"({"metadata":{"name":"tracekeeper-operator"}})");
    trust_.SetDesired("CERTIFICATE");
    AnswerProbes({.status = 201, .body = std::string(kMarked)});
    AddNamespace("shop");
    AddNamespace("cart");
    AddPolicy(kPolicy, kSelectAll);
  }

  Result<runtime::Requeue> Reconcile() {
    auto context = Context();
    const auto result = controller_.Reconcile(WebhookController::Key(), context);
    SyncWebhooks();
    return result;
  }
  std::string Configuration() {
    return Stored(kube::kMutatingWebhookConfigurations, WebhookController::Key());
  }

  /// What the API server answers to every probe from now on.
  void AnswerProbes(test_support::Fault answer) {
    server_.ForgetFaults();
    answer.method = "POST";
    answer.target_contains = "dryRun=All";
    answer.times = 1'000'000;
    server_.FailNext(std::move(answer));
  }

  std::string RoleUid() {
    codec::JsonParser parser;
    const codec::JsonValue role =
        *parser.Parse(Stored(kube::kClusterRoles, {"", "tracekeeper-operator"}));
    return std::string(role["metadata"]["uid"].StringOr(""));
  }

  WebhookCoverageLedger coverage_;
  WebhookTrust trust_;
  std::vector<kube::ObjectKey> notified_;
  WebhookController controller_{
      {.endpoint = {.service_namespace = std::string(kOwnNamespace), .service_name = "hook"},
       .owner_cluster_role = "tracekeeper-operator",
       .notify_policy = [this](const kube::ObjectKey& policy) { notified_.push_back(policy); }},
      client_,
      catalog_,
      namespaces_,
      webhooks_,
      coverage_,
      trust_};
};

TEST_F(WebhookControllerTest, CoversANamespaceOnlyOnceItsConfigMapIsWritten) {
  ASSERT_TRUE(Reconcile());
  EXPECT_THAT(Configuration(), Not(HasSubstr("shop")));
  coverage_.SetPrepared(kPolicy, {"shop"});
  ASSERT_TRUE(Reconcile());
  EXPECT_THAT(Configuration(), HasSubstr(R"("values":["shop"])"));
  EXPECT_THAT(notified_, ElementsAre(kPolicy));
}

TEST_F(WebhookControllerTest, AppliesNothingTwice) {
  coverage_.SetPrepared(kPolicy, {"shop"});
  ASSERT_TRUE(Reconcile());
  server_.ForgetRequests();
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(server_.CountWrites(), 0U);
}

TEST_F(WebhookControllerTest, RepairsWhatSomebodyElseChanged) {
  coverage_.SetPrepared(kPolicy, {"shop"});
  ASSERT_TRUE(Reconcile());
  server_.Remove(kube::kMutatingWebhookConfigurations, WebhookController::Key());
  SyncWebhooks();
  ASSERT_TRUE(Reconcile());
  EXPECT_THAT(Configuration(), HasSubstr("shop"));
}

TEST_F(WebhookControllerTest, IsOwnedByTheClusterRoleAsItIsNow) {
  ASSERT_TRUE(Reconcile());
  EXPECT_THAT(Configuration(), HasSubstr(RoleUid()));
  const std::string stale = RoleUid();
  server_.Remove(kube::kClusterRoles, {"", "tracekeeper-operator"});
  server_.Put(kube::kClusterRoles, R"({"metadata":{"name":"tracekeeper-operator"}})");
  coverage_.SetPrepared(kPolicy, {"shop"});
  ASSERT_TRUE(Reconcile());
  EXPECT_THAT(Configuration(), HasSubstr(RoleUid()));
  EXPECT_THAT(Configuration(), Not(HasSubstr(stale)));
}

TEST_F(WebhookControllerTest, WithoutAClusterRoleItHasNoOwnerAndSaysSo) {
  server_.Remove(kube::kClusterRoles, {"", "tracekeeper-operator"});
  ASSERT_TRUE(Reconcile());
  EXPECT_THAT(Configuration(), Not(HasSubstr("ownerReferences")));
  EXPECT_THAT(LogText(), HasSubstr("Found no ClusterRole"));
}

TEST_F(WebhookControllerTest, LeavesAnotherInstallationsConfigurationAlone) {
  server_.Put(kube::kMutatingWebhookConfigurations,
              R"({"metadata":{"name":"tracekeeper"},"webhooks":[{"name":"probe.inject.tracekeeper.)"
              R"(dev","clientConfig":{"service":{"namespace":"observability","name":"hook"}}}]})");
  SyncWebhooks();
  server_.ForgetRequests();
  const auto refused = Reconcile();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("already installed in namespace observability"));
  EXPECT_EQ(server_.CountWrites(), 0U);

  server_.Remove(kube::kMutatingWebhookConfigurations, WebhookController::Key());
  SyncWebhooks();
  EXPECT_TRUE(Reconcile());
  EXPECT_TRUE(controller_.CheckIsOurs());
}

TEST_F(WebhookControllerTest, WaitsForACertificate) {
  WebhookTrust empty;
  WebhookController controller({.notify_policy = [](const auto&) {}}, client_, catalog_,
                               namespaces_, webhooks_, coverage_, empty);
  auto context = Context();
  ASSERT_TRUE(controller.Reconcile(WebhookController::Key(), context));
  EXPECT_EQ(server_.CountWrites(), 0U);
}

TEST_F(WebhookControllerTest, ANewLeaderKeepsWhatIsCoveredUntilPoliciesWereLookedAt) {
  coverage_.SetPrepared(kPolicy, {"shop"});
  ASSERT_TRUE(Reconcile());

  WebhookCoverageLedger fresh;
  WebhookController successor(
      {.endpoint = {.service_namespace = std::string(kOwnNamespace), .service_name = "hook"},
       .owner_cluster_role = "tracekeeper-operator",
       .notify_policy = [](const auto&) {}},
      client_, catalog_, namespaces_, webhooks_, fresh, trust_);
  auto context = Context();
  ASSERT_TRUE(successor.Reconcile(WebhookController::Key(), context));
  EXPECT_THAT(Configuration(), HasSubstr("shop"));
}

TEST_F(WebhookControllerTest, TellsSinceWhenTheBundleIsTrusted) {
  EXPECT_FALSE(trust_.TrustedSince("CERTIFICATE"));
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(trust_.TrustedSince("CERTIFICATE"), clock_.Now());
}

TEST_F(WebhookControllerTest, ANamespaceIsCoveredOnlyOnceTheApiServerCallsByTheNewConfiguration) {
  AnswerProbes({.status = 201, .body = std::string(kUnmarked)});
  coverage_.SetPrepared(kPolicy, {"shop"});
  ASSERT_TRUE(Reconcile());
  clock_.Advance(std::chrono::hours(1));
  EXPECT_THAT(coverage_.Uncovered({"shop"}, clock_.Now()), ElementsAre("shop"));
  EXPECT_TRUE(notified_.empty());

  AnswerProbes({.status = 201, .body = std::string(kMarked)});
  ASSERT_TRUE(Reconcile());
  clock_.Advance(WebhookCoverageLedger::kPropagation);
  EXPECT_THAT(coverage_.Uncovered({"shop"}, clock_.Now()), IsEmpty());
  EXPECT_THAT(notified_, ElementsAre(kPolicy));
}

TEST_F(WebhookControllerTest, SaysThatTheApiServerCannotCallTheWebhookOnceItLasts) {
  coverage_.SetPrepared(kPolicy, {"shop"});
  AnswerProbes({.status = 500, .body = std::string(kRefusedConnection)});
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(coverage_.trouble(), "") << "replicas come and go";
  clock_.Advance(WebhookController::kPatience);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(coverage_.trouble(),
            "The API server cannot call the webhook: Post "
            "\"https://hook.svc:443/probe?timeout=2s\": connection refused");
  EXPECT_THAT(notified_, ElementsAre(kPolicy));
  ASSERT_TRUE(Reconcile());
  EXPECT_THAT(notified_, ElementsAre(kPolicy)) << "said once";

  AnswerProbes({.status = 201, .body = std::string(kMarked)});
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(coverage_.trouble(), "");
  EXPECT_THAT(notified_, ElementsAre(kPolicy, kPolicy));
  EXPECT_THAT(LogText(), HasSubstr("can call the webhook again"));
}

TEST_F(WebhookControllerTest, TrustDoesNotWaitForTheProbe) {
  AnswerProbes({.status = 500, .body = std::string(kRefusedConnection)});
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(trust_.TrustedSince("CERTIFICATE"), clock_.Now())
      << "an expired certificate could never be replaced";
}

TEST_F(WebhookControllerTest, WhereAnotherRuleRefusesTheProbeTheApplyHasToDo) {
  coverage_.SetPrepared(kPolicy, {"shop"});
  AnswerProbes({.status = 403});
  ASSERT_TRUE(Reconcile());
  clock_.Advance(WebhookCoverageLedger::kPropagation);
  EXPECT_THAT(coverage_.Uncovered({"shop"}, clock_.Now()), IsEmpty());
  EXPECT_THAT(LogText(), HasSubstr("Cannot prove that the webhook is in force"));
}

TEST_F(WebhookControllerTest, AProbeWithoutAnswerIsTriedAgain) {
  coverage_.SetPrepared(kPolicy, {"shop"});
  AnswerProbes({.error = Error{ErrorKind::kUnavailable, "connection reset"}});
  EXPECT_FALSE(Reconcile());
  EXPECT_THAT(coverage_.Uncovered({"shop"}, clock_.Now()), ElementsAre("shop"));
}

TEST_F(WebhookControllerTest, PassesTheServersRefusalOn) {
  server_.FailNext({.method = "PATCH", .status = 403});
  const auto result = Reconcile();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kForbidden);
  EXPECT_FALSE(trust_.TrustedSince("CERTIFICATE"));
}

}  // namespace
}  // namespace tracekeeper::controllers
