#include "src/crypto/server_tls_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/src/net/test_certificates.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper::crypto {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using Change = ServerTlsFiles::Change;

class ServerTlsFilesTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  void WritePair(const net::CertificatePtr& pair) {
    Write("tls.crt", pair->chain_pem());
    Write("tls.key", pair->private_key_pem().Reveal());
  }
  [[nodiscard]] ServerTlsFiles::Paths Paths() const {
    return {.certificate = folder_ / "tls.crt",
            .key = folder_ / "tls.key",
            .client_authorities = folder_ / "ca.crt"};
  }
  std::string WhyNot() {
    const auto made = ServerTlsFiles::Make(Paths());
    return made ? "no error" : made.error().message;
  }

  const test_support::TemporaryFolder folder_{"tls"};
  const net::TestAuthority authority_;
  const net::TestAuthority other_{"other"};
};

TEST_F(ServerTlsFilesTest, AreShownAndReadAgainWhenTheyChange) {
  const auto first = authority_.Server();
  WritePair(first);
  Write("ca.crt", authority_.pem());
  const auto files = ServerTlsFiles::Make(Paths());
  ASSERT_TRUE(files) << files.error().message;
  const auto& source = *(*files)->source();
  EXPECT_EQ(source.Certificate()->leaf().serial, first->leaf().serial);
  EXPECT_EQ(source.ClientAuthoritiesPem(), authority_.pem());
  EXPECT_EQ((*files)->ReadAgain(), Change::kNone);

  const auto second = authority_.Server();
  WritePair(second);
  EXPECT_EQ((*files)->ReadAgain(), Change::kTaken);
  EXPECT_EQ(source.Certificate()->leaf().serial, second->leaf().serial);
  Write("ca.crt", other_.pem());
  EXPECT_EQ((*files)->ReadAgain(), Change::kTaken);
  EXPECT_EQ(source.ClientAuthoritiesPem(), other_.pem());
  EXPECT_EQ((*files)->ReadAgain(), Change::kNone);
}

TEST_F(ServerTlsFilesTest, ThatCannotBeUsedAreNamedWithTheReason) {
  const auto pair = authority_.Server();
  EXPECT_THAT(WhyNot(), AllOf(StartsWith(folder_ / "tls.crt"), HasSubstr("cannot be read")));
  Write("tls.crt", "no certificate");
  EXPECT_THAT(WhyNot(), AllOf(StartsWith(folder_ / "tls.crt"), HasSubstr("not in PEM format")));
  Write("tls.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  EXPECT_THAT(WhyNot(), StartsWith(folder_ / "tls.crt"));
  Write("tls.crt", pair->chain_pem());
  EXPECT_THAT(WhyNot(), AllOf(StartsWith(folder_ / "tls.key"), HasSubstr("cannot be read")));
  Write("ca.crt", authority_.pem());
  Write("tls.key", pair->chain_pem());
  EXPECT_THAT(WhyNot(), StartsWith(folder_ / "tls.key"));
  Write("tls.key", authority_.Server()->private_key_pem().Reveal());
  EXPECT_THAT(WhyNot(),
              AllOf(StartsWith(folder_ / "tls.key"), HasSubstr("does not belong to certificate")));
  WritePair(pair);
  Write("ca.crt", pair->private_key_pem().Reveal());
  EXPECT_THAT(WhyNot(), StartsWith(folder_ / "ca.crt"));
}

TEST_F(ServerTlsFilesTest, ThatCannotBeUsedAnyMoreLeaveInUseWhatIs) {
  const auto first = authority_.Server();
  WritePair(first);
  Write("ca.crt", authority_.pem());
  const auto files = ServerTlsFiles::Make(Paths());
  ASSERT_TRUE(files) << files.error().message;
  const auto second = authority_.Server();
  Write("tls.crt", second->chain_pem());  // its key has not come yet
  EXPECT_FALSE((*files)->ReadAgain());
  EXPECT_EQ((*files)->source()->Certificate()->leaf().serial, first->leaf().serial);
  Write("tls.key", second->private_key_pem().Reveal());
  EXPECT_EQ((*files)->ReadAgain(), Change::kTaken);
  EXPECT_EQ((*files)->source()->Certificate()->leaf().serial, second->leaf().serial);
}

}  // namespace
}  // namespace tracekeeper::crypto
