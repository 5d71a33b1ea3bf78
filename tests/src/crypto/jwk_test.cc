#include "src/crypto/jwk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>

#include "src/crypto/secret_generator.h"

namespace tracekeeper::crypto {
namespace {

using testing::HasSubstr;
using testing::Not;

// RFC 8037, appendix A.2 and A.3: the key and its thumbprint.
TEST(Jwk, OfEd25519HasTheThumbprintOfTheRfc) {
  constexpr unsigned char kKey[] = {0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7,
                                    0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
                                    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25,
                                    0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};
  const auto jwk = Ed25519Jwk({reinterpret_cast<const char*>(kKey), sizeof(kKey)});
  ASSERT_TRUE(jwk) << jwk.error().message;
  EXPECT_EQ(*jwk, R"({"alg":"EdDSA","crv":"Ed25519",)"
                  R"("kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k","kty":"OKP",)"
                  R"("use":"sig","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
}

struct KindCase {
  const char* name;
  KeyKind kind;
  std::string_view says;
};
class JwkOfAKind : public testing::TestWithParam<KindCase> {};

TEST_P(JwkOfAKind, HoldsThePublicHalfAlone) {
  const auto key = MakePrivateKey(GetParam().kind, 2048);
  ASSERT_TRUE(key) << key.error().message;
  const auto jwk = PublicJwk(key->Reveal());
  ASSERT_TRUE(jwk) << jwk.error().message;
  EXPECT_THAT(*jwk, HasSubstr(GetParam().says));
  EXPECT_THAT(*jwk, Not(HasSubstr("\"d\"")));
  EXPECT_EQ(*PublicJwk(key->Reveal()), *jwk);
}

INSTANTIATE_TEST_SUITE_P(Kinds, JwkOfAKind,
                         testing::Values(KindCase{"rsa", KeyKind::kRsa, R"("alg":"RS256")"},
                                         KindCase{"ecdsa", KeyKind::kEcdsaP256, R"("crv":"P-256")"},
                                         KindCase{"ed25519", KeyKind::kEd25519,
                                                  R"("crv":"Ed25519")"}),
                         [](const auto& param) { return param.param.name; });

TEST(Jwk, OfWhatIsNoKeyIsRefused) {
  EXPECT_FALSE(PublicJwk("no key"));
  EXPECT_FALSE(PublicJwk(""));
  EXPECT_FALSE(Ed25519Jwk("short"));
}

TEST(MakePassword, GivesLettersAndDigitsThatDiffer) {
  const auto first = MakePassword(200);
  const auto second = MakePassword(200);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->size(), 200U);
  EXPECT_FALSE(first->Equals(*second));
  for (const char c : first->Reveal()) EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)));
}

}  // namespace
}  // namespace tracekeeper::crypto
