#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/codec/json_writer.h"
#include "src/crypto/certificate.h"
#include "src/vault/database.h"
#include "src/vault/lease.h"
#include "src/vault/pki.h"
#include "src/vault/transit.h"
#include "tests/src/vault/memory_scan.h"
#include "tests/src/vault/real_vault.h"
#include "tests/support/eventually.h"
#include "tests/support/postgres_server.h"

namespace tracekeeper::vault {
namespace {

using namespace std::chrono_literals;
using test_support::PostgresServer;

using RealPki = RealVault;

TEST_F(RealPki, IssuesAndRevokesACertificateThatItsAuthorityVouchesFor) {
  Mount("pki", "pki");
  Write("sys/mounts/pki/tune", R"({"max_lease_ttl":"24h"})");
  Write("pki/root/generate/internal",
        R"({"common_name":"test root","ttl":"20h","key_type":"ec","key_bits":256})");
  Write("pki/roles/svc",
        R"({"allowed_domains":"svc.test","allow_subdomains":true,"key_type":"ec","key_bits":256,
            "max_ttl":"1h","allow_ip_sans":true})");
  Pki pki("pki", *root);
  const auto issued = pki.Issue("svc",
                                {.common_name = "a.svc.test",
                                 .dns_names = {"b.svc.test", "c.svc.test"},
                                 .ip_addresses = {"127.0.0.1"},
                                 .lifetime = 10min},
                                stop);
  ASSERT_TRUE(issued) << issued.error().message;
  const auto pair =
      crypto::CertificatePair::Parse(issued->certificate_pem, issued->private_key_pem.Clone());
  ASSERT_TRUE(pair) << pair.error().message;
  EXPECT_EQ(pair->leaf().not_after, issued->not_after);
  EXPECT_EQ(pair->leaf().dns_names.size(), 3U);
  EXPECT_LT(std::chrono::abs(issued->not_after - clock.Now() - 10min), Duration(2min));
  const auto authorities = pki.Authorities(stop);
  ASSERT_TRUE(authorities) << authorities.error().message;
  EXPECT_TRUE(crypto::VerifyServerCertificate(issued->certificate_pem, *authorities, clock.Now()));
  EXPECT_TRUE(
      crypto::VerifyServerCertificate(issued->certificate_pem, issued->chain_pem, clock.Now()));

  EXPECT_TRUE(pki.Revoke(issued->serial, stop));
  EXPECT_TRUE(pki.Revoke(issued->serial, stop));
  EXPECT_NE(ReadMember("pki/cert/crl", "certificate"), "");
  EXPECT_EQ(LabelOf(pki.Revoke("11:22:33", stop)), "not_found");

  const auto forbidden = pki.Issue("svc", {.common_name = "a.other.test"}, stop);
  EXPECT_EQ(LabelOf(forbidden), "request_refused");
  EXPECT_NE(forbidden.error().message.find("not allowed by this role"), std::string::npos)
      << forbidden.error().message;
  EXPECT_EQ(LabelOf(pki.Issue("unknown", {.common_name = "a.svc.test"}, stop)), "request_refused");
  EXPECT_NE(server->AuditLog().find(issued->request_id), std::string::npos);
}

using RealTransit = RealVault;

TEST_F(RealTransit, RotatesAKeyAndTrimsItsOldVersions) {
  Mount("transit", "transit");
  Write("transit/keys/sign", R"({"type":"ed25519"})");
  Transit transit("transit", *root);
  const SignRequest request{.input = "hello"};
  const auto first = transit.Sign("sign", request, stop);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->key_version, 1U);
  ASSERT_TRUE(transit.Rotate("sign", stop));
  const auto key = transit.ReadKey("sign", stop);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->type, "ed25519");
  EXPECT_EQ(key->latest_version, 2U);
  EXPECT_EQ(key->public_keys.size(), 2U);
  EXPECT_NE(key->public_keys.at(1), key->public_keys.at(2));
  EXPECT_EQ(transit.Sign("sign", request, stop)->key_version, 2U);
  EXPECT_EQ(transit.Sign("sign", {.input = "hello", .key_version = 1}, stop)->key_version, 1U);
  EXPECT_EQ(transit.Verify("sign", request, first->text, stop).value_or(false), true);
  EXPECT_EQ(transit.Verify("sign", {.input = "other"}, first->text, stop).value_or(true), false);

  EXPECT_EQ(LabelOf(transit.Trim("sign", 2, stop)), "request_refused");
  ASSERT_TRUE(transit.SetMinimumVersion("sign", 2, stop));
  EXPECT_EQ(LabelOf(transit.Verify("sign", request, first->text, stop)), "request_refused");
  ASSERT_TRUE(transit.Trim("sign", 2, stop));
  EXPECT_EQ(transit.ReadKey("sign", stop)->minimum_available_version, 2U);
}

TEST_F(RealTransit, RewrapsAndSignsAsAJwtHasIt) {
  Mount("transit", "transit");
  Write("transit/keys/wrap", "{}");
  Write("transit/keys/jwt", R"({"type":"ecdsa-p256"})");
  Transit transit("transit", *root);
  const std::string ciphertext =
      WriteForMember("transit/encrypt/wrap", R"({"plaintext":"aGVsbG8="})", "ciphertext");
  ASSERT_TRUE(transit.Rotate("wrap", stop));
  const auto rewrapped = transit.Rewrap("wrap", ciphertext, stop);
  ASSERT_TRUE(rewrapped) << rewrapped.error().message;
  EXPECT_TRUE(rewrapped->starts_with("vault:v2:"));
  EXPECT_TRUE(transit.ReadKey("wrap", stop)->public_keys.empty());
  const SignRequest jws{.input = "head.claims", .form = SignatureForm::kJws};
  const auto signature = transit.Sign("jwt", jws, stop);
  ASSERT_TRUE(signature) << signature.error().message;
  EXPECT_EQ(signature->bytes.size(), 86U);  // 64 bytes in Base64url
  EXPECT_EQ(transit.Verify("jwt", jws, signature->text, stop).value_or(false), true);
  EXPECT_EQ(LabelOf(transit.ReadKey("unknown", stop)), "not_found");
}

class RealDatabase : public RealVault {
 protected:
  void SetUp() override {
    if (const auto reason = PostgresServer::WhyNot()) GTEST_SKIP() << *reason;
    auto started = PostgresServer::Start();
    ASSERT_TRUE(started) << started.error().message;
    postgres = *std::move(started);
    const auto made = postgres->Query("postgres", postgres->superuser_password(),
                                      "create role vaultadmin superuser login password 'first';"
                                      "create role staticapp login password 'old'");
    ASSERT_TRUE(made) << made.error().message;
    RealVault::SetUp();
    if (HasFatalFailure()) return;
    Mount("database", "database");
    Write("database/config/pg",
          fmt::format(R"({{"plugin_name":"postgresql-database-plugin","allowed_roles":"*",
                "connection_url":"postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{}/postgres?sslmode=disable",
                "username":"vaultadmin","password":"first"}})",
                      postgres->port()));
    Write("database/roles/shop",
          R"({"db_name":"pg","default_ttl":"60s","max_ttl":"90s","creation_statements":[
              "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';"]})");
    Write("database/static-roles/st",
          R"({"db_name":"pg","username":"staticapp","rotation_period":"1h"})");
    database.emplace("database", *root);
    leases.emplace(*root);
  }
  bool LogsIn(const std::string& user, const crypto::SecretString& password) {
    return postgres->Query(user, password.Reveal(), "select current_user").value_or("") == user;
  }

  std::unique_ptr<PostgresServer> postgres;
  std::optional<Database> database;
  std::optional<Leases> leases;
};

TEST_F(RealDatabase, LendsAUserThatEndsWithItsLease) {
  const auto credentials = database->Create("shop", stop);
  ASSERT_TRUE(credentials) << credentials.error().message;
  EXPECT_TRUE(LogsIn(credentials->username, credentials->password));
  EXPECT_EQ(credentials->lease.duration, Duration(60s));
  ASSERT_TRUE(credentials->lease.is_renewable);
  const auto second = database->Create("shop", stop);
  ASSERT_TRUE(second);
  EXPECT_NE(second->username, credentials->username);

  const auto info = leases->Lookup(credentials->lease.id, stop);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_LE(info->left, Duration(60s));
  EXPECT_GT(info->left, Duration(30s));
  const auto renewed = leases->Renew(credentials->lease, 60s, stop);
  ASSERT_TRUE(renewed) << renewed.error().message;
  EXPECT_EQ(renewed->ending, std::nullopt);
  // More than its longest life allows.
  const auto truncated = leases->Renew(credentials->lease, 10min, stop);
  ASSERT_TRUE(truncated) << truncated.error().message;
  EXPECT_EQ(truncated->ending, Failure::kLeaseTruncated);

  ASSERT_TRUE(leases->Revoke(credentials->lease.id, stop));
  EXPECT_FALSE(LogsIn(credentials->username, credentials->password));
  EXPECT_TRUE(LogsIn(second->username, second->password));
  EXPECT_EQ(LabelOf(leases->Renew(credentials->lease, 60s, stop)), "lease_not_found");
  EXPECT_EQ(LabelOf(leases->Lookup(credentials->lease.id, stop)), "lease_not_found");
  EXPECT_TRUE(leases->Revoke(credentials->lease.id, stop));
  EXPECT_NE(server->AuditLog().find(credentials->request_id), std::string::npos);
}

TEST_F(RealDatabase, NothingOfAPasswordStaysInMemoryOnceItIsDone) {
  std::optional<MaskedBytes> password;
  std::optional<MaskedBytes> lease;
  {
    const auto credentials = database->Create("shop", stop);
    ASSERT_TRUE(credentials) << credentials.error().message;
    password.emplace(credentials->password.Reveal());
    lease.emplace(credentials->lease.id.Reveal());
    // The scan finds what is there.
    EXPECT_THAT(FindInMemory(*password), testing::Not(testing::IsEmpty()));
    ASSERT_TRUE(leases->Revoke(credentials->lease.id, stop));
  }
  EXPECT_THAT(FindInMemory(*password), testing::IsEmpty());
  EXPECT_THAT(FindInMemory(*lease), testing::IsEmpty());
}

TEST_F(RealDatabase, RotatesAStaticRole) {
  const auto before = database->ReadStatic("st", stop);
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_EQ(before->username, "staticapp");
  EXPECT_EQ(before->period, Duration(1h));
  EXPECT_TRUE(LogsIn("staticapp", before->password));
  const auto rotated = database->RotateStatic("st", stop);
  ASSERT_TRUE(rotated) << rotated.error().message;
  const auto after = database->ReadStatic("st", stop);
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_FALSE(after->password.Equals(before->password));
  EXPECT_GT(after->last_rotation, before->last_rotation);
  EXPECT_TRUE(LogsIn("staticapp", after->password));
  EXPECT_FALSE(LogsIn("staticapp", before->password));
}

TEST_F(RealDatabase, ADatabaseThatIsDownIsNoOutageOfVault) {
  postgres.reset();
  EXPECT_EQ(LabelOf(database->Create("shop", stop)), "engine_failed");
  EXPECT_EQ(endpoint->circuit(), CircuitState::kClosed);
  EXPECT_NE(LabelOf(database->Create("unknown", stop)), "success");
}

}  // namespace
}  // namespace tracekeeper::vault
