// Credentials with the real operator, with the rights of its chart, before a real API server and a
// real Vault whose policy allows what docs/credentials.md says and no more.

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "operator/domain/audit_chain.h"
#include "operator/domain/audit_log.h"
#include "src/codec/json_value.h"
#include "tests/operator/app/rotation_suite.h"

namespace tracekeeper {
namespace {

using test_support::Eventually;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

constexpr std::string_view kVaultPolicy = R"(
path "secret/data/shop/*"     { capabilities = ["create", "read", "update"] }
path "secret/metadata/shop/*" { capabilities = ["read", "patch"] }
path "secret/destroy/shop/*"  { capabilities = ["update"] }
path "pki/issue/payments"     { capabilities = ["update"] }
path "pki/revoke"             { capabilities = ["update"] }
path "transit/keys/signing"        { capabilities = ["read"] }
path "transit/keys/signing/rotate" { capabilities = ["update"] }
path "transit/keys/signing/config" { capabilities = ["update"] }
)";

class Rotation : public RotationSuite {
 protected:
  static void SetUpTestSuite() {
    VaultSuite::SetUpTestSuite();
    ASSERT_NO_FATAL_FAILURE(AllowInVault(kVaultPolicy));
    ASSERT_TRUE(vault_->Write("sys/mounts/secret", R"({"type":"kv","options":{"version":"2"}})"));
    ASSERT_TRUE(vault_->Write("sys/mounts/pki", R"({"type":"pki"})"));
    ASSERT_TRUE(
        vault_->Write("pki/root/generate/internal", R"({"common_name":"shop","ttl":"8760h"})"));
    ASSERT_TRUE(
        vault_->Write("pki/roles/payments",
                      R"({"allowed_domains":"shop.svc","allow_subdomains":true,"ttl":"72h"})"));
    ASSERT_TRUE(vault_->Write("sys/mounts/transit", R"({"type":"transit"})"));
    ASSERT_TRUE(vault_->Write("transit/keys/signing", R"({"type":"ecdsa-p256"})"));
    ApplyConnection({.name = "vault"});
    ASSERT_TRUE(BecomesReadyAs("vault", "True LoggedIn")) << Condition("vault", "Ready");
  }

  static std::string InVault(const std::string& path, std::string_view key) {
    const auto answer = vault_->Read("secret/data/" + path);
    if (!answer) return answer.error().message;
    codec::JsonParser parser;
    return std::string((*parser.Parse(*answer))["data"]["data"][key].StringOr(""));
  }
  /// How many keys a ConfigMap's key set has.
  static std::size_t KeysIn(const std::string& config_map) {
    const std::string text = Kubectl(
        {"-n", "shop", "get", "configmap", config_map, "-o", "jsonpath={.data.jwks\\.json}"});
    codec::JsonParser parser;
    const auto root = parser.Parse(text);
    return root ? (*root)["keys"].size() : 0;
  }
};

TEST_F(Rotation, OfAGeneratedValueGoesFromAdoptedToRetired) {
  ASSERT_TRUE(vault_->Write("secret/data/shop/db",
                            R"({"data":{"username":"checkout","password":"from-a-person"}})"));
  ApplyCredential("db", "path: shop/db", "generate: {type: password}, overlap: 3s",
                  ", template: {url: \"db://{{ username }}:{{ password }}@db\"}");
  ASSERT_TRUE(IsAt("db", "Idle 1")) << View("db");
  EXPECT_EQ(ValueOf("db", "password"), "from-a-person") << "what is there is adopted";
  EXPECT_EQ(ValueOf("db", "url"), "db://checkout:from-a-person@db");
  EXPECT_EQ(ValueOf("db", "tracekeeper.version"), "1");
  EXPECT_TRUE(Rotated("db").starts_with("True Rotated")) << Rotated("db");

  AskFor("db", "first");
  ASSERT_TRUE(IsAt("db", "Drain 2")) << View("db");
  const std::string made = ValueOf("db", "password");
  EXPECT_EQ(made.size(), 32U);
  EXPECT_EQ(ValueOf("db", "password.previous"), "from-a-person");
  EXPECT_EQ(InVault("shop/db", "password"), made);
  EXPECT_EQ(InVault("shop/db", "username"), "checkout") << "other keys are kept";

  ASSERT_TRUE(IsAt("db", "Idle 2")) << View("db");
  EXPECT_EQ(ValueOf("db", "password.previous"), "");
  EXPECT_EQ(ValueOf("db", "password"), made);
  const auto metadata = vault_->Read("secret/metadata/shop/db");
  ASSERT_TRUE(metadata) << metadata.error().message;
  codec::JsonParser parser;
  const auto versions = (*parser.Parse(*metadata))["data"]["versions"];
  EXPECT_TRUE(versions["1"]["destroyed"].BoolOr(false)) << *metadata;
  EXPECT_FALSE(versions["2"]["destroyed"].BoolOr(true)) << *metadata;
  EXPECT_FALSE(versions["3"]) << "no version was made twice: " << *metadata;
}

TEST_F(Rotation, AskedForTwiceAtOnceHappensTwice) {
  ApplyCredential("twice", "path: shop/twice", "generate: {type: ed25519}, overlap: 1s");
  ASSERT_TRUE(IsAt("twice", "Idle 1")) << View("twice");
  EXPECT_THAT(ValueOf("twice", "private-key.pem"), HasSubstr("BEGIN PRIVATE KEY"));
  AskFor("twice", "a");
  AskFor("twice", "b");
  EXPECT_TRUE(IsAt("twice", "Idle 3", 60s)) << View("twice");
}

TEST_F(Rotation, FollowsAVersionThatSomebodyElseWritesAndKeepsTheLastGoodOne) {
  ASSERT_TRUE(vault_->Write("secret/data/shop/partner", R"({"data":{"token":"one"}})"));
  ApplyCredential("partner", "path: shop/partner", "overlap: 1s");
  ASSERT_TRUE(IsAt("partner", "Idle 1")) << View("partner");
  ASSERT_TRUE(vault_->Write("secret/data/shop/partner", R"({"data":{"token":"two"}})"));
  ASSERT_TRUE(Eventually([&] { return ValueOf("partner", "token") == "two"; }, 90s))
      << View("partner");
  ASSERT_TRUE(IsAt("partner", "Idle 2")) << View("partner");
  ASSERT_TRUE(vault_->Delete("secret/data/shop/partner"));
  EXPECT_TRUE(
      Eventually([&] { return Rotated("partner").starts_with("False SourceDeleted"); }, 90s))
      << View("partner");
  EXPECT_EQ(ValueOf("partner", "token"), "two");
  EXPECT_TRUE(Condition("partner", "Stalled", "shop", "tkp").starts_with("True SourceDeleted"));
  EXPECT_TRUE(Condition("partner", "Ready", "shop", "tkp").starts_with("False SourceDeleted"));
}

TEST_F(Rotation, MendsATargetThatSomebodyChanged) {
  ApplyCredential("mended", "path: shop/mended", "generate: {type: password}");
  ASSERT_TRUE(IsAt("mended", "Idle 1")) << View("mended");
  const std::string right = ValueOf("mended", "password");
  const auto spoil = [] {
    Kubectl({"-n", "shop", "patch", "secret", "mended", "-p",
             R"({"stringData":{"password":"wrong"}})"});
  };
  const auto is_right = [&] { return ValueOf("mended", "password") == right; };
  spoil();
  EXPECT_TRUE(Eventually(is_right, 20s)) << View("mended");
  // The next leader wrote nothing yet, and has looked at it once.
  StartOperator({.flags = {"--secret-namespaces=shop"}});
  ASSERT_TRUE(Eventually(
      [] { return Metrics().find("tracekeeper_rotation_phase{") != std::string::npos; }, 30s))
      << View("mended");
  spoil();
  EXPECT_TRUE(Eventually(is_right, 20s)) << View("mended");
  Kubectl({"-n", "shop", "delete", "secret", "mended"});
  EXPECT_TRUE(Eventually(
      [&] {
        const std::string found =
            Kubectl({"-n", "shop", "get", "secret", "mended", "--ignore-not-found", "-o", "name"});
        return !found.empty() && is_right();
      },
      20s))
      << View("mended");
}

TEST_F(Rotation, OfACertificateRevokesTheOldOneAfterTheOverlap) {
  ApplyCredential("tls", "engine: pki, role: payments, commonName: payments.shop.svc",
                  "overlap: 2s", ", type: kubernetes.io/tls");
  ASSERT_TRUE(IsAt("tls", "Idle 1")) << View("tls");
  const std::string first = ValueOf("tls", "tls.crt");
  EXPECT_THAT(first, HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT(ValueOf("tls", "ca.crt"), HasSubstr("BEGIN CERTIFICATE"));
  AskFor("tls", "now");
  ASSERT_TRUE(IsAt("tls", "Drain 2")) << View("tls");
  EXPECT_EQ(ValueOf("tls", "tls.crt.previous"), first);
  ASSERT_TRUE(IsAt("tls", "Idle 2")) << View("tls");
  EXPECT_THAT(vault_->AuditLog(), HasSubstr("pki/revoke"));
}

TEST_F(Rotation, OfATransitKeyMakesOneVersionMore) {
  ApplyCredential("signing", "engine: transit, path: signing", "overlap: 3s",
                  ", publicKeys: signing-jwks");
  ASSERT_TRUE(IsAt("signing", "Idle 1")) << View("signing");
  const std::string first = ValueOf("signing", "public-key.pem");
  EXPECT_THAT(first, HasSubstr("BEGIN PUBLIC KEY"));
  EXPECT_EQ(KeysIn("signing-jwks"), 1U);
  AskFor("signing", "now");
  ASSERT_TRUE(IsAt("signing", "Drain 2")) << View("signing");
  EXPECT_EQ(KeysIn("signing-jwks"), 2U) << "verifiers know the old and the new";
  ASSERT_TRUE(IsAt("signing", "Idle 2")) << View("signing");
  EXPECT_NE(ValueOf("signing", "public-key.pem"), first);
  EXPECT_EQ(ValueOf("signing", "key-version"), "2");
  EXPECT_EQ(KeysIn("signing-jwks"), 1U);
}

TEST_F(Rotation, RestartsTheWorkloadsOfItsPodsOnceForEachVersion) {
  Kubectl({"apply", "-f", "-"}, R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: restarted, namespace: shop}
spec:
  replicas: 2
  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 2}}  # there is no node to be available on
  selector: {matchLabels: {app: restarted}}
  template:
    metadata: {labels: {app: restarted}}
    spec: {containers: [{name: main, image: "bed.local/none:1"}]}
)");
  const auto templates = [] {
    return Kubectl({"-n", "shop", "get", "replicasets", "-l", "app=restarted", "-o", "name"});
  };
  const auto mark = [] {
    return Kubectl(
        {"-n", "shop", "get", "deployment", "restarted", "-o",
         R"(jsonpath={.spec.template.metadata.annotations.tracekeeper\.dev/credentials})"});
  };
  ApplyCredential("restarted", "path: shop/restarted", "generate: {type: password}, overlap: 1s",
                  "", "Restart");
  ASSERT_TRUE(IsAt("restarted", "Idle 1")) << View("restarted");
  EXPECT_EQ(mark(), "") << "the first version needs no restart";

  AskFor("restarted", "once");
  EXPECT_TRUE(
      Eventually([&] { return Rotated("restarted").starts_with("False RestartForbidden"); }, 30s))
      << View("restarted");
  const Status granted =
      test_support::InstallTracekeeper(*bed_, domain::SwitchedRights::kGranted, {"shop"});
  ASSERT_TRUE(granted) << granted.error().message;
  ASSERT_TRUE(IsAt("restarted", "Idle 2", 120s)) << View("restarted");
  EXPECT_EQ(mark(), "it=2");
  const std::string after_one = templates();
  EXPECT_EQ(std::ranges::count(after_one, '\n'), 2) << after_one;

  AskFor("restarted", "again");
  ASSERT_TRUE(IsAt("restarted", "Idle 3", 60s)) << View("restarted");
  EXPECT_EQ(mark(), "it=3");
  EXPECT_EQ(std::ranges::count(templates(), '\n'), 3) << "one restart a version";
}

TEST_F(Rotation, SaysWhatKeepsACredentialFromRotating) {
  Kubectl({"-n", "shop", "create", "secret", "generic", "foreign", "--from-literal=a=b"});
  ApplyCredential("foreign", "path: shop/foreign", "generate: {type: password}");
  ApplyCredential("forbidden", "path: elsewhere", "generate: {type: password}");
  ASSERT_TRUE(vault_->Write("secret/data/shop/fine", R"({"data":{"token":"fine"}})"));
  ApplyCredential("unfillable", "path: shop/fine", "overlap: 1s",
                  ", template: {url: \"{{ absent }}\"}");
  struct Case {
    std::string policy;
    std::string_view begin;
  };
  for (const Case& each :
       {Case{"foreign", "False TargetOwned"}, Case{"forbidden", "False VaultPermissionDenied"},
        Case{"unfillable", "False TemplateFailed"}}) {
    EXPECT_TRUE(Eventually([&] { return Rotated(each.policy).starts_with(each.begin); }, 20s))
        << View(each.policy);
  }
  EXPECT_EQ(ValueOf("foreign", "a"), "b");
}

TEST_F(Rotation, LeavesAnAuditThatIsWholeAndJoinsVaultsOwn) {
  ApplyCredential("audited", "path: shop/audited", "generate: {type: password}, overlap: 1s");
  ASSERT_TRUE(IsAt("audited", "Idle 1")) << View("audited");
  AskFor("audited", "now");
  ASSERT_TRUE(IsAt("audited", "Idle 2")) << View("audited");
  std::string audit;
  std::string request;
  std::istringstream records(domain::AuditOfLog(operator_->process().ReadLog()));
  for (std::string record; std::getline(records, record);) {
    codec::JsonParser parser;
    const auto fields = parser.Parse(record);
    if (!fields || (*fields)["object"].StringOr("") != "shop/audited") continue;
    audit += record + "\n";
    const bool is_write =
        (*fields)["step"].StringOr("") == "Prepared" && (*fields)["to"].IntegerOr(0) == 2;
    if (is_write) request = (*fields)["requestId"].StringOr("");
  }
  const domain::AuditVerdict verdict = domain::VerifyAudit(audit);
  EXPECT_FALSE(verdict.fault) << verdict.fault->sentence << audit;
  EXPECT_GE(verdict.records, 6U) << audit;
  ASSERT_FALSE(request.empty()) << audit;
  EXPECT_THAT(vault_->AuditLog(), HasSubstr(request));
  const auto told = [] {
    return Kubectl({"-n", "shop", "get", "events", "--field-selector",
                    "involvedObject.name=audited,reason=CredentialRetired", "-o",
                    "jsonpath={.items[*].message}"});
  };
  EXPECT_TRUE(Eventually([&] { return told().find("version 1 to 2") != std::string::npos; }, 10s))
      << told();
  EXPECT_THAT(Metrics(), HasSubstr("tracekeeper_rotations_total{"));
  EXPECT_THAT(operator_->process().ReadLog(), Not(HasSubstr(ValueOf("audited", "password"))));
}

}  // namespace
}  // namespace tracekeeper
