#include "sidecar/mounted_credential.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <variant>

#include "sidecar/credential_file.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper::sidecar {
namespace {

namespace fs = std::filesystem;

/// A Secret as the kubelet mounts it: files of one version in a folder, `..data` a link to it.
class MountedSecret {
 public:
  void Publish(const std::string& value, const std::optional<std::string>& number) {
    const fs::path data = folder_ / "..data";
    const fs::path previous = fs::is_symlink(data) ? folder_ / fs::read_symlink(data) : fs::path();
    const std::string version = fmt::format("..2026_01_02_03_04_05.{}", ++version_);
    fs::create_directory(folder_ / version);
    std::ofstream(folder_ / version / "value", std::ios::binary) << value;
    if (number) std::ofstream(folder_ / version / "version", std::ios::binary) << *number;
    fs::create_symlink(version, folder_ / "..data_tmp");
    fs::rename(folder_ / "..data_tmp", data);
    for (const char* name : {"value", "version"}) {
      if (!fs::is_symlink(folder_ / name)) {
        fs::create_symlink(fs::path("..data") / name, folder_ / name);
      }
    }
    if (!previous.empty()) fs::remove_all(previous);
  }
  [[nodiscard]] std::string file() const { return (folder_ / "value").string(); }

 private:
  test_support::TemporaryFolder folder_{"secret"};
  int version_ = 0;
};

std::string TextOf(const MountedCredential& credential) {
  const auto* text = std::get_if<FileText>(&credential.value);
  return text == nullptr ? "none" : text->text;
}

struct NumberCase {
  const char* name;
  std::string text;
  std::optional<std::int64_t> want;
};

class Numbers : public ::testing::TestWithParam<NumberCase> {};

TEST_P(Numbers, AreDigitsAlone) { EXPECT_EQ(NumberIn(GetParam().text), GetParam().want); }

INSTANTIATE_TEST_SUITE_P(
    All, Numbers,
    ::testing::Values(NumberCase{"Digits", "8", 8}, NumberCase{"LineEnd", "12\r\n", 12},
                      NumberCase{"Largest", "9223372036854775807", 9223372036854775807},
                      NumberCase{"TooLarge", "9223372036854775808", std::nullopt},
                      NumberCase{"TwentyDigits", "00000000000000000001", std::nullopt},
                      NumberCase{"Empty", "", std::nullopt}, NumberCase{"Zero", "0", std::nullopt},
                      NumberCase{"Negative", "-8", std::nullopt},
                      NumberCase{"Sign", "+8", std::nullopt},
                      NumberCase{"Space", " 8", std::nullopt},
                      NumberCase{"Letters", "8a", std::nullopt},
                      NumberCase{"ASecret", "s3cr3t", std::nullopt},
                      NumberCase{"ZeroByte", std::string("8\0", 2), std::nullopt}),
    [](const auto& test) { return test.param.name; });

TEST(MountedCredential, HasTheNumberThatStandsBesideIt) {
  MountedSecret secret;
  secret.Publish("first", "7");
  MountedCredential credential = ReadMountedCredential(secret.file());
  EXPECT_EQ(TextOf(credential), "first");
  EXPECT_EQ(credential.number, 7);
  EXPECT_EQ(credential.version, "..2026_01_02_03_04_05.1");
  secret.Publish("second", std::nullopt);
  credential = ReadMountedCredential(secret.file());
  EXPECT_EQ(TextOf(credential), "second");
  EXPECT_EQ(credential.number, std::nullopt);
}

TEST(MountedCredential, IsReadFromAFolderThatNobodySwaps) {
  const test_support::TemporaryFolder folder("plain");
  std::ofstream(folder / "token") << "plain";
  std::ofstream(folder / "version") << "3\n";
  const MountedCredential credential = ReadMountedCredential(folder / "token");
  EXPECT_EQ(TextOf(credential), "plain");
  EXPECT_EQ(credential.number, 3);
  EXPECT_EQ(TextOf(ReadMountedCredential(folder / "other")), "none");
}

// A kubelet that swaps without rest: what was read is always of one version, or nothing.
TEST(MountedCredential, NeverHasTheNumberOfAnotherVersion) {
  MountedSecret secret;
  secret.Publish("value-1", "1");
  std::atomic<bool> stop = false;
  std::thread kubelet([&] {
    for (int i = 2; !stop; ++i) secret.Publish(fmt::format("value-{}", i), std::to_string(i));
  });
  int read = 0;
  for (int i = 0; i < 3000; ++i) {
    const MountedCredential credential = ReadMountedCredential(secret.file());
    if (!std::holds_alternative<FileText>(credential.value)) continue;
    ++read;
    ASSERT_TRUE(credential.number);
    EXPECT_EQ(TextOf(credential), fmt::format("value-{}", *credential.number));
  }
  stop = true;
  kubelet.join();
  EXPECT_GT(read, 0);
}

TEST(MountedCredential, ItsReportNumbersWhatIsInUse) {
  MountedSecret secret;
  test_support::ManualClock clock;
  Log log{LogLevel::kInfo, [](LogLevel, std::string_view) {}};
  CredentialFile credential({.scheme = config::AuthScheme::kBearer, .file = secret.file()}, clock,
                            Logger(log));
  EXPECT_EQ(credential.Report().number, std::nullopt);
  const auto publish = [&](const std::string& value, const std::string& number) {
    secret.Publish(value, number);
    clock.JumpWallTime(std::chrono::hours(100'000));
  };
  publish("first", "1");
  EXPECT_EQ(credential.Report().number, 1);
  publish("second", "2");
  EXPECT_EQ(credential.Report().number, 2);
  publish("two\nlines", "3");  // refused: the second stays in use
  EXPECT_EQ(credential.Report().number, 2);
  EXPECT_NE(credential.Report().problem, "");
  publish("second", "4");  // another version of the same value
  EXPECT_EQ(credential.Report().number, 4);
  publish("third", "no number");
  EXPECT_EQ(credential.Report().number, std::nullopt);
}

}  // namespace
}  // namespace tracekeeper::sidecar
