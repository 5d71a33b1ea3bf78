// Users of a real PostgreSQL that a real Vault makes, rotated by the real operator.

#include <fmt/format.h>

#include "tests/operator/app/rotation_suite.h"
#include "tests/support/postgres_server.h"

namespace tracekeeper {
namespace {

using test_support::Eventually;
using test_support::PostgresServer;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

constexpr std::string_view kVaultPolicy = R"(
path "database/creds/*"  { capabilities = ["read"] }
path "sys/leases/renew"  { capabilities = ["update"] }
path "sys/leases/revoke" { capabilities = ["update"] }
)";

class RotationOfDatabaseUsers : public RotationSuite {
 protected:
  static void SetUpTestSuite() {
    if (PostgresServer::WhyNot()) return;
    auto started = PostgresServer::Start();
    ASSERT_TRUE(started) << started.error().message;
    postgres_ = *std::move(started);
    RotationSuite::SetUpTestSuite();
    ASSERT_NE(vault_, nullptr);
    ASSERT_NO_FATAL_FAILURE(AllowInVault(kVaultPolicy));
    ASSERT_TRUE(vault_->Write("sys/mounts/database", R"({"type":"database"})"));
    const auto configured = vault_->Write(
        "database/config/pg",
        fmt::format(R"({{"plugin_name":"postgresql-database-plugin","allowed_roles":"*",
              "connection_url":"postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{}/postgres?sslmode=disable",
              "username":"postgres","password":"{}"}})",
                    postgres_->port(), postgres_->superuser_password()));
    ASSERT_TRUE(configured) << configured.error().message;
    MakeRole("payments", "20s");
    MakeRole("upgraded", "20s");
    MakeRole("ending", "1h");
    // The token that users of the connection "brief" are lent under ends after 20 s, renewed or
    // not.
    ASSERT_TRUE(vault_->Write(
        "auth/kubernetes/role/brief",
        R"({"bound_service_account_names":"vault-login","bound_service_account_namespaces":"shop",
            "audience":"vault","token_policies":"default,shop","token_ttl":"10s",
            "token_max_ttl":"20s"})"));
    ASSERT_TRUE(vault_->Write(
        "auth/kubernetes/role/batch",
        R"({"bound_service_account_names":"vault-login","bound_service_account_namespaces":"shop",
            "audience":"vault","token_policies":"default,shop","token_type":"batch"})"));
    ApplyConnection({.name = "vault"});
    for (const std::string name : {"brief", "batch"}) ApplyConnection({.name = name, .role = name});
    for (const std::string name : {"vault", "brief", "batch"}) {
      ASSERT_TRUE(BecomesReadyAs(name, "True LoggedIn")) << Condition(name, "Ready");
    }
  }
  static void TearDownTestSuite() {
    RotationSuite::TearDownTestSuite();
    postgres_.reset();
  }
  void SetUp() override {
    if (const auto reason = PostgresServer::WhyNot()) GTEST_SKIP() << *reason;
  }

  static void MakeRole(const std::string& role, std::string_view lease) {
    ASSERT_TRUE(vault_->Write(
        "database/roles/" + role,
        fmt::format(R"({{"db_name":"pg","default_ttl":"{}","max_ttl":"2h","creation_statements":[
            "CREATE ROLE \"{{{{name}}}}\" WITH LOGIN PASSWORD '{{{{password}}}}' VALID UNTIL '{{{{expiration}}}}';"]}})",
                    lease)));
  }

  struct User {
    std::string name;
    std::string password;
    /// Asks PostgreSQL.
    [[nodiscard]] bool LogsIn() const {
      return postgres_->Query(name, password, "select current_user").value_or("") == name;
    }
  };
  static User UserOf(const std::string& secret, const std::string& suffix = "") {
    return {ValueOf(secret, "username" + suffix), ValueOf(secret, "password" + suffix)};
  }
  /// How many users Vault has made for that role and not dropped.
  static std::string UsersOf(std::string_view role) {
    const auto counted =
        postgres_->Query("postgres", postgres_->superuser_password(),
                         fmt::format("select count(*) from pg_roles where rolname like 'v-%-{}-%'",
                                     role.substr(0, 8)));
    return counted ? *counted : counted.error().message;
  }
  /// How often Vault's audit has that path: twice for each request.
  static std::size_t Audited(std::string_view path) {
    const std::string log = vault_->AuditLog();
    const std::string entry = fmt::format(R"("path":"{}")", path);
    std::size_t count = 0;
    for (std::size_t at = log.find(entry); at != std::string::npos; at = log.find(entry, at + 1)) {
      ++count;
    }
    return count;
  }

  static std::unique_ptr<PostgresServer> postgres_;
};

std::unique_ptr<PostgresServer> RotationOfDatabaseUsers::postgres_;

TEST_F(RotationOfDatabaseUsers, BothLogInDuringTheOverlapAndOnlyTheNewOneAfterIt) {
  ApplyCredential("payments", "engine: database, role: payments", "overlap: 5s");
  ASSERT_TRUE(IsAt("payments", "Idle 1")) << View("payments");
  const User first = UserOf("payments");
  EXPECT_TRUE(first.LogsIn()) << first.name;
  AskFor("payments", "now");
  ASSERT_TRUE(IsAt("payments", "Drain 2")) << View("payments");
  const User second = UserOf("payments");
  const User previous = UserOf("payments", ".previous");
  EXPECT_NE(second.name, first.name);
  EXPECT_EQ(previous.name, first.name);
  EXPECT_TRUE(second.LogsIn()) << second.name;
  EXPECT_TRUE(previous.LogsIn()) << previous.name;
  ASSERT_TRUE(IsAt("payments", "Idle 2")) << View("payments");
  EXPECT_FALSE(first.LogsIn());
  EXPECT_TRUE(second.LogsIn());
  EXPECT_EQ(UserOf("payments", ".previous").name, "");
  EXPECT_EQ(UsersOf("payments"), "1");
  const std::string shown =
      Kubectl({"-n", "shop", "get", "secret", "payments", "-o", "jsonpath={.data}"});
  EXPECT_THAT(shown, Not(HasSubstr("tracekeeper.lease")));
  EXPECT_THAT(shown, Not(HasSubstr("tracekeeper.token")));
}

TEST_F(RotationOfDatabaseUsers, OutliveTheLeaderThatAskedForThem) {
  ApplyCredential("upgraded", "engine: database, role: upgraded", "overlap: 5s");
  ASSERT_TRUE(IsAt("upgraded", "Idle 1")) << View("upgraded");
  const User user = UserOf("upgraded");
  ASSERT_TRUE(user.LogsIn());
  const std::size_t revoked = Audited("auth/token/revoke-self");
  operator_->process().Signal(SIGTERM);
  EXPECT_EQ(operator_->process().Wait(20s), 0);
  EXPECT_GT(Audited("auth/token/revoke-self"), revoked) << "the session of the connection ended";
  EXPECT_TRUE(user.LogsIn());
  StartOperator({.flags = {"--secret-namespaces=shop"}});
  ASSERT_NE(operator_, nullptr);
  // By then it lives by renewals alone.
  const std::size_t renewed = Audited("sys/leases/renew");
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(Eventually(
      [&] {
        return std::chrono::steady_clock::now() - begun > 25s &&
               Audited("sys/leases/renew") > renewed;
      },
      60s))
      << View("upgraded");
  EXPECT_EQ(PhaseOf("upgraded"), "Idle 1");
  EXPECT_EQ(UserOf("upgraded").name, user.name);
  EXPECT_TRUE(user.LogsIn()) << View("upgraded");
  EXPECT_EQ(UsersOf("upgraded"), "1");
}

TEST_F(RotationOfDatabaseUsers, ComeEarlierWhereTheirTokenNearsItsLongestLife) {
  ApplyCredential("ending", "connectionRef: {name: brief}, engine: database, role: ending",
                  "overlap: 1s");
  ASSERT_TRUE(IsAt("ending", "Idle 1")) << View("ending");
  const User first = UserOf("ending");
  ASSERT_TRUE(Eventually([&] { return UserOf("ending").name != first.name; }, 40s))
      << View("ending");
  EXPECT_TRUE(UserOf("ending").LogsIn());
  EXPECT_THAT(operator_->process().ReadLog(), HasSubstr("Ending"));
  Kubectl({"-n", "shop", "delete", "tkp", "ending"});
}

TEST_F(RotationOfDatabaseUsers, AreNotLentUnderABatchToken) {
  ApplyCredential("batch", "connectionRef: {name: batch}, engine: database, role: ending",
                  "overlap: 1s");
  EXPECT_TRUE(
      Eventually([&] { return Rotated("batch").starts_with("False VaultBatchToken"); }, 20s))
      << View("batch");
  EXPECT_THAT(Rotated("batch"), HasSubstr("token_type=service"));
  Kubectl({"-n", "shop", "delete", "tkp", "batch"});
}

}  // namespace
}  // namespace tracekeeper
