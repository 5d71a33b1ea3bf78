#include "operator/domain/plan_webhook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/operator/domain/test_policies.h"

namespace tracekeeper::domain {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<Label> kNone;
const std::vector<Label> kProd = {{"env", "prod"}};
const std::vector<Label> kOptedOut = {{"tracekeeper.dev/inject", "false"}, {"env", "prod"}};

const NamespaceView kNamespaces[] = {
    {"zoo", kNone},
    {"shop", kProd},
    {"cart", kNone},
    {"kube-system", kProd},
    {"tracekeeper-system", kProd},
    {"private", kOptedOut},
};

constexpr std::string_view kRequiredSpec = R"({"injection":{"mode":"Required"}})";

TEST(PlanCoverage, ListsNamespacesOfLocalPoliciesByMode) {
  const PolicySnapshot snapshot({PolicyWith("{}", "zoo/a"), PolicyWith("{}", "cart/b"),
                                 PolicyWith(kRequiredSpec, "shop/c"), PolicyWith("{}", "gone/d")});
  const WebhookCoverage coverage = PlanCoverage(snapshot, kNamespaces, kOperatorNamespace);
  EXPECT_THAT(coverage.best_effort, ElementsAre("cart", "zoo"));
  EXPECT_THAT(coverage.required, ElementsAre("shop"));
  EXPECT_TRUE(coverage.Covers("shop"));
  EXPECT_FALSE(coverage.Covers("gone")) << "a namespace that is not there";
}

TEST(PlanCoverage, RequiredWinsWhereBothModesMeet) {
  const PolicySnapshot snapshot({PolicyWith("{}", "shop/a"), PolicyWith(kRequiredSpec, "shop/b")});
  const WebhookCoverage coverage = PlanCoverage(snapshot, kNamespaces, kOperatorNamespace);
  EXPECT_THAT(coverage.best_effort, IsEmpty());
  EXPECT_THAT(coverage.required, ElementsAre("shop"));
}

TEST(PlanCoverage, AFleetPolicyCoversWhatMatchesButNeverSystemOrOptedOutNamespaces) {
  const PolicySnapshot snapshot({PolicyWith(
      R"({"namespaceSelector":{"matchLabels":{"env":"prod"}}})", "tracekeeper-system/fleet")});
  EXPECT_THAT(PlanCoverage(snapshot, kNamespaces, kOperatorNamespace).best_effort,
              ElementsAre("shop"));
  const PolicySnapshot all({PolicyWith(R"({"namespaceSelector":{}})", "tracekeeper-system/fleet")});
  EXPECT_THAT(PlanCoverage(all, kNamespaces, kOperatorNamespace).best_effort,
              ElementsAre("cart", "shop", "zoo"));
}

TEST(PlanCoverage, APolicyInASystemNamespaceCoversNothing) {
  const PolicySnapshot snapshot(
      {PolicyWith("{}", "kube-system/a"), PolicyWith("{}", "tracekeeper-system/b")});
  EXPECT_EQ(PlanCoverage(snapshot, kNamespaces, kOperatorNamespace), WebhookCoverage());
}

TEST(WebhookConfiguration, DropsAnEntryWithoutNamespaces) {
  const WebhookEndpoint endpoint{.service_namespace = "tracekeeper-system",
                                 .service_name = "tracekeeper-webhook",
                                 .ca_bundle_pem = "pem"};
  const kube::Document none = Json(WebhookConfigurationJson({}, endpoint, std::nullopt));
  EXPECT_TRUE(none["webhooks"].is_array());
  EXPECT_EQ(none["webhooks"].size(), 0U);

  const kube::Document one =
      Json(WebhookConfigurationJson({.required = {"shop"}}, endpoint, std::nullopt));
  ASSERT_EQ(one["webhooks"].size(), 1U);
  const codec::JsonValue entry = *one["webhooks"].Elements().begin();
  EXPECT_EQ(entry["name"].StringOr(""), "required.inject.tracekeeper.dev");
  EXPECT_EQ(entry["failurePolicy"].StringOr(""), "Fail");
  EXPECT_EQ(entry["clientConfig"].ToJson(),
            R"({"caBundle":"cGVt","service":{"namespace":"tracekeeper-system",)"
            R"("name":"tracekeeper-webhook","path":"/inject/required","port":443}})");
  EXPECT_EQ(
      entry["namespaceSelector"].ToJson(),
      R"({"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"In","values":["shop"]}]})");
  EXPECT_EQ(entry["timeoutSeconds"].IntegerOr(0), 2);
  EXPECT_EQ(entry["reinvocationPolicy"].StringOr(""), "IfNeeded");
  EXPECT_EQ(entry["sideEffects"].StringOr(""), "None");
}

TEST(WebhookConfiguration, NamesTheUrlOutsideAClusterAndItsOwner) {
  const kube::OwnerReference owner{.api_version = "rbac.authorization.k8s.io/v1",
                                   .kind = "ClusterRole",
                                   .name = "tracekeeper-operator",
                                   .uid = "u1"};
  const kube::Document object = Json(
      WebhookConfigurationJson({.best_effort = {"a", "b"}},
                               {.url = "https://127.0.0.1:9443/", .ca_bundle_pem = "x"}, owner));
  const codec::JsonValue entry = *object["webhooks"].Elements().begin();
  EXPECT_EQ(entry["failurePolicy"].StringOr(""), "Ignore");
  EXPECT_EQ(entry["clientConfig"]["url"].StringOr(""), "https://127.0.0.1:9443/inject/best-effort");
  EXPECT_FALSE(entry["clientConfig"]["service"]);
  EXPECT_EQ(object["metadata"]["ownerReferences"].ToJson(),
            R"([{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole",)"
            R"("name":"tracekeeper-operator","uid":"u1"}])");
}

TEST(WebhookConfiguration, HasConstantConditionsWhateverThePoliciesSay) {
  const WebhookEndpoint endpoint{.url = "https://h:1"};
  const kube::Document a =
      Json(WebhookConfigurationJson({.best_effort = {"a"}}, endpoint, std::nullopt));
  const kube::Document b =
      Json(WebhookConfigurationJson({.best_effort = {"b", "c"}}, endpoint, std::nullopt));
  EXPECT_EQ((*a["webhooks"].Elements().begin())["matchConditions"].ToJson(),
            (*b["webhooks"].Elements().begin())["matchConditions"].ToJson());
}

}  // namespace
}  // namespace tracekeeper::domain
