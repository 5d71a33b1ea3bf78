#include "src/kube/credentials.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "src/crypto/certificate_maker.h"
#include "tests/src/kube/test_files.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::kube {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class CredentialsOfFiles : public testing::Test {
 protected:
  TestFiles files_;
  test_support::ManualClock clock_;
  std::vector<std::string> lines_;
  Log log_{LogLevel::kInfo, [this](LogLevel, std::string_view line) { lines_.emplace_back(line); }};
  Config config_;

  std::unique_ptr<Credentials> Make() {
    auto made = Credentials::Make(config_, clock_, Logger(log_));
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::move(*made) : nullptr;
  }
  [[nodiscard]] std::string Logged() const {
    std::string text;
    for (const std::string& line : lines_) text += line + "\n";
    return text;
  }
};

TEST_F(CredentialsOfFiles, ReadTheTokenAgainWithinAMinute) {
  config_.token.file = files_.Write("token", "first\n");
  const auto credentials = Make();
  EXPECT_EQ(credentials->Authorization(), "Bearer first");
  files_.Write("token", "second\n");
  clock_.Advance(seconds(49));
  EXPECT_EQ(credentials->Authorization(), "Bearer first");
  clock_.Advance(seconds(2));
  EXPECT_EQ(credentials->Authorization(), "Bearer second");
}

TEST_F(CredentialsOfFiles, ReadTheTokenAtOnceWhenTheServerRefusesIt) {
  config_.token.file = files_.Write("token", "first");
  const auto credentials = Make();
  EXPECT_FALSE(credentials->RefreshAuthorization("Bearer first")) << "the file is as it was";
  files_.Write("token", "second");
  EXPECT_TRUE(credentials->RefreshAuthorization("Bearer first"));
  EXPECT_EQ(credentials->Authorization(), "Bearer second");
}

TEST_F(CredentialsOfFiles, KeepTheLastGoodTokenAndSayItOnce) {
  config_.token.file = files_.Write("token", "first");
  const auto credentials = Make();
  files_.Remove("token");
  for (int i = 0; i < 5; ++i) {
    clock_.Advance(minutes(1));
    EXPECT_EQ(credentials->Authorization(), "Bearer first");
  }
  EXPECT_EQ(lines_.size(), 1U) << Logged();
  files_.Write("token", " \n");  // as while it is being written
  clock_.Advance(minutes(1));
  EXPECT_EQ(credentials->Authorization(), "Bearer first");
  files_.Write("token", "second");
  clock_.Advance(minutes(1));
  EXPECT_EQ(credentials->Authorization(), "Bearer second");
  files_.Remove("token");
  clock_.Advance(minutes(1));
  EXPECT_EQ(credentials->Authorization(), "Bearer second");
  EXPECT_EQ(lines_.size(), 2U) << "a new failure is told again: " << Logged();
}

TEST_F(CredentialsOfFiles, DoNotCareForAJumpOfTheWallClock) {
  config_.token.file = files_.Write("token", "first");
  const auto credentials = Make();
  clock_.JumpWallTime(-hours(48));
  files_.Write("token", "second");
  clock_.Advance(seconds(51));
  EXPECT_EQ(credentials->Authorization(), "Bearer second");
  clock_.JumpWallTime(hours(1000));
  files_.Write("token", "third");
  EXPECT_EQ(credentials->Authorization(), "Bearer second") << "no time has passed";
  clock_.Advance(seconds(51));
  EXPECT_EQ(credentials->Authorization(), "Bearer third");
}

TEST_F(CredentialsOfFiles, NeverPutATokenWhereItCanBreakOut) {
  config_.token.file = files_.Write("token", "first");
  const auto credentials = Make();
  files_.Write("token", "hunter2\r\nX-Evil: yes");
  clock_.Advance(minutes(1));
  EXPECT_EQ(credentials->Authorization(), "Bearer first");
  EXPECT_EQ(Logged().find("hunter2"), std::string::npos);
  config_.token = {.data = "hun ter2"};
  const auto made = Credentials::Make(config_, clock_, Logger(log_));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message.find("ter2"), std::string::npos);
}

TEST_F(CredentialsOfFiles, FailWhenTheFirstReadFails) {
  config_.token.file = files_.Path("none");
  const auto made = Credentials::Make(config_, clock_, Logger(log_));
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find(files_.Path("none")), std::string::npos);
}

TEST_F(CredentialsOfFiles, WithoutATokenGiveNone) {
  const auto credentials = Make();
  EXPECT_EQ(credentials->Authorization(), "");
  EXPECT_FALSE(credentials->RefreshAuthorization(""));
  EXPECT_EQ(credentials->AuthoritiesPem(), "");
  EXPECT_EQ(credentials->ClientCertificate(), nullptr);
}

TEST_F(CredentialsOfFiles, ReadAuthoritiesEveryFiveMinutes) {
  config_.certificate_authority.file = files_.Write("ca.crt", "old");
  const auto credentials = Make();
  files_.Write("ca.crt", "new");
  clock_.Advance(minutes(4));
  EXPECT_EQ(credentials->AuthoritiesPem(), "old");
  clock_.Advance(minutes(1));
  EXPECT_EQ(credentials->AuthoritiesPem(), "new");
}

TEST_F(CredentialsOfFiles, ShowANewClientCertificateWhenBothHalvesFit) {
  const crypto::CertificateValidity validity{.now = clock_.Now()};
  const auto authority = crypto::MakeCertificateAuthority("ca", validity);
  const crypto::CertificateRequest request{.common_name = "operator",
                                           .use = crypto::CertificateUse::kClient};
  const auto first = crypto::IssueCertificate(*authority, request, validity);
  const auto second = crypto::IssueCertificate(*authority, request, validity);
  config_.client_certificate.file = files_.Write("tls.crt", first->chain_pem());
  config_.client_key.file = files_.Write("tls.key", first->private_key_pem().Reveal());
  const auto credentials = Make();
  ASSERT_NE(credentials->ClientCertificate(), nullptr);
  EXPECT_EQ(credentials->ClientCertificate()->leaf().fingerprint, first->leaf().fingerprint);

  files_.Write("tls.crt", second->chain_pem());
  clock_.Advance(minutes(5));
  EXPECT_EQ(credentials->ClientCertificate()->leaf().fingerprint, first->leaf().fingerprint);
  files_.Write("tls.key", second->private_key_pem().Reveal());
  clock_.Advance(minutes(5));
  EXPECT_EQ(credentials->ClientCertificate()->leaf().fingerprint, second->leaf().fingerprint);
  EXPECT_EQ(Logged().find("PRIVATE"), std::string::npos);
}

TEST_F(CredentialsOfFiles, AreReadByManyThreadsWhileTheFileChanges) {
  config_.token.file = files_.Write("token", "first");
  const auto credentials = Make();
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const std::string header = credentials->Authorization();
        if (header != "Bearer first" && header != "Bearer second") ADD_FAILURE() << header;
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    // Renamed into place, as the kubelet does.
    files_.Write("next", i % 2 == 0 ? "second" : "first");
    std::filesystem::rename(files_.Path("next"), files_.Path("token"));
    clock_.Advance(minutes(1));
    credentials->RefreshAuthorization("");
  }
}

}  // namespace
}  // namespace tracekeeper::kube
