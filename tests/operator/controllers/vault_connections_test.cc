// What is open for a VaultConnection: who may use it, and what becomes of it when its spec changes.

#include "operator/controllers/vault_connections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/crypto/certificate_maker.h"
#include "tests/operator/controllers/controller_world.h"
#include "tests/support/free_port.h"

namespace tracekeeper::controllers {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class VaultConnectionsTest : public ControllerWorld {
 protected:
  /// Of a Vault that nobody can reach.
  api::VaultConnection Connection() const {
    api::VaultConnection connection;
    connection.metadata.key = {"shop", "vault"};
    connection.metadata.uid = "uid-1";
    connection.spec.address = fmt::format("https://127.0.0.1:{}", port_);
    connection.spec.ca.pem =
        crypto::MakeCertificateAuthority("test", {.now = clock_.Now(),
                                                  .lifetime = std::chrono::hours(1),
                                                  .back_dated_by = std::chrono::hours(1)})
            ->chain_pem();
    connection.spec.auth.kubernetes = {.role = "shop", .service_account = "login"};
    return connection;
  }
  std::string MetricsText() { return metrics_.Text(); }

  const std::uint16_t port_ = test_support::FreePort();
  VaultConnections connections_{
      {.everyday = client_, .secrets = client_, .clock = clock_, .metrics = metrics_, .random = [] {
         return 0.5;
       }}};
};

TEST_F(VaultConnectionsTest, AreForTheNamespacesThatTheyAllow) {
  api::VaultConnection connection = Connection();
  connection.spec.allowed_namespaces = {"payments"};
  ASSERT_TRUE(connections_.Open(connection, {}));
  EXPECT_TRUE(connections_.Find({"shop", "vault"}, "payments"));
  const auto forbidden = connections_.Find({"shop", "vault"}, "shop");
  ASSERT_FALSE(forbidden);
  EXPECT_EQ(forbidden.error().kind, ErrorKind::kForbidden);
  EXPECT_THAT(forbidden.error().message, HasSubstr("add it to its allowedNamespaces"));
  const auto missing = connections_.Find({"shop", "other"}, "payments");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
}

TEST_F(VaultConnectionsTest, StayOpenWhileTheirSpecStays) {
  const api::VaultConnection connection = Connection();
  EXPECT_EQ(connections_.Open(connection, {}).value(), connections_.Open(connection, {}).value());
}

TEST_F(VaultConnectionsTest, CountOnWhenTheirSpecChanges) {
  api::VaultConnection connection = Connection();
  ASSERT_TRUE(connections_.Open(connection, {}));
  connection.spec.limits.qps = 1;
  const auto opened = connections_.Open(connection, {});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_FALSE((*opened)->endpoint().AskHealth({}));
  EXPECT_THAT(MetricsText(), HasSubstr("tracekeeper_vault_circuit_state"));
  EXPECT_THAT(MetricsText(), HasSubstr("operation=\"health\""));
}

TEST_F(VaultConnectionsTest, AreNotReplacedWhileSomebodyUsesThem) {
  api::VaultConnection connection = Connection();
  auto held = connections_.Open(connection, {}).value();
  connection.spec.limits.qps = 1;
  const auto refused = connections_.Open(connection, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  EXPECT_FALSE(held->endpoint().AskHealth({})) << "usable, though nobody answers";
  held.reset();
  EXPECT_TRUE(connections_.Open(connection, {}));
}

TEST_F(VaultConnectionsTest, LeaveNoMetricsBehind) {
  ASSERT_TRUE(connections_.Open(Connection(), {}));
  EXPECT_THAT(MetricsText(), HasSubstr("connection=\"vault\""));
  connections_.Close({"shop", "vault"}, {});
  EXPECT_THAT(MetricsText(), Not(HasSubstr("connection=\"vault\"")));
}

}  // namespace
}  // namespace tracekeeper::controllers
