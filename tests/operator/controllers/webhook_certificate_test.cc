#include "operator/controllers/webhook_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tracekeeper::controllers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const Instant kNow{std::chrono::seconds(1'900'000'000)};
const kube::ObjectKey kSecret{"tracekeeper-system", "tracekeeper-webhook-tls"};

VouchedPair Fresh() {
  auto made = MakeVouchedPair(NamesOfService("hook", "ns"), std::chrono::hours(24), kNow);
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}

WebhookCertificate ReadBack(const WebhookCertificate& stored) {
  codec::JsonParser parser;
  auto read = ReadWebhookCertificate(*parser.Parse(WriteWebhookCertificate(kSecret, stored, "7")));
  EXPECT_TRUE(read) << read.error().message;
  return std::move(*read);
}

TEST(MakeVouchedPair, IsVouchedForByItsAuthorityUnderItsNames) {
  const VouchedPair made = Fresh();
  EXPECT_TRUE(crypto::VerifyServerCertificate(made.pair->chain_pem(), made.authority_pem, kNow));
  EXPECT_THAT(made.pair->leaf().dns_names, ElementsAre("hook.ns.svc", "hook.ns.svc.cluster.local"));
}

TEST(WebhookCertificate, TheSecretHoldsNoAuthoritysKey) {
  const VouchedPair made = Fresh();
  const std::string secret = WriteWebhookCertificate(kSecret, {.serving = made}, "");
  EXPECT_THAT(secret, HasSubstr("\"tls.key\""));
  EXPECT_THAT(secret, Not(HasSubstr("ca.key")));
  EXPECT_THAT(secret, Not(HasSubstr("resourceVersion")));
}

TEST(WebhookCertificate, ReadsBackWhatItWroteAtEveryStep) {
  WebhookCertificate stored{.serving = Fresh()};
  EXPECT_EQ(ReadBack(stored).serving.authority_pem, stored.serving.authority_pem);

  stored = Prepared(std::move(stored), Fresh());
  const WebhookCertificate prepared = ReadBack(stored);
  ASSERT_TRUE(prepared.next);
  EXPECT_EQ(prepared.TrustBundle(), stored.TrustBundle());

  const std::string old_authority = stored.serving.authority_pem;
  const std::string next_authority = stored.next->authority_pem;
  stored = Activated(std::move(stored), kNow);
  const WebhookCertificate activated = ReadBack(stored);
  EXPECT_EQ(activated.serving.authority_pem, next_authority);
  EXPECT_EQ(activated.previous_authority_pem, old_authority);
  EXPECT_EQ(activated.activated_at, kNow);
  EXPECT_FALSE(activated.next);

  const WebhookCertificate retired = ReadBack(Retired(std::move(stored)));
  EXPECT_EQ(retired.TrustBundle(), next_authority);
  EXPECT_FALSE(retired.activated_at);
}

TEST(WebhookCertificate, WhatIsServedIsTrustedAtEveryStep) {
  WebhookCertificate stored{.serving = Fresh()};
  const auto is_trusted = [&] {
    return static_cast<bool>(crypto::VerifyServerCertificate(stored.serving.pair->chain_pem(),
                                                             stored.TrustBundle(), kNow));
  };
  EXPECT_TRUE(is_trusted());
  stored = Prepared(std::move(stored), Fresh());
  EXPECT_TRUE(is_trusted());
  stored = Activated(std::move(stored), kNow);
  EXPECT_TRUE(is_trusted());
  stored = Retired(std::move(stored));
  EXPECT_TRUE(is_trusted());
}

struct BadSecret {
  const char* name;
  const char* json;
  const char* message;
};

class UnreadableSecret : public testing::TestWithParam<BadSecret> {};

TEST_P(UnreadableSecret, SaysWhichKeyIsWrongAndShowsNoBytes) {
  codec::JsonParser parser;
  const auto read = ReadWebhookCertificate(*parser.Parse(GetParam().json));
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr(GetParam().message));
  EXPECT_THAT(read.error().message, Not(HasSubstr("c2VjcmV0")));
  EXPECT_THAT(read.error().message, Not(HasSubstr("secret-bytes")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, UnreadableSecret,
    testing::Values(BadSecret{"empty", "{}", "has no tls.crt"},
                    BadSecret{"no_key", R"({"data":{"tls.crt":"YQ=="}})", "has no tls.key"},
                    BadSecret{"not_base64", R"({"data":{"tls.crt":"*","tls.key":"YQ=="}})",
                              "tls.crt of the webhook's Secret is not base64"},
                    BadSecret{"not_pem",
                              R"({"data":{"tls.crt":"YQ==","tls.key":"c2VjcmV0LWJ5dGVz"}})",
                              "tls.crt of the webhook's Secret"}),
    [](const auto& param) { return param.param.name; });

struct UrlCase {
  const char* name;
  const char* url;
  const char* dns;  // empty: none
  const char* ip;
};

class WebhookUrl : public testing::TestWithParam<UrlCase> {};

TEST_P(WebhookUrl, GivesTheNameThatTheCertificateNeeds) {
  const auto names = NamesOfUrl(GetParam().url);
  ASSERT_TRUE(names) << names.error().message;
  EXPECT_EQ(names->dns_names.empty() ? "" : names->dns_names[0], GetParam().dns);
  EXPECT_EQ(names->ip_addresses.empty() ? "" : names->ip_addresses[0], GetParam().ip);
}

INSTANTIATE_TEST_SUITE_P(Table, WebhookUrl,
                         testing::Values(UrlCase{"ipv4", "https://10.0.0.5:9443", "", "10.0.0.5"},
                                         UrlCase{"ipv6", "https://[fd00::1]:9443", "", "fd00::1"},
                                         UrlCase{"name", "https://hook.example.com",
                                                 "hook.example.com", ""},
                                         UrlCase{"path", "https://hook:9443/x", "hook", ""}),
                         [](const auto& param) { return param.param.name; });

TEST(WebhookUrl, RefusesWhatApiServersWouldNotCall) {
  EXPECT_FALSE(NamesOfUrl("http://hook"));
  EXPECT_FALSE(NamesOfUrl("https://"));
}

}  // namespace
}  // namespace tracekeeper::controllers
