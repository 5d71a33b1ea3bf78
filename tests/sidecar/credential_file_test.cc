#include "sidecar/credential_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/sidecar/mounted_config_map.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper::sidecar {
namespace {

using config::AuthScheme;
using ::testing::HasSubstr;
using ::testing::Not;

struct ValueCase {
  const char* name;
  AuthScheme scheme;
  std::string text;
  const char* want;  // null: refused
  const char* why = "";
};

class HeaderValues : public ::testing::TestWithParam<ValueCase> {};

TEST_P(HeaderValues, AreMadeOfTheFilesText) {
  const auto value = HeaderValueOf(GetParam().scheme, GetParam().text);
  if (GetParam().want != nullptr) {
    ASSERT_TRUE(value) << value.error().message;
    EXPECT_EQ(value->Reveal(), GetParam().want);
    return;
  }
  ASSERT_FALSE(value);
  EXPECT_THAT(value.error().message, HasSubstr(GetParam().why));
  EXPECT_THAT(value.error().message, Not(HasSubstr("s3cr3t")));
}

INSTANTIATE_TEST_SUITE_P(
    All, HeaderValues,
    ::testing::Values(
        ValueCase{"Bearer", AuthScheme::kBearer, "s3cr3t", "Bearer s3cr3t"},
        ValueCase{"LineEndIsNotPartOfIt", AuthScheme::kBearer, "s3cr3t\r\n\n", "Bearer s3cr3t"},
        ValueCase{"Basic", AuthScheme::kBasic, "user:s3cr3t\n", "Basic dXNlcjpzM2NyM3Q="},
        ValueCase{"Header", AuthScheme::kHeader, "Api-Token s3cr3t", "Api-Token s3cr3t"},
        ValueCase{"Empty", AuthScheme::kBearer, "", nullptr, "empty"},
        ValueCase{"OnlyALineEnd", AuthScheme::kBearer, "\n", nullptr, "empty"},
        ValueCase{"TwoLines", AuthScheme::kBearer, "s3cr3t\nmore", nullptr, "one line"},
        ValueCase{"HeaderInjection", AuthScheme::kHeader, "s3cr3t\r\nX-Evil: 1", nullptr,
                  "one line"},
        ValueCase{"ZeroByte", AuthScheme::kBearer, std::string("s3cr3t\0", 7), nullptr, "control"},
        ValueCase{"BasicWithoutColon", AuthScheme::kBasic, "s3cr3t", nullptr, "user:password"},
        ValueCase{"TooLong", AuthScheme::kBearer, std::string(20'000, 's'), nullptr, "longer"}),
    [](const auto& test) { return test.param.name; });

class CredentialFileTest : public ::testing::Test {
 protected:
  /// Writes the file as of `age` ago on the test's clock.
  void Write(const std::string& text, Duration age = std::chrono::seconds(10)) {
    const std::string next = folder_ / "next";
    std::ofstream(next) << text;
    const auto seconds =
        std::chrono::floor<std::chrono::nanoseconds>(clock_.Now() - age).time_since_epoch().count();
    const timespec time{.tv_sec = seconds / 1'000'000'000, .tv_nsec = seconds % 1'000'000'000};
    const timespec times[] = {time, time};
    ::utimensat(AT_FDCWD, next.c_str(), times, 0);
    std::filesystem::rename(next, file());
  }
  [[nodiscard]] std::string file() const { return folder_ / "token"; }
  std::string Sent(CredentialFile& credential) {
    net::Headers headers;
    const Status added = credential.AddTo(headers);
    return added ? std::string(headers.Get("Authorization")) : "error: " + added.error().message;
  }

  test_support::ManualClock clock_;
  std::string logged_;
  Log log_{LogLevel::kInfo,
           [this](LogLevel, std::string_view line) { logged_.append(line).append("\n"); }};
  test_support::TemporaryFolder folder_{"credential"};
  CredentialFile credential_{{.scheme = AuthScheme::kBearer, .file = file()}, clock_, Logger(log_)};
};

TEST_F(CredentialFileTest, IsSentAsItIsNow) {
  Write("first");
  EXPECT_EQ(Sent(credential_), "Bearer first");
  Write("second", std::chrono::seconds(5));
  EXPECT_EQ(Sent(credential_), "Bearer second");
  EXPECT_EQ(credential_.Report().loaded, 2U);
  EXPECT_THAT(logged_, HasSubstr("Took a credential"));
  EXPECT_THAT(logged_, Not(HasSubstr("second")));
}

TEST_F(CredentialFileTest, MayAppearLater) {
  EXPECT_THAT(Sent(credential_), HasSubstr("is not there"));
  Write("first");
  EXPECT_EQ(Sent(credential_), "Bearer first");
  EXPECT_EQ(credential_.Report().problem, "");
}

TEST_F(CredentialFileTest, KeepsTheLastGoodOneAndSaysSo) {
  Write("first");
  EXPECT_EQ(Sent(credential_), "Bearer first");
  const std::string bad[] = {"", "two\nlines", std::string(100'000, 'x')};
  std::uint64_t refused = 0;
  for (const std::string& text : bad) {
    Write(text, std::chrono::seconds(9 - static_cast<int>(refused)));
    EXPECT_EQ(Sent(credential_), "Bearer first");
    EXPECT_THAT(credential_.Report().problem, HasSubstr("the last good credential stays in use"));
    EXPECT_EQ(credential_.Report().refused, ++refused);
  }
  std::filesystem::remove(file());
  EXPECT_EQ(Sent(credential_), "Bearer first");
  EXPECT_THAT(credential_.Report().problem, HasSubstr("is not there"));
  Write("second");
  EXPECT_EQ(Sent(credential_), "Bearer second");
  EXPECT_EQ(credential_.Report().problem, "");
}

TEST_F(CredentialFileTest, DoesNotTakeAFileThatMayStillBeGrowing) {
  Write("first");
  EXPECT_EQ(Sent(credential_), "Bearer first");
  Write("sec", Duration::zero());
  EXPECT_EQ(Sent(credential_), "Bearer first");
  Write("second", Duration::zero());
  clock_.Advance(std::chrono::milliseconds(200));
  EXPECT_EQ(Sent(credential_), "Bearer second");
}

TEST_F(CredentialFileTest, NamesItsVersionAsTheKubeletDoes) {
  MountedConfigMap mount;
  mount.Publish("mounted");
  CredentialFile credential({.scheme = AuthScheme::kBearer, .file = mount.file()}, clock_,
                            Logger(log_));
  EXPECT_EQ(Sent(credential), "Bearer mounted");
  const std::string first = credential.Report().version;
  EXPECT_THAT(first, HasSubstr(".."));
  mount.Publish("swapped");
  clock_.JumpWallTime(std::chrono::hours(100'000));
  EXPECT_EQ(Sent(credential), "Bearer swapped");
  EXPECT_NE(credential.Report().version, first);
}

TEST_F(CredentialFileTest, UsesTheHeaderOfItsScheme) {
  Write("key");
  CredentialFile credential({.scheme = AuthScheme::kHeader, .header = "X-Api-Key", .file = file()},
                            clock_, Logger(log_));
  net::Headers headers;
  ASSERT_TRUE(credential.AddTo(headers));
  EXPECT_EQ(headers.Get("x-api-key"), "key");
  EXPECT_FALSE(headers.Has("Authorization"));
}

}  // namespace
}  // namespace tracekeeper::sidecar
