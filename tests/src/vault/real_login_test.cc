#include <fmt/format.h>
#include <gtest/gtest.h>

#include "src/codec/base64.h"
#include "src/codec/json_writer.h"
#include "src/crypto/certificate_maker.h"
#include "src/net/transports.h"
#include "src/vault/kv.h"
#include "src/vault/transit.h"
#include "tests/src/vault/real_vault.h"
#include "tests/support/eventually.h"

namespace tracekeeper::vault {
namespace {

using namespace std::chrono_literals;

class RealLogin : public RealVault {
 protected:
  void SetUp() override {
    RealVault::SetUp();
    if (HasFatalFailure()) return;
    Mount("kv", "kv", R"({"version":"1"})");
    Write("kv/shop", R"({"password":"one"})");
    AllowAll("shop", "kv/shop");
  }
  void EnableAuth(std::string_view type) {
    Write("sys/auth/" + std::string(type), R"({"type":")" + std::string(type) + R"("})");
  }
  std::string Read(Session& session, std::string_view path = "shop") {
    const auto secret = Kv1("kv", session).Read(path, stop);
    if (!secret) last_error = secret.error().message;
    return LabelOf(secret);
  }
  void EnableAppRole(std::string_view lifetime) {
    EnableAuth("approle");
    Write("auth/approle/role/shop",
          fmt::format(R"({{"token_policies":"shop","token_ttl":"{}","token_max_ttl":"1h"}})",
                      lifetime));
    role_id = ReadMember("auth/approle/role/shop/role-id", "role_id");
    secret_id = WriteForMember("auth/approle/role/shop/secret-id", "{}", "secret_id");
  }

  std::string role_id;
  std::string secret_id;
  std::string last_error;
};

TEST_F(RealLogin, AppRoleReadsWhatItsPolicyAllowsAndEndsWithTheSession) {
  EnableAppRole("1h");
  auto session = MakeSession(MakeAppRoleLogin({.role_id = role_id, .secret_id = Gives(secret_id)}));
  EXPECT_EQ(Read(*session), "success");
  EXPECT_EQ(Read(*session, "other"), "permission_denied");
  EXPECT_EQ(session->generation(), 1U);
  EXPECT_EQ(metrics.Value("tracekeeper_vault_requests_total,operation=token_lookup,code=200"), 1);
  EXPECT_EQ(session->accessor_hash().size(), 16U);
  EXPECT_TRUE(session->Close(stop));
  EXPECT_EQ(metrics.Value("tracekeeper_vault_requests_total,operation=token_revoke,code=204"), 1);
}

TEST_F(RealLogin, ATokenThatSomebodyRevokesIsReplacedUnnoticed) {
  EnableAppRole("1h");
  auto session = MakeSession(MakeAppRoleLogin({.role_id = role_id, .secret_id = Gives(secret_id)}));
  EXPECT_EQ(Read(*session), "success");
  Write("sys/leases/revoke-prefix/auth/approle", "{}");
  EXPECT_EQ(Read(*session), "success");
  EXPECT_EQ(session->generation(), 2U);
}

TEST_F(RealLogin, ATokenIsRenewedBeforeItEndsAndReplacedNearItsLongestLife) {
  EnableAppRole("3s");
  Write("auth/approle/role/shop",
        R"({"token_policies":"shop","token_ttl":"3s","token_max_ttl":"7s"})");
  auto session = MakeSession(MakeAppRoleLogin({.role_id = role_id, .secret_id = Gives(secret_id)}));
  const MonotonicTime end = clock.Monotonic() + Duration(9s);
  while (clock.Monotonic() < end) {
    ASSERT_EQ(Read(*session), "success") << last_error;
    clock.SleepFor(100ms, stop);
  }
  EXPECT_GE(metrics.Value("tracekeeper_vault_requests_total,operation=token_renew,code=200"), 1);
  EXPECT_EQ(session->generation(), 2U);
  EXPECT_EQ(metrics.Value("tracekeeper_vault_requests_total,operation=kv_read,code=403"), -1);
}

TEST_F(RealLogin, AWrongSecretIdIsRefusedAndHeldOff) {
  EnableAppRole("1h");
  auto session = MakeSession(MakeAppRoleLogin(
      {.role_id = role_id, .secret_id = Gives("5ad22ad9-0000-4000-8000-CANARY000000")}));
  const auto refused = Kv1("kv", *session).Read("shop", stop);
  ASSERT_EQ(LabelOf(refused), "login_refused");
  EXPECT_EQ(refused.error().message.find("CANARY"), std::string::npos);
  EXPECT_EQ(Read(*session), "login_refused");
  EXPECT_EQ(metrics.Value("tracekeeper_vault_requests_total,operation=login,code=400"), 1);
}

TEST_F(RealLogin, AWrappedSecretIdIsOpenedByUsAndByNobodyAfter) {
  EnableAppRole("1h");
  net::Request request;
  request.method = "POST";
  request.target = "/v1/auth/approle/role/shop/secret-id";
  request.headers = {{"X-Vault-Token", server->root_token()}, {"X-Vault-Wrap-TTL", "60s"}};
  const auto wrapped = transport->Send(request, {}, stop);
  ASSERT_TRUE(wrapped) << wrapped.error().message;
  codec::JsonParser parser;
  const auto document = parser.Parse(wrapped->body);
  ASSERT_TRUE(document);
  const std::string token((*document)["wrap_info"]["token"].StringOr(""));
  const AppRoleLoginOptions options{
      .role_id = role_id, .secret_id = Gives(token), .form = SecretIdForm::kWrapped};
  auto session = MakeSession(MakeAppRoleLogin(options));
  EXPECT_EQ(Read(*session), "success");
  Write("sys/leases/revoke-prefix/auth/approle", "{}");
  EXPECT_EQ(Read(*session), "success");  // the secret id was remembered
  auto second = MakeSession(MakeAppRoleLogin(options));
  EXPECT_EQ(Read(*second), "login_refused");
}

TEST_F(RealLogin, ABatchTokenIsLoggedInAgainInPlaceOfARenewal) {
  EnableAppRole("1h");
  Write("auth/approle/role/shop",
        R"({"token_policies":"shop","token_ttl":"2s","token_max_ttl":"2s","token_type":"batch"})");
  auto session = MakeSession(MakeAppRoleLogin({.role_id = role_id, .secret_id = Gives(secret_id)}));
  const MonotonicTime end = clock.Monotonic() + Duration(4s);
  while (clock.Monotonic() < end) {
    ASSERT_EQ(Read(*session), "success") << last_error;
    clock.SleepFor(100ms, stop);
  }
  EXPECT_GE(session->generation(), 3U);
  EXPECT_EQ(metrics.Value("tracekeeper_vault_requests_total,operation=token_renew,code=200"), -1);
}

std::string Base64Url(std::string text) {
  while (!text.empty() && text.back() == '=') text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

TEST_F(RealLogin, AJwtThatTransitSignedOpensTheDoor) {
  Mount("transit", "transit");
  Write("transit/keys/issuer", R"({"type":"rsa-2048"})");
  Transit transit("transit", *root);
  const auto key = transit.ReadKey("issuer", stop);
  ASSERT_TRUE(key) << key.error().message;
  EnableAuth("jwt");
  codec::JsonWriter config;
  config.BeginObject().Key("jwt_validation_pubkeys").BeginArray();
  config.String(key->public_keys.at(1)).EndArray().Member("bound_issuer", "test").EndObject();
  Write("auth/jwt/config", config.text());
  Write("auth/jwt/role/shop",
        R"({"role_type":"jwt","user_claim":"sub","bound_audiences":["vault"],
            "token_policies":"shop","token_ttl":"1m"})");
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(clock.Now().time_since_epoch()).count();
  const std::string head =
      Base64Url(codec::EncodeBase64(R"({"alg":"RS256","typ":"JWT"})")) + "." +
      Base64Url(codec::EncodeBase64(
          fmt::format(R"({{"iss":"test","sub":"sa","aud":"vault","iat":{},"nbf":{},"exp":{}}})",
                      now - 5, now - 5, now + 300)));
  const auto signature = transit.Sign("issuer", {.input = head, .rsa_padding = "pkcs1v15"}, stop);
  ASSERT_TRUE(signature) << signature.error().message;
  const std::string jwt = head + "." + Base64Url(signature->bytes);
  auto session = MakeSession(MakeJwtLogin({.mount = "jwt", .role = "shop", .jwt = Gives(jwt)}));
  EXPECT_EQ(Read(*session), "success");
  for (const auto& [role, token] :
       {std::pair<std::string, std::string>{"shop", jwt + "x"}, {"unknown", jwt}}) {
    auto refused = MakeSession(MakeJwtLogin({.mount = "jwt", .role = role, .jwt = Gives(token)}));
    EXPECT_EQ(Read(*refused), "login_refused");
  }
  auto nowhere = MakeSession(MakeJwtLogin({.mount = "none", .role = "shop", .jwt = Gives(jwt)}));
  EXPECT_EQ(Read(*nowhere), "login_refused");
}

TEST_F(RealLogin, AClientCertificateIsEnough) {
  EnableAuth("cert");
  codec::JsonWriter role;
  role.BeginObject().Member("certificate", server->authority().chain_pem());
  role.Member("allowed_common_names", "operator").Member("token_policies", "shop").EndObject();
  Write("auth/cert/certs/operator", role.text());
  auto issued = crypto::IssueCertificate(
      server->authority(), {.common_name = "operator", .use = crypto::CertificateUse::kClient},
      {.now = clock.Now()});
  ASSERT_TRUE(issued) << issued.error().message;
  auto connected =
      server->Connect(std::make_shared<const crypto::CertificatePair>(*std::move(issued)));
  ASSERT_TRUE(connected) << connected.error().message;
  Endpoint shown({}, **connected, clock);
  for (const std::string name : {"", "operator"}) {
    Session session({}, shown, *MakeCertificateLogin({.name = name}), clock);
    EXPECT_EQ(Read(session), "success");
  }
  auto without = MakeSession(MakeCertificateLogin({}));
  EXPECT_EQ(Read(*without), "login_refused");
}

TEST_F(RealLogin, AServerWithAnotherAuthorityIsNotTold) {
  auto other = crypto::MakeCertificateAuthority("another authority", {.now = clock.Now()});
  ASSERT_TRUE(other);
  net::TransportOptions options{.name = "Vault", .base_url = server->url()};
  options.authorities_pem = [pem = other->chain_pem()] { return Result<std::string>(pem); };
  auto connected = net::MakeBeastTransport(std::move(options));
  ASSERT_TRUE(connected);
  Endpoint stranger({}, **connected, clock);
  FixedToken caller(stranger, server->root_token(), "");
  EXPECT_EQ(LabelOf(Kv1("kv", caller).Read("shop", stop)), "certificate_refused");
  EXPECT_EQ(stranger.circuit(), CircuitState::kOpen);
}

}  // namespace
}  // namespace tracekeeper::vault
