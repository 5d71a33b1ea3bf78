#include "operator/domain/plan_webhook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/domain/webhook_probe.h"
#include "src/codec/json_patch.h"
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
  const kube::Document none = Json(PlanWebhookConfiguration({}, endpoint, std::nullopt).json);
  EXPECT_TRUE(none["webhooks"].is_array());
  EXPECT_EQ(none["webhooks"].size(), 1U) << "the probe's entry is always there";

  const kube::Document one =
      Json(PlanWebhookConfiguration({.required = {"shop"}}, endpoint, std::nullopt).json);
  ASSERT_EQ(one["webhooks"].size(), 2U);
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
  const kube::Document object =
      Json(PlanWebhookConfiguration({.best_effort = {"a", "b"}},
                                    {.url = "https://127.0.0.1:9443/", .ca_bundle_pem = "x"}, owner)
               .json);
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
      Json(PlanWebhookConfiguration({.best_effort = {"a"}}, endpoint, std::nullopt).json);
  const kube::Document b =
      Json(PlanWebhookConfiguration({.best_effort = {"b", "c"}}, endpoint, std::nullopt).json);
  EXPECT_EQ((*a["webhooks"].Elements().begin())["matchConditions"].ToJson(),
            (*b["webhooks"].Elements().begin())["matchConditions"].ToJson());
}

codec::JsonValue EntryNamed(const kube::Document& configuration, std::string_view name) {
  for (const codec::JsonValue entry : configuration["webhooks"].Elements()) {
    if (entry["name"].StringOr("") == name) return entry;
  }
  return {};
}

TEST(WebhookConfiguration, HasAProbeThatConcernsOneConfigMapOfTheOperatorsNamespace) {
  const WebhookEndpoint endpoint{.url = "https://h:1", .service_namespace = "tracekeeper-system"};
  const WebhookConfiguration planned =
      PlanWebhookConfiguration({.best_effort = {"a"}}, endpoint, std::nullopt);
  const kube::Document object = Json(planned.json);
  const codec::JsonValue probe = EntryNamed(object, kProbeWebhook);
  EXPECT_EQ(probe["clientConfig"]["url"].StringOr(""), "https://h:1/probe");
  EXPECT_EQ((*probe["rules"].Elements().begin())["resources"].ToJson(), R"(["configmaps"])");
  EXPECT_EQ(
      probe["namespaceSelector"].ToJson(),
      R"({"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"In","values":["tracekeeper-system"]}]})");
  EXPECT_EQ(probe["objectSelector"]["matchLabels"][kProbeLabel].StringOr(""), planned.probe_token);
  EXPECT_LE(planned.probe_token.size(), 63U) << "a label value";
  EXPECT_EQ(probe["failurePolicy"].StringOr(""), "Fail") << "so that the answer says why";
}

TEST(WebhookConfiguration, GivesEachConfigurationAProbeTokenOfItsOwn) {
  const WebhookEndpoint before{.url = "https://h:1", .ca_bundle_pem = "old"};
  const WebhookEndpoint after{.url = "https://h:1", .ca_bundle_pem = "old and new"};
  const WebhookCoverage coverage{.best_effort = {"a"}};
  const auto token = [](const WebhookConfiguration& planned) { return planned.probe_token; };
  const std::string first = token(PlanWebhookConfiguration(coverage, before, std::nullopt));
  EXPECT_EQ(token(PlanWebhookConfiguration(coverage, before, std::nullopt)), first);
  EXPECT_NE(token(PlanWebhookConfiguration(coverage, after, std::nullopt)), first);
  EXPECT_NE(token(PlanWebhookConfiguration({.required = {"a"}}, before, std::nullopt)), first);
}

struct Installation {
  const char* name;
  const char* observed;  // namespace of the Service that the configuration calls
  const char* url;       // of this operator
  bool is_other;
};

class Installations : public testing::TestWithParam<Installation> {};

TEST_P(Installations, AreToldApartByTheNamespaceOfTheirService) {
  const WebhookEndpoint ours{.url = GetParam().url, .service_namespace = "tracekeeper-system"};
  const auto other = OtherInstallation(GetParam().observed, ours);
  ASSERT_EQ(other.has_value(), GetParam().is_other);
  if (!other) return;
  EXPECT_THAT(*other, testing::HasSubstr("already installed in namespace observability"));
  EXPECT_THAT(*other, testing::HasSubstr("kubectl delete mutatingwebhookconfiguration"));
}

INSTANTIATE_TEST_SUITE_P(Rows, Installations,
                         testing::Values(Installation{"Ours", "tracekeeper-system", "", false},
                                         Installation{"Anothers", "observability", "", true},
                                         Installation{"OneThatIsCalledByUrl", "", "", false},
                                         Installation{"OursIsCalledByUrl", "observability",
                                                      "https://127.0.0.1:1", false}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(WebhookProbe, ItsAnswerAppliesToItsConfigMapAndIsRecognised) {
  const std::string asked = ProbeConfigMapJson("tracekeeper-system", "token");
  EXPECT_FALSE(IsProbeAnswered(Json(asked).root()));
  const auto marked = codec::ApplyJsonPatch(asked, ProbeAnswerPatch());
  ASSERT_TRUE(marked);
  EXPECT_TRUE(IsProbeAnswered(Json(*marked).root()));
}

}  // namespace
}  // namespace tracekeeper::domain
