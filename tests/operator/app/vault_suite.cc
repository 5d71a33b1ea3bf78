#include "tests/operator/app/vault_suite.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "src/codec/json_writer.h"

namespace tracekeeper {

using test_support::Eventually;

std::unique_ptr<test_support::VaultServer> VaultSuite::vault_;

void VaultSuite::SetUpTestSuite() {
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
  Kubectl({"create", "clusterrolebinding", "vault-reviewer", "--clusterrole=system:auth-delegator",
           "--serviceaccount=shop:vault-reviewer"});
  ConfigureVault();
  for (const std::string name : {"shop", "closed"}) ApplyAuthority(name, "vault-ca");
  StartOperator({.flags = {"--secret-namespaces=shop"}});
}

void VaultSuite::TearDownTestSuite() {
  OperatorSuite::TearDownTestSuite();
  vault_.reset();
}

void VaultSuite::ConfigureVault() {
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
          "audience":"vault","token_policies":"default,shop","token_ttl":"10m"})"));
}

void VaultSuite::ApplyAuthority(const std::string& namespace_name, const std::string& name,
                                const std::string& pem) {
  codec::JsonWriter json;
  json.BeginObject().Member("apiVersion", "v1").Member("kind", "ConfigMap").Key("metadata");
  json.BeginObject().Member("name", name).Member("namespace", namespace_name).EndObject();
  json.Key("data").BeginObject().Member("ca.crt", pem).EndObject().EndObject();
  Kubectl({"apply", "-f", "-"}, json.text());
}

void VaultSuite::ApplyConnection(const Written& written) {
  Kubectl({"apply", "-f", "-"},
          fmt::format("apiVersion: tracekeeper.dev/v1alpha1\nkind: VaultConnection\n"
                      "metadata: {{name: {}, namespace: {}}}\nspec:\n  address: {}\n"
                      "  ca: {{configMapRef: {{name: {}, key: ca.crt}}}}\n"
                      "  auth: {{kubernetes: {{role: {}, serviceAccount: {}}}}}\n",
                      written.name, written.namespace_name, vault_->url(), written.authority,
                      written.role, written.service_account));
}

std::string VaultSuite::Condition(const std::string& name, const std::string& type,
                                  const std::string& namespace_name, const std::string& kind) {
  const std::string one = fmt::format(".status.conditions[?(@.type==\"{}\")]", type);
  return Kubectl({"-n", namespace_name, "get", kind, name, "-o",
                  fmt::format("jsonpath={{{0}.status}} {{{0}.reason}} {{{0}.message}}", one)});
}

bool VaultSuite::BecomesReadyAs(const std::string& name, std::string_view begin,
                                std::chrono::seconds limit, const std::string& namespace_name) {
  return Eventually([&] { return Condition(name, "Ready", namespace_name).starts_with(begin); },
                    limit);
}

std::string VaultSuite::Metrics() {
  const auto result = bed_->Enter(
      {"curl", "-sf", fmt::format("http://127.0.0.1:{}/metrics", operator_->metrics_port())});
  return result ? result->out : result.error().message;
}

}  // namespace tracekeeper
