// Calls whose answers are secret: tokens of ServiceAccounts, values of Secrets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "src/kube/secret_value.h"
#include "src/kube/service_account_token.h"
#include "src/kube/timestamp.h"
#include "tests/src/kube/client_fixture.h"

namespace tracekeeper::kube {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kCanary = "canary-7f3a";
const ObjectKey kLogin{"shop", "vault-login"};

test_support::ScriptedAnswer Refusal(int status, const std::string& reason) {
  return {.status = status,
          .pieces = {fmt::format(R"({{"kind":"Status","code":{},"reason":"{}","message":"no"}})",
                                 status, reason)}};
}

TEST_F(ClientCalls, AskForATokenOfAServiceAccount) {
  unary_.AnswerJson(
      R"({"status":{"token":"canary-7f3a","expirationTimestamp":"2026-01-02T03:04:05Z"}})");
  const auto token = RequestToken(client_, kLogin, {.audiences = {"vault"}}, {});
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_EQ(token->token.Reveal(), kCanary);
  EXPECT_EQ(FormatTimestamp(token->expires), "2026-01-02T03:04:05Z");
  const net::Request request = unary_.requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/api/v1/namespaces/shop/serviceaccounts/vault-login/token");
  EXPECT_EQ(request.body, R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest",)"
                          R"("spec":{"audiences":["vault"],"expirationSeconds":600}})");
}

TEST_F(ClientCalls, SayWhyThereIsNoTokenAndWhatToDo) {
  unary_.Answer(Refusal(404, "NotFound"));
  const auto missing = RequestToken(client_, kLogin, {}, {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(missing.error().message,
              HasSubstr("create ServiceAccount vault-login in namespace shop"));

  unary_.Answer(Refusal(403, "Forbidden"));
  const auto forbidden = RequestToken(client_, kLogin, {}, {});
  ASSERT_FALSE(forbidden);
  EXPECT_THAT(forbidden.error().message, HasSubstr("rbac.secretAccess"));

  unary_.AnswerJson(R"({"status":{"expirationTimestamp":"2026-01-02T03:04:05Z"}})");
  const auto empty = RequestToken(client_, kLogin, {}, {});
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().kind, ErrorKind::kDecode);

  unary_.AnswerJson(R"({"status":{"token":"canary-7f3a","expirationTimestamp":"soon"}})");
  const auto timeless = RequestToken(client_, kLogin, {}, {});
  ASSERT_FALSE(timeless);
  EXPECT_THAT(timeless.error().message, Not(HasSubstr(kCanary)));
}

TEST_F(ClientCalls, ReadOneValueOfASecret) {
  unary_.AnswerJson(R"({"data":{"token":"Y2FuYXJ5LTdmM2E=","other":"?"}})");
  const auto value = ReadSecretValue(client_, {"shop", "otlp"}, "token", {});
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_EQ(value->Reveal(), kCanary);
}

TEST_F(ClientCalls, NameTheKeyThatASecretLacksAndNeverAValue) {
  const auto document = Document::Parse(R"({"data":{"token":"canary-7f3a!"}})");
  const auto missing = SecretValueOf(*document, {"shop", "otlp"}, "password");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "Secret shop/otlp has no key password");
  const auto broken = SecretValueOf(*document, {"shop", "otlp"}, "token");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().message, "key token of Secret shop/otlp is not base64");
}

TEST_F(ClientCalls, SayWhichChartValueLetsThemReadSecrets) {
  unary_.Answer(Refusal(403, "Forbidden"));
  const auto forbidden = ReadSecretValue(client_, {"shop", "otlp"}, "token", {});
  ASSERT_FALSE(forbidden);
  EXPECT_EQ(forbidden.error().kind, ErrorKind::kForbidden);
  EXPECT_THAT(forbidden.error().message, HasSubstr("rbac.secretAccess lists; add shop"));
}

TEST_F(ClientCalls, ReadAValueOfAConfigMapInEitherForm) {
  for (const char* body : {R"({"data":{"ca.crt":"PEM"}})", R"({"binaryData":{"ca.crt":"UEVN"}})"}) {
    unary_.AnswerJson(body);
    const auto value = ReadConfigMapValue(client_, {"shop", "ca"}, "ca.crt", {});
    ASSERT_TRUE(value) << value.error().message;
    EXPECT_EQ(*value, "PEM");
  }
  unary_.AnswerJson(R"({"data":{}})");
  const auto missing = ReadConfigMapValue(client_, {"shop", "ca"}, "ca.crt", {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "ConfigMap shop/ca has no key ca.crt");
}

}  // namespace
}  // namespace tracekeeper::kube
