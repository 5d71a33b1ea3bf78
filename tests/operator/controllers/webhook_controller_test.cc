#include "operator/controllers/webhook_controller.h"

#include <gmock/gmock.h>

#include "tests/operator/controllers/controller_world.h"

namespace tracekeeper::controllers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const kube::ObjectKey kPolicy{"shop", "checkout"};
constexpr std::string_view kSelectAll = R"({"selector":{}})";

class WebhookControllerTest : public ControllerWorld {
 protected:
  WebhookControllerTest() {
    server_.Put(kube::kClusterRoles, R"({"metadata":{"name":"tracekeeper-operator"}})");
    trust_.SetDesired("CERTIFICATE");
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

TEST_F(WebhookControllerTest, PassesTheServersRefusalOn) {
  server_.FailNext({.method = "PATCH", .status = 403});
  const auto result = Reconcile();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kForbidden);
  EXPECT_FALSE(trust_.TrustedSince("CERTIFICATE"));
}

}  // namespace
}  // namespace tracekeeper::controllers
