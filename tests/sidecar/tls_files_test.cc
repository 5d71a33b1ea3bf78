#include "sidecar/tls_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "src/crypto/certificate_maker.h"
#include "tests/sidecar/mounted_config_map.h"

namespace tracekeeper::sidecar {
namespace {

using ::testing::HasSubstr;

class TlsFilesTest : public ::testing::Test {
 protected:
  TlsFilesTest() {
    Write("ca.crt", Authority("first"));
    Write("tls.crt", first_.chain_pem());
    Write("tls.key", first_.private_key_pem().Reveal());
  }
  static crypto::CertificatePair Pair(const std::string& name) {
    return *crypto::MakeCertificateAuthority(
        name, {.now = Instant(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1))});
  }
  static std::string Authority(const std::string& name) { return Pair(name).chain_pem(); }
  /// By rename, as files are replaced that others read.
  void Write(const char* name, std::string_view text) {
    std::ofstream(folder_.folder() / "next") << text;
    std::filesystem::rename(folder_.folder() / "next", folder_.folder() / name);
  }
  [[nodiscard]] std::string Path(const char* name) const { return folder_.folder() / name; }

  MountedConfigMap folder_;
  crypto::CertificatePair first_ = Pair("client-1");
  std::string logged_;
  Log log_{LogLevel::kInfo, [this](LogLevel, std::string_view line) { logged_.append(line); }};
  TlsFiles files_{
      {.ca_file = Path("ca.crt"), .certificate_file = Path("tls.crt"), .key_file = Path("tls.key")},
      Logger(log_)};
};

TEST_F(TlsFilesTest, AreReadAsTheyAreNow) {
  const auto before = files_.Authorities();
  ASSERT_TRUE(before);
  Write("ca.crt", Authority("second"));
  const auto after = files_.Authorities();
  ASSERT_TRUE(after);
  EXPECT_NE(*before, *after);
  EXPECT_EQ((*files_.Certificate())->leaf().subject, first_.leaf().subject);
}

TEST_F(TlsFilesTest, KeepTheLastGoodContentAndSaySo) {
  const std::string good = *files_.Authorities();
  ASSERT_TRUE(files_.Certificate());
  for (const char* broken : {"", "-----BEGIN CERTIFICATE-----\nhalf"}) {
    Write("ca.crt", broken);
    Write("tls.crt", broken);
    EXPECT_EQ(*files_.Authorities(), good);
    EXPECT_EQ((*files_.Certificate())->leaf().subject, first_.leaf().subject);
  }
  EXPECT_THAT(logged_, HasSubstr("Kept the last good certificate authorities"));
  EXPECT_THAT(logged_, HasSubstr("Kept the last good client certificate"));
}

TEST_F(TlsFilesTest, DoNotTakeACertificateWhoseKeyHasNotComeYet) {
  ASSERT_TRUE(files_.Certificate());
  const crypto::CertificatePair second = Pair("client-2");
  Write("tls.crt", second.chain_pem());
  EXPECT_EQ((*files_.Certificate())->leaf().subject, first_.leaf().subject);
  Write("tls.key", second.private_key_pem().Reveal());
  EXPECT_EQ((*files_.Certificate())->leaf().subject, second.leaf().subject);
}

TEST_F(TlsFilesTest, FailWhereThereNeverWasAnythingGood) {
  TlsFiles files({.ca_file = Path("missing.crt")}, Logger(log_));
  const auto authorities = files.Authorities();
  ASSERT_FALSE(authorities);
  EXPECT_THAT(authorities.error().message, HasSubstr("missing.crt"));
  const auto certificate = files.Certificate();
  ASSERT_TRUE(certificate);
  EXPECT_EQ(*certificate, nullptr) << "none is configured";
}

TEST_F(TlsFilesTest, TellOnceThatTheyChanged) {
  EXPECT_FALSE(files_.TakeChange()) << "the first look has nothing to compare with";
  EXPECT_FALSE(files_.TakeChange());
  Write("tls.crt", first_.chain_pem());
  EXPECT_TRUE(files_.TakeChange());
  EXPECT_FALSE(files_.TakeChange());
}

}  // namespace
}  // namespace tracekeeper::sidecar
