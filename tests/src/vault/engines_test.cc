#include <gtest/gtest.h>

#include "src/vault/database.h"
#include "src/vault/lease.h"
#include "src/vault/pki.h"
#include "src/vault/transit.h"
#include "tests/src/vault/fixture.h"

namespace tracekeeper::vault {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kDynamic =
    R"({"request_id":"ab-1","lease_id":"database/creds/shop/x1","lease_duration":60,"renewable":true,
        "data":{"username":"v-shop","password":"hvs.CANARYc4n4ryCANARY7f3a9b"}})";

Lease SomeLease() {
  return {.id = crypto::SecretString("database/creds/shop/x1"),
          .id_hash = HashOfId("database/creds/shop/x1"),
          .duration = 60s,
          .is_renewable = true};
}

TEST(Database, CreatesCredentialsWithTheirLease) {
  Bench bench;
  Database database("database", bench.caller);
  bench.Reply(200, std::string(kDynamic));
  const auto credentials = database.Create("shop", bench.stop);
  ASSERT_TRUE(credentials) << credentials.error().message;
  EXPECT_EQ(credentials->username, "v-shop");
  EXPECT_EQ(credentials->password.Reveal(), kCanary);
  EXPECT_EQ(credentials->lease.duration, Duration(60s));
  EXPECT_TRUE(credentials->lease.is_renewable);
  EXPECT_EQ(credentials->lease.id.Reveal(), "database/creds/shop/x1");
  EXPECT_EQ(credentials->lease.id_hash.size(), 16U);
  EXPECT_EQ(credentials->request_id, "ab-1");
}

TEST(Database, ReadsAndRotatesAStaticRole) {
  Bench bench;
  Database database("database", bench.caller);
  bench.Reply(200,
              R"({"data":{"username":"app","password":"p","ttl":3599,"rotation_period":3600,
                  "last_vault_rotation":"2026-01-02T03:04:05.5Z"}})");
  const auto credentials = database.ReadStatic("st", bench.stop);
  ASSERT_TRUE(credentials) << credentials.error().message;
  EXPECT_EQ(credentials->left, Duration(3599s));
  EXPECT_EQ(credentials->period, Duration(3600s));
  EXPECT_EQ(credentials->last_rotation, bench.clock.Now() + 500ms);
  bench.Reply(200,
              R"({"data":{"username":"app","password":"p","ttl":-1,
                  "last_vault_rotation":"2026-01-02T03:04:05Z"}})");
  EXPECT_EQ(database.ReadStatic("st", bench.stop)->left, Duration::zero());
  bench.Reply(204, "");
  EXPECT_TRUE(database.RotateStatic("st", bench.stop));
  EXPECT_EQ(bench.transport.requests().back().target, "/v1/database/rotate-role/st");
  EXPECT_FALSE(database.Create("a/../b", bench.stop));
}

TEST(Database, AnAnswerThatLacksAMemberIsRefused) {
  const std::string_view bodies[] = {
      R"({"lease_id":"x","lease_duration":60,"data":{"username":"u"}})",
      R"({"lease_id":"x","lease_duration":60,"data":{"username":"","password":"p"}})",
      R"({"lease_duration":60,"data":{"username":"u","password":"p"}})",
      R"({"lease_id":"x","lease_duration":"60","data":{"username":"u","password":"p"}})",
      R"({"lease_id":"x","lease_duration":99999999999,"data":{"username":"u","password":"p"}})",
      R"({"data":null})",
  };
  for (const std::string_view body : bodies) {
    Bench bench;
    Database database("database", bench.caller);
    bench.Reply(200, std::string(body));
    EXPECT_EQ(LabelOf(database.Create("shop", bench.stop)), "secret_malformed") << body;
  }
}

TEST(Leases, ARenewalThatGivesLessEndsTheLease) {
  struct Case {
    std::string_view body;
    std::optional<Failure> ending;
  };
  const Case cases[] = {
      {R"({"lease_id":"x","lease_duration":60,"renewable":true})", std::nullopt},
      {R"({"lease_id":"x","lease_duration":59,"renewable":true})", std::nullopt},
      {R"({"lease_id":"x","lease_duration":30,"renewable":true})", Failure::kLeaseTruncated},
      {R"({"lease_id":"x","lease_duration":60,"renewable":false})", Failure::kLeaseNotRenewable},
  };
  for (const Case& c : cases) {
    Bench bench;
    Leases leases(bench.caller);
    bench.Reply(200, std::string(c.body));
    const auto renewal = leases.Renew(SomeLease(), 60s, bench.stop);
    ASSERT_TRUE(renewal) << renewal.error().message;
    EXPECT_EQ(renewal->ending, c.ending) << c.body;
    EXPECT_EQ(bench.transport.requests()[0].body,
              R"({"lease_id":"database/creds/shop/x1","increment":60})");
  }
}

TEST(Leases, ErrorsNameTheHashAndNotTheLease) {
  Bench bench;
  Leases leases(bench.caller);
  bench.Reply(400, R"({"errors":["lease not found"]})");
  const auto gone = leases.Renew(SomeLease(), 60s, bench.stop);
  EXPECT_EQ(LabelOf(gone), "lease_not_found");
  EXPECT_NE(gone.error().message.find(SomeLease().id_hash), std::string::npos);
  EXPECT_EQ(gone.error().message.find("x1"), std::string::npos);
  Lease fixed = SomeLease();
  fixed.is_renewable = false;
  EXPECT_EQ(LabelOf(leases.Renew(fixed, 60s, bench.stop)), "lease_not_renewable");
  EXPECT_EQ(bench.transport.requests().size(), 1U);
}

TEST(Leases, AreRevokedAndLookedUp) {
  Bench bench;
  Leases leases(bench.caller);
  bench.Reply(204, "");
  EXPECT_TRUE(leases.Revoke(SomeLease().id, bench.stop));
  EXPECT_EQ(bench.transport.requests()[0].body,
            R"({"lease_id":"database/creds/shop/x1","sync":true})");
  bench.Reply(400, R"({"errors":["lease not found"]})");
  EXPECT_TRUE(leases.Revoke(SomeLease().id, bench.stop));  // gone is what was wanted
  bench.Reply(500, R"({"errors":["failed to revoke entry"]})");
  EXPECT_EQ(LabelOf(leases.Revoke(SomeLease().id, bench.stop)), "engine_failed");
  bench.Reply(200,
              R"({"data":{"id":"x","issue_time":"2026-01-02T03:04:05Z",
                  "expire_time":"2026-01-02T03:05:05Z","renewable":true,"ttl":58}})");
  const auto info = leases.Lookup(SomeLease().id, bench.stop);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->left, Duration(58s));
  EXPECT_EQ(info->expires - info->issued, Duration(60s));
}

constexpr std::string_view kPem = "-----BEGIN CERTIFICATE-----\\nMII\\n-----END CERTIFICATE-----";

TEST(Pki, IssuesWithWhatWasAskedFor) {
  Bench bench;
  Pki pki("pki", bench.caller);
  const std::string pem(kPem);
  bench.Reply(200,
              R"({"data":{"certificate":")" + pem + R"(","issuing_ca":")" + pem +
                  R"(","ca_chain":[")" + pem + R"(",")" + pem +
                  R"("],"private_key":"KEY","serial_number":"39:dd","expiration":1767323045}})");
  const auto issued = pki.Issue("svc",
                                {.common_name = "a.svc",
                                 .dns_names = {"b.svc", "c.svc"},
                                 .ip_addresses = {"10.0.0.1"},
                                 .lifetime = 10min},
                                bench.stop);
  ASSERT_TRUE(issued) << issued.error().message;
  EXPECT_EQ(issued->serial, "39:dd");
  EXPECT_EQ(issued->private_key_pem.Reveal(), "KEY");
  EXPECT_EQ(issued->not_after, bench.clock.Now());
  EXPECT_EQ(issued->chain_pem, issued->certificate_pem + "\n" + issued->certificate_pem);
  EXPECT_EQ(
      bench.transport.requests()[0].body,
      R"({"common_name":"a.svc","alt_names":"b.svc,c.svc","ip_sans":"10.0.0.1","ttl":"600s"})");
  EXPECT_EQ(pki.Issue("svc", {.common_name = "a", .dns_names = {"b,*"}}, bench.stop).error().kind,
            ErrorKind::kInvalid);
  bench.Reply(200, R"({"data":{"certificate":"no PEM"}})");
  EXPECT_EQ(LabelOf(pki.Issue("svc", {.common_name = "a.svc"}, bench.stop)), "secret_malformed");
}

TEST(Pki, TheAuthorityIsTheChainOrTheOneCertificate) {
  Bench bench;
  Pki pki("pki", bench.caller);
  const std::string pem(kPem);
  bench.Reply(200, R"({"data":{"ca_chain":")" + pem + R"("}})");
  EXPECT_TRUE(pki.Authorities(bench.stop).value_or("").starts_with("-----BEGIN CERT"));
  bench.Reply(200, R"({"data":{"ca_chain":"","certificate":""}})");
  bench.Reply(200, R"({"data":{"certificate":")" + pem + R"("}})");
  EXPECT_TRUE(pki.Authorities(bench.stop).value_or("").starts_with("-----BEGIN CERT"));
  EXPECT_EQ(bench.transport.requests().back().target, "/v1/pki/cert/ca");
  bench.Reply(403, R"({"errors":["permission denied"]})");
  EXPECT_EQ(LabelOf(pki.Authorities(bench.stop)), "permission_denied");
}

TEST(Pki, RevokesOnlySerials) {
  Bench bench;
  Pki pki("pki", bench.caller);
  EXPECT_FALSE(pki.Revoke("../x", bench.stop));
  bench.Reply(200, R"({"data":{"revocation_time":1}})");
  EXPECT_TRUE(pki.Revoke("39:dd:2e", bench.stop));
  EXPECT_EQ(bench.transport.requests()[0].body, R"({"serial_number":"39:dd:2e"})");
}

TEST(Transit, ReadsKeysOfBothKinds) {
  Bench bench;
  Transit transit("transit", bench.caller);
  bench.Reply(200,
              R"({"data":{"type":"ed25519","latest_version":2,"min_decryption_version":1,
                  "min_available_version":0,"keys":{"1":{"public_key":"a"},"2":{"public_key":"b"}}}})");
  const auto signing = transit.ReadKey("s", bench.stop);
  ASSERT_TRUE(signing) << signing.error().message;
  EXPECT_EQ(signing->latest_version, 2U);
  EXPECT_EQ(signing->public_keys, (std::map<std::uint64_t, std::string>{{1, "a"}, {2, "b"}}));
  bench.Reply(200,
              R"({"data":{"type":"aes256-gcm96","latest_version":1,"min_decryption_version":1,
                  "min_available_version":0,"keys":{"1":1767323045}}})");
  EXPECT_TRUE(transit.ReadKey("e", bench.stop)->public_keys.empty());
}

TEST(Transit, SignsVerifiesAndRewraps) {
  Bench bench;
  Transit transit("transit", bench.caller);
  bench.Reply(200, R"({"data":{"signature":"vault:v2:c2ln"}})");
  const auto signature = transit.Sign(
      "s", {.input = "hello", .key_version = 2, .form = SignatureForm::kJws}, bench.stop);
  ASSERT_TRUE(signature) << signature.error().message;
  EXPECT_EQ(signature->key_version, 2U);
  EXPECT_EQ(signature->bytes, "c2ln");
  EXPECT_EQ(bench.transport.requests()[0].body,
            R"({"input":"aGVsbG8=","marshaling_algorithm":"jws","key_version":2})");
  bench.Reply(200, R"({"data":{"valid":false}})");
  EXPECT_EQ(transit.Verify("s", {.input = "hello"}, "vault:v2:c2ln", bench.stop).value_or(true),
            false);
  bench.Reply(200, R"({"data":{"ciphertext":"vault:v2:eA=="}})");
  EXPECT_EQ(transit.Rewrap("e", "vault:v1:eA==", bench.stop).value_or(""), "vault:v2:eA==");
  for (const std::string_view wrong : {"c2ln", "vault:v:c2ln", "vault:vx:c2ln", "vault:v2", ""}) {
    bench.Reply(200, R"({"data":{"signature":")" + std::string(wrong) + R"("}})");
    EXPECT_EQ(LabelOf(transit.Sign("s", {.input = "a"}, bench.stop)), "secret_malformed") << wrong;
  }
}

TEST(Transit, RotatesAndTrims) {
  Bench bench;
  Transit transit("transit", bench.caller);
  for (int call = 0; call < 3; ++call) bench.Reply(204, "");
  EXPECT_TRUE(transit.Rotate("s", bench.stop));
  EXPECT_TRUE(transit.SetMinimumVersion("s", 2, bench.stop));
  EXPECT_TRUE(transit.Trim("s", 2, bench.stop));
  const auto requests = bench.transport.requests();
  EXPECT_EQ(requests[0].target, "/v1/transit/keys/s/rotate");
  EXPECT_EQ(requests[1].target, "/v1/transit/keys/s/config");
  EXPECT_EQ(requests[1].body, R"({"min_decryption_version":2,"min_encryption_version":2})");
  EXPECT_EQ(requests[2].target, "/v1/transit/keys/s/trim");
  EXPECT_EQ(requests[2].body, R"({"min_available_version":2})");
}

}  // namespace
}  // namespace tracekeeper::vault
