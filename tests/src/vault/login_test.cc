#include "src/vault/login.h"

#include <gtest/gtest.h>

#include "tests/src/vault/fixture.h"

namespace tracekeeper::vault {
namespace {

constexpr std::string_view kToken =
    R"({"auth":{"client_token":"t","accessor":"a","lease_duration":60,"renewable":true}})";

TEST(Login, AWrappedSecretIdIsOpenedOnce) {
  Bench bench;
  std::string wrapping = "hvs.wrap-1";
  auto login =
      MakeAppRoleLogin({.role_id = "role",
                        .secret_id =
                            [&](const StopToken&) {
                              return Result<crypto::SecretString>(crypto::SecretString(wrapping));
                            },
                        .form = SecretIdForm::kWrapped});
  ASSERT_TRUE(login);
  const auto answer_unwrap = [&](std::string_view id) {
    bench.transport.Answer({.pieces = {R"({"data":{"secret_id":")" + std::string(id) + R"("}})"},
                            .expect = "POST /v1/sys/wrapping/unwrap"});
  };
  const auto answer_login = [&] {
    bench.transport.Answer(
        {.pieces = {std::string(kToken)}, .expect = "POST /v1/auth/approle/login"});
  };
  answer_unwrap("id-1");
  answer_login();
  ASSERT_TRUE((*login)->LogIn(bench.endpoint, "", bench.stop));
  EXPECT_EQ(bench.transport.requests().front().headers.Get("X-Vault-Token"), "hvs.wrap-1");
  EXPECT_EQ(bench.transport.requests().back().body, R"({"role_id":"role","secret_id":"id-1"})");
  answer_login();
  ASSERT_TRUE((*login)->LogIn(bench.endpoint, "", bench.stop));
  wrapping = "hvs.wrap-2";
  answer_unwrap("id-2");
  answer_login();
  ASSERT_TRUE((*login)->LogIn(bench.endpoint, "", bench.stop));
  EXPECT_EQ(bench.transport.requests().back().body, R"({"role_id":"role","secret_id":"id-2"})");
}

TEST(Login, MountsAndRolesAreChecked) {
  EXPECT_FALSE(MakeJwtLogin({.mount = "../sys", .role = "a"}));
  EXPECT_FALSE(MakeJwtLogin({.role = ""}));
  EXPECT_FALSE(MakeAppRoleLogin({.role_id = ""}));
  EXPECT_FALSE(MakeCertificateLogin({.mount = "a//b"}));
  EXPECT_TRUE(MakeCertificateLogin({}));
}

}  // namespace
}  // namespace tracekeeper::vault
