#pragma once
// VaultSuite is an OperatorSuite beside a real Vault that asks the API server (TokenReview) who
// logs in. The operator may work with the Secrets of namespace shop, and of no other.
//
// Threads:  one.
// Failure:  as OperatorSuite.

#include <memory>
#include <string>

#include "tests/operator/app/operator_suite.h"
#include "tests/support/vault_server.h"

namespace tracekeeper {

class VaultSuite : public OperatorSuite {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();

  /// Writes what a CA is into a ConfigMap: Vault's, or `pem`.
  static void ApplyAuthority(const std::string& namespace_name, const std::string& name,
                             const std::string& pem = vault_->authority().chain_pem());

  struct Written {
    std::string name;
    std::string namespace_name = "shop";
    std::string authority = "vault-ca";
    std::string role = "shop";
    std::string service_account = "vault-login";
  };
  static void ApplyConnection(const Written& written);
  /// "True LoggedIn Logged in to ..." of a condition.
  static std::string Condition(const std::string& name, const std::string& type,
                               const std::string& namespace_name = "shop",
                               const std::string& kind = "tkvc");
  static bool BecomesReadyAs(const std::string& name, std::string_view begin,
                             std::chrono::seconds limit = std::chrono::seconds(20),
                             const std::string& namespace_name = "shop");
  static std::string Metrics();

  static std::unique_ptr<test_support::VaultServer> vault_;

 private:
  static void ConfigureVault();
};

}  // namespace tracekeeper
