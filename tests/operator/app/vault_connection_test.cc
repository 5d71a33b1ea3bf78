// VaultConnections with the real operator, with the rights of its chart, before a real API server
// and a real Vault that asks that API server (TokenReview) who logs in.

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "src/codec/json_writer.h"
#include "tests/operator/app/operator_suite.h"
#include "tests/support/vault_server.h"

namespace tracekeeper {
namespace {

using test_support::Eventually;
using test_support::VaultServer;
using testing::HasSubstr;
using namespace std::chrono_literals;

class VaultConnections : public OperatorSuite {
 protected:
  static void SetUpTestSuite() {
    OperatorSuite::SetUpTestSuite();
    vault_ = test_support::StartVault();
    ASSERT_NE(vault_, nullptr);
    Kubectl({"create", "namespace", "shop"});
    Kubectl({"create", "namespace", "closed"});
    const Status installed =
        test_support::InstallTracekeeper(*bed_, domain::SwitchedRights::kLeftOut, {"shop"});
    ASSERT_TRUE(installed) << installed.error().message;
    for (const std::string name : {"vault-login", "vault-reviewer"}) {
      Kubectl({"-n", "shop", "create", "serviceaccount", name});
    }
    Kubectl({"create", "clusterrolebinding", "vault-reviewer",
             "--clusterrole=system:auth-delegator", "--serviceaccount=shop:vault-reviewer"});
    ConfigureVault();
    for (const std::string name : {"shop", "closed"}) ApplyAuthority(name, "vault-ca");
    StartOperator({.flags = {"--secret-namespaces=shop"}});
  }

  static void TearDownTestSuite() {
    OperatorSuite::TearDownTestSuite();
    vault_.reset();
  }

  static void ConfigureVault() {
    std::string reviewer = Kubectl({"-n", "shop", "create", "token", "vault-reviewer"});
    while (!reviewer.empty() && reviewer.back() == '\n') reviewer.pop_back();
    std::ifstream file(bed_->ca_file());
    codec::JsonWriter config;
    config.BeginObject().Member("kubernetes_host", bed_->server_url());
    config.Member("kubernetes_ca_cert", std::string(std::istreambuf_iterator<char>(file), {}));
    config.Member("token_reviewer_jwt", reviewer);
    config.Key("disable_local_ca_jwt").Bool(true).EndObject();
    ASSERT_TRUE(vault_->Write("sys/auth/kubernetes", R"({"type":"kubernetes"})"));
    ASSERT_TRUE(vault_->Write("auth/kubernetes/config", config.text()));
    ASSERT_TRUE(vault_->Write(
        "auth/kubernetes/role/shop",
        R"({"bound_service_account_names":"vault-login","bound_service_account_namespaces":"shop",
            "audience":"vault","token_policies":"default","token_ttl":"10m"})"));
  }

  static void ApplyAuthority(const std::string& namespace_name, const std::string& name,
                             const std::string& pem = vault_->authority().chain_pem()) {
    codec::JsonWriter json;
    json.BeginObject().Member("apiVersion", "v1").Member("kind", "ConfigMap").Key("metadata");
    json.BeginObject().Member("name", name).Member("namespace", namespace_name).EndObject();
    json.Key("data").BeginObject().Member("ca.crt", pem).EndObject().EndObject();
    Kubectl({"apply", "-f", "-"}, json.text());
  }

  struct Written {
    std::string name;
    std::string namespace_name = "shop";
    std::string authority = "vault-ca";
    std::string role = "shop";
    std::string service_account = "vault-login";
  };
  static void ApplyConnection(const Written& written) {
    Kubectl({"apply", "-f", "-"},
            fmt::format("apiVersion: tracekeeper.dev/v1alpha1\nkind: VaultConnection\n"
                        "metadata: {{name: {}, namespace: {}}}\nspec:\n  address: {}\n"
                        "  ca: {{configMapRef: {{name: {}, key: ca.crt}}}}\n"
                        "  auth: {{kubernetes: {{role: {}, serviceAccount: {}}}}}\n",
                        written.name, written.namespace_name, vault_->url(), written.authority,
                        written.role, written.service_account));
  }

  /// "True LoggedIn Logged in to ..." of a condition.
  static std::string Condition(const std::string& name, const std::string& type,
                               const std::string& namespace_name = "shop") {
    const std::string one = fmt::format(".status.conditions[?(@.type==\"{}\")]", type);
    return Kubectl({"-n", namespace_name, "get", "tkvc", name, "-o",
                    fmt::format("jsonpath={{{0}.status}} {{{0}.reason}} {{{0}.message}}", one)});
  }
  static bool BecomesReadyAs(const std::string& name, std::string_view begin,
                             std::chrono::seconds limit = 20s,
                             const std::string& namespace_name = "shop") {
    return Eventually([&] { return Condition(name, "Ready", namespace_name).starts_with(begin); },
                      limit);
  }
  static std::string Metrics() {
    const auto result = bed_->Enter(
        {"curl", "-sf", fmt::format("http://127.0.0.1:{}/metrics", operator_->metrics_port())});
    return result ? result->out : result.error().message;
  }
  static std::string Accessors() {
    const auto keys = vault_->Read("auth/token/accessors?list=true");
    return keys ? *keys : keys.error().message;
  }

  static std::unique_ptr<VaultServer> vault_;
};

std::unique_ptr<VaultServer> VaultConnections::vault_;

TEST_F(VaultConnections, AreLoggedInAndFollowTheirVaultThroughASeal) {
  ApplyConnection({.name = "sealing"});
  ASSERT_TRUE(BecomesReadyAs("sealing", "True LoggedIn Logged in to Vault 1.14.1 at https://"))
      << Condition("sealing", "Ready") << operator_->process().ReadLog();
  EXPECT_TRUE(Condition("sealing", "Stalled").starts_with("False NotStalled"));
  EXPECT_TRUE(Condition("sealing", "ClockInSync").starts_with("True InSync"));
  EXPECT_THAT(Metrics(), HasSubstr("tracekeeper_vault_circuit_state"));
  EXPECT_THAT(vault_->AuditLog(), HasSubstr("auth/kubernetes/login"));

  ASSERT_TRUE(vault_->Seal());
  // The look of each minute finds it.
  EXPECT_TRUE(BecomesReadyAs("sealing", "False VaultSealed", 90s)) << Condition("sealing", "Ready");
  EXPECT_TRUE(Condition("sealing", "Reconciling").starts_with("True Progressing"));
  ASSERT_TRUE(vault_->Unseal());
  EXPECT_TRUE(BecomesReadyAs("sealing", "True LoggedIn", 15s)) << Condition("sealing", "Ready");
}

TEST_F(VaultConnections, SayWhatKeepsThemFromLoggingIn) {
  ApplyAuthority("shop", "other-ca", [] {
    const std::filesystem::path file = bed_->ca_file();
    std::ifstream stream(file);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  }());
  struct Case {
    Written written;
    std::string_view ready;
    std::string_view sentence;
  };
  const Case cases[] = {
      {{.name = "wrong-role", .role = "nobody"}, "False VaultLoginRefused", "check mount, role"},
      {{.name = "wrong-authority", .authority = "other-ca"},
       "False VaultCertificateRefused",
       "authority"},
      {{.name = "no-authority", .authority = "missing"}, "False LoginMaterialMissing", "missing"},
      {{.name = "no-account", .service_account = "nobody"},
       "False LoginMaterialMissing",
       "create ServiceAccount nobody in namespace shop"},
      {{.name = "no-rights", .namespace_name = "closed"},
       "False LoginMaterialMissing",
       "rbac.secretAccess"},
  };
  for (const Case& each : cases) ApplyConnection(each.written);
  for (const Case& each : cases) {
    const std::string& name = each.written.name;
    EXPECT_TRUE(BecomesReadyAs(name, each.ready, 30s, each.written.namespace_name))
        << name << ": " << Condition(name, "Ready", each.written.namespace_name);
    EXPECT_THAT(Condition(name, "Ready", each.written.namespace_name), HasSubstr(each.sentence));
  }
  EXPECT_TRUE(Condition("wrong-role", "Stalled").starts_with("True VaultLoginRefused"));
}

TEST_F(VaultConnections, RevokeTheirTokenWhenTheyGo) {
  ApplyConnection({.name = "leaving"});
  ASSERT_TRUE(BecomesReadyAs("leaving", "True LoggedIn")) << Condition("leaving", "Ready");
  const std::string with = Accessors();
  Kubectl({"-n", "shop", "delete", "tkvc", "leaving"});
  EXPECT_TRUE(Eventually([&] { return Accessors().size() < with.size(); }, 10s))
      << with << Accessors();
}

}  // namespace
}  // namespace tracekeeper
