// VaultConnections with the real operator, with the rights of its chart, before a real API server
// and a real Vault that asks that API server (TokenReview) who logs in.

#include <fstream>
#include <iterator>

#include "tests/operator/app/vault_suite.h"

namespace tracekeeper {
namespace {

using test_support::Eventually;
using testing::HasSubstr;
using namespace std::chrono_literals;

class VaultConnections : public VaultSuite {
 protected:
  static std::string Accessors() {
    const auto keys = vault_->Read("auth/token/accessors?list=true");
    return keys ? *keys : keys.error().message;
  }
};

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
