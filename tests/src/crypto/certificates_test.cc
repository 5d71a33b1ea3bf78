// Certificates made, read and verified: what a webhook's authority and server certificate need.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "src/crypto/certificate.h"
#include "src/crypto/certificate_maker.h"

namespace tracekeeper::crypto {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr Instant kNow{std::chrono::seconds(1767323045)};  // 2026-01-02T03:04:05Z

CertificatePair Authority(const std::string& name = "tracekeeper",
                          Duration lifetime = hours(1000)) {
  return MakeCertificateAuthority(name, {.now = kNow, .lifetime = lifetime}).value();
}

CertificateRequest Webhook() {
  return {.common_name = "webhook",
          .dns_names = {"webhook.tracekeeper.svc", "webhook.tracekeeper.svc.cluster.local"},
          .ip_addresses = {"10.0.0.1", "fd00::1"}};
}

TEST(CertificateMaker, MakesAnAuthorityThatVouchesForItsLeaves) {
  const CertificatePair authority = Authority();
  EXPECT_TRUE(authority.leaf().is_authority);
  EXPECT_EQ(authority.leaf().subject, authority.leaf().issuer);
  const auto leaf = IssueCertificate(authority, Webhook(), {.now = kNow});
  ASSERT_TRUE(leaf) << leaf.error().message;
  EXPECT_FALSE(leaf->leaf().is_authority);
  EXPECT_EQ(leaf->leaf().subject, "CN = webhook");
  EXPECT_EQ(leaf->leaf().issuer, "CN = tracekeeper");
  EXPECT_THAT(leaf->leaf().dns_names,
              ElementsAre("webhook.tracekeeper.svc", "webhook.tracekeeper.svc.cluster.local"));
  EXPECT_THAT(leaf->leaf().ip_addresses, ElementsAre("10.0.0.1", "fd00::1"));
  EXPECT_TRUE(VerifyServerCertificate(leaf->chain_pem(), authority.chain_pem(), kNow));
}

TEST(CertificateMaker, StartsInThePastForClocksThatLag) {
  const CertificatePair authority = Authority();
  const auto leaf = IssueCertificate(
      authority, Webhook(), {.now = kNow, .lifetime = hours(24), .back_dated_by = hours(2)});
  ASSERT_TRUE(leaf);
  EXPECT_EQ(leaf->leaf().not_before, kNow - hours(2));
  EXPECT_EQ(leaf->leaf().not_after, kNow + hours(24));
}

TEST(CertificateMaker, EndsALeafNoLaterThanItsAuthority) {
  const CertificatePair authority = Authority("short", hours(10));
  const auto leaf = IssueCertificate(authority, Webhook(), {.now = kNow, .lifetime = hours(1000)});
  ASSERT_TRUE(leaf);
  EXPECT_EQ(leaf->leaf().not_after, authority.leaf().not_after);
}

TEST(CertificateMaker, NeverRepeatsASerial) {
  const CertificatePair authority = Authority();
  std::set<std::string> serials;
  for (int i = 0; i < 50; ++i) {
    serials.insert(IssueCertificate(authority, Webhook(), {.now = kNow}).value().leaf().serial);
  }
  EXPECT_EQ(serials.size(), 50U);
  EXPECT_EQ(serials.begin()->size(), 32U) << "128 bits";
}

TEST(CertificateMaker, PutsTheGroupsOfAClientInItsSubject) {
  const auto client = IssueCertificate(
      Authority(),
      {.common_name = "admin", .organizations = {"system:masters"}, .use = CertificateUse::kClient},
      {.now = kNow});
  ASSERT_TRUE(client) << client.error().message;
  EXPECT_EQ(client->leaf().subject, "O = system:masters, CN = admin");
}

TEST(CertificateMaker, RefusesWhatNoClientCouldCheck) {
  const CertificatePair authority = Authority();
  const auto nameless = IssueCertificate(authority, {.common_name = "webhook"}, {.now = kNow});
  ASSERT_FALSE(nameless);
  EXPECT_THAT(nameless.error().message, HasSubstr("needs a DNS name or an IP address"));
  const auto bad_address = IssueCertificate(
      authority, {.common_name = "webhook", .ip_addresses = {"10.0.0.256"}}, {.now = kNow});
  ASSERT_FALSE(bad_address);
  EXPECT_THAT(bad_address.error().message, HasSubstr("\"10.0.0.256\" is not an IP address"));
}

TEST(CertificateMaker, ANameCannotSmuggleInAnother) {
  const auto leaf = IssueCertificate(
      Authority(), {.common_name = "a", .dns_names = {"good.svc,DNS:evil.svc"}}, {.now = kNow});
  ASSERT_TRUE(leaf);
  EXPECT_THAT(leaf->leaf().dns_names, ElementsAre("good.svc,DNS:evil.svc"));
}

TEST(VerifyServerCertificate, SaysWhyACertificateIsNotVouchedFor) {
  const CertificatePair authority = Authority();
  const CertificatePair leaf = IssueCertificate(authority, Webhook(), {.now = kNow}).value();
  const auto reason = [&](std::string_view bundle, Instant at) {
    const Status verified = VerifyServerCertificate(leaf.chain_pem(), bundle, at);
    return verified ? std::string("vouched for") : verified.error().message;
  };
  EXPECT_THAT(reason(Authority("stranger").chain_pem(), kNow), HasSubstr("issuer certificate"));
  EXPECT_THAT(reason(authority.chain_pem(), kNow + hours(5000)), HasSubstr("has expired"));
  EXPECT_THAT(reason(authority.chain_pem(), kNow - hours(5)), HasSubstr("not yet valid"));
  EXPECT_THAT(reason("", kNow), HasSubstr("there is no certificate"));
}

TEST(VerifyServerCertificate, TakesABundleOfOldAndNewAuthorities) {
  const CertificatePair old_authority = Authority("old");
  const CertificatePair new_authority = Authority("new");
  const std::string bundle = new_authority.chain_pem() + old_authority.chain_pem();
  for (const CertificatePair* authority : {&old_authority, &new_authority}) {
    const CertificatePair leaf = IssueCertificate(*authority, Webhook(), {.now = kNow}).value();
    EXPECT_TRUE(VerifyServerCertificate(leaf.chain_pem(), bundle, kNow));
  }
}

TEST(VerifyServerCertificate, RefusesAClientCertificate) {
  const CertificatePair authority = Authority();
  const CertificatePair client =
      IssueCertificate(authority, {.common_name = "robot", .use = CertificateUse::kClient},
                       {.now = kNow})
          .value();
  EXPECT_FALSE(VerifyServerCertificate(client.chain_pem(), authority.chain_pem(), kNow));
}

TEST(CertificatePair, RefusesAKeyThatBelongsToAnother) {
  const CertificatePair one = Authority("one");
  const CertificatePair two = Authority("two");
  const auto mixed = CertificatePair::Parse(one.chain_pem(), two.private_key_pem().Clone());
  ASSERT_FALSE(mixed);
  EXPECT_EQ(mixed.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(mixed.error().message, HasSubstr("does not belong to certificate CN = one"));
}

TEST(CertificatePair, NeverShowsKeyBytesInAnError) {
  const CertificatePair pair = Authority();
  std::string damaged(pair.private_key_pem().Reveal());
  damaged.replace(60, 4, "!!!!");
  const auto refused = CertificatePair::Parse(pair.chain_pem(), SecretString(damaged));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("private key cannot be read"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr(damaged.substr(70, 16))));
}

TEST(CertificatePair, RefusesAnEncryptedKeyInsteadOfAskingTheTerminal) {
  constexpr std::string_view kEncrypted =
      "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
      "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAAAAAAAAAAAAAAAAAAAA==\n"
      "-----END EC PRIVATE KEY-----\n";
  EXPECT_FALSE(CertificatePair::Parse(Authority().chain_pem(), SecretString(kEncrypted)));
}

TEST(ParseCertificates, ReadsABundleAndSkipsWhatIsBetween) {
  const CertificatePair one = Authority("one");
  const CertificatePair two = Authority("two");
  const auto infos = ParseCertificates("# the old one\n" + one.chain_pem() + "\n# the new one\n" +
                                       two.chain_pem());
  ASSERT_TRUE(infos) << infos.error().message;
  ASSERT_EQ(infos->size(), 2U);
  EXPECT_EQ((*infos)[1].subject, "CN = two");
  EXPECT_EQ((*infos)[1].fingerprint, two.leaf().fingerprint);
}

TEST(ParseCertificates, SaysWhichCertificateIsDamaged) {
  const CertificatePair one = Authority("one");
  std::string damaged = Authority("two").chain_pem();
  damaged.replace(100, 4, "!!!!");
  const auto refused = ParseCertificates(one.chain_pem() + damaged);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kDecode);
  EXPECT_THAT(refused.error().message, HasSubstr("certificate 2"));
}

}  // namespace
}  // namespace tracekeeper::crypto
