#include "tests/sidecar/sidecar_process.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "src/config/sidecar_config.h"
#include "tests/sidecar/mounted_config_map.h"
#include "tests/support/folders.h"

namespace tracekeeper::sidecar {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SidecarProcessTest : public ::testing::Test {
 protected:
  Result<SidecarProcess> Start(std::vector<std::string> flags = {}) {
    return SidecarProcess::Start(mount_.file(), Log(), std::move(flags));
  }
  // Beside the mounted folder's versions, where the sidecar does not look.
  [[nodiscard]] std::filesystem::path Log() const { return mount_.folder() / "log"; }

  MountedConfigMap mount_;
};

TEST_F(SidecarProcessTest, ServesItsConfigurationAndTakesASwapWhileItRuns) {
  mount_.Publish(ConfigText(1));
  auto sidecar = Start();
  ASSERT_TRUE(sidecar) << sidecar.error().message;
  EXPECT_THAT(sidecar->WaitForBody("/status", ConfigDigest(1)), HasSubstr(ConfigDigest(1)));
  const auto ready = sidecar->Get("/readyz");
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->status, 200);
  EXPECT_THAT(ready->body, HasSubstr("this version does not proxy requests yet"));

  mount_.Publish(ConfigText(2));
  EXPECT_THAT(sidecar->WaitForBody("/status", ConfigDigest(2)), HasSubstr(ConfigDigest(2)));
  EXPECT_THAT(sidecar->Get("/metrics")->body,
              HasSubstr("tracekeeper_sidecar_config_reloads_total{result=\"applied\"} 2\n"));
}

TEST_F(SidecarProcessTest, GoesOnWhereNoLogLineCanBeWritten) {
  mount_.Publish(ConfigText(1));
  auto sidecar = SidecarProcess::StartOnAFullDisk(mount_.file());
  ASSERT_TRUE(sidecar) << sidecar.error().message;
  mount_.Publish(ConfigText(2));
  EXPECT_THAT(sidecar->WaitForBody("/status", ConfigDigest(2)), HasSubstr(ConfigDigest(2)));
  EXPECT_EQ(sidecar->process().Terminate(), 0);
}

TEST_F(SidecarProcessTest, WaitsAliveForAConfigurationThatComesLater) {
  auto sidecar = Start();
  ASSERT_TRUE(sidecar) << sidecar.error().message;
  EXPECT_EQ(sidecar->Get("/healthz")->status, 200);
  const auto before = sidecar->Get("/readyz");
  EXPECT_EQ(before->status, 503);
  EXPECT_THAT(before->body, HasSubstr("waiting for " + mount_.file()));

  mount_.Publish(ConfigText(1));
  EXPECT_THAT(sidecar->WaitForBody("/readyz", "ready: configuration"), HasSubstr(ConfigDigest(1)));
  EXPECT_EQ(sidecar->Get("/readyz")->status, 200);
}

TEST_F(SidecarProcessTest, KeepsTheLastGoodConfigurationThroughGarbageAndLoss) {
  mount_.Publish(ConfigText(1));
  auto sidecar = Start();
  ASSERT_TRUE(sidecar) << sidecar.error().message;
  const std::string bad[] = {"\xff\xfe no yaml at all: [", "version: 99\n",
                             std::string(config::kSidecarConfigMaxBytes * 4, 'x'),
                             std::string(100000, '[')};
  int refused = 0;
  for (const std::string& text : bad) {
    mount_.Publish(text);
    const std::string count = fmt::format("\"refused\":{}", ++refused);
    const std::string status = sidecar->WaitForBody("/status", count);
    EXPECT_THAT(status, HasSubstr(count));
    EXPECT_THAT(status, HasSubstr(ConfigDigest(1)));
    EXPECT_THAT(status, HasSubstr("\"state\":\"last_good\""));
    EXPECT_EQ(sidecar->Get("/readyz")->status, 200);
  }
  mount_.Publish(std::nullopt);
  EXPECT_THAT(sidecar->WaitForBody("/status", "is gone"), HasSubstr(ConfigDigest(1)));
  mount_.Publish(ConfigText(2));
  EXPECT_THAT(sidecar->WaitForBody("/status", ConfigDigest(2)), HasSubstr("\"state\":\"current\""));
}

TEST_F(SidecarProcessTest, DrainsOnSigtermAndEndsWithZero) {
  mount_.Publish(ConfigText(1));
  auto sidecar = Start();
  ASSERT_TRUE(sidecar) << sidecar.error().message;
  sidecar->process().Signal(SIGTERM);
  EXPECT_EQ(sidecar->process().Wait(std::chrono::seconds(20)), 0);
  const std::string log = sidecar->process().ReadLog();
  EXPECT_THAT(log, HasSubstr("msg=Draining signal=SIGTERM"));
  EXPECT_THAT(log, HasSubstr("msg=Stopped"));
}

TEST_F(SidecarProcessTest, ReadsTheFileAgainOnSighup) {
  // A plain file that is written in place: nothing is renamed, so only the write announces it.
  const std::string file = mount_.file();
  std::ofstream(file) << ConfigText(1);
  auto sidecar = Start({"--poll-seconds", "3600"});
  ASSERT_TRUE(sidecar) << sidecar.error().message;
  sidecar->process().Signal(SIGHUP);
  EXPECT_EQ(sidecar->Get("/healthz")->status, 200) << "SIGHUP must not end it";
  std::ofstream(file) << ConfigText(2);
  sidecar->process().Signal(SIGHUP);
  EXPECT_THAT(sidecar->WaitForBody("/status", ConfigDigest(2)), HasSubstr(ConfigDigest(2)));
}

TEST_F(SidecarProcessTest, RefusesToStartOnATakenPort) {
  auto first = Start();
  ASSERT_TRUE(first) << first.error().message;
  const auto second = test_support::RunProcess(
      {.argv = {test_support::Program("tracekeeper-sidecar"), "--config", mount_.file(),
                "--status-address", "127.0.0.1", "--status-port", std::to_string(first->port())}});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->exit_code, 1);
  EXPECT_THAT(second->err, HasSubstr("Could not start"));
  EXPECT_THAT(second->err, HasSubstr(fmt::format("port {}", first->port())));
  EXPECT_THAT(second->err, HasSubstr("choose another port"));
}

TEST_F(SidecarProcessTest, FollowsTheLogLevelOfItsConfiguration) {
  config::SidecarConfig quiet;
  quiet.policy = {"shop", "checkout"};
  quiet.log_level = config::Verbosity::kError;
  mount_.Publish(config::EncodeSidecarConfig(quiet));
  auto sidecar = Start();
  ASSERT_TRUE(sidecar) << sidecar.error().message;
  EXPECT_THAT(sidecar->WaitForBody("/status", "current"), HasSubstr("current"));
  mount_.Publish("garbage");
  EXPECT_TRUE(sidecar->process().WaitForLog("Refused", std::chrono::seconds(20)));
  EXPECT_THAT(sidecar->process().ReadLog(), Not(HasSubstr("msg=\"Started")));
}

std::string HelpOf(const std::string& program) {
  const auto result = test_support::RunProcess({.argv = {program, "--help"}});
  return result ? result->out : result.error().message;
}

TEST(SidecarProgram, HelpIsAsDocumented) {
  std::ifstream golden(test_support::SourceFolder() / "tests/sidecar/golden/sidecar_help.txt");
  std::stringstream want;
  want << golden.rdbuf();
  EXPECT_EQ(HelpOf(test_support::Program("tracekeeper-sidecar")), want.str());
}

/// It runs in every pod, so it must not bring a shared C++ runtime or TLS library along.
TEST(SidecarProgram, NeedsNothingButTheCLibraryAndIsaL) {
  const auto result = test_support::RunProcess(
      {.argv = {"readelf", "--dynamic", "--wide", test_support::Program("tracekeeper-sidecar")}});
  ASSERT_TRUE(result) << result.error().message;
  std::istringstream lines(result->out);
  std::string line;
  std::vector<std::string> needed;
  while (std::getline(lines, line)) {
    const std::size_t open = line.find('[');
    if (line.find("(NEEDED)") == std::string::npos || open == std::string::npos) continue;
    needed.push_back(line.substr(open + 1, line.find(']') - open - 1));
  }
  ASSERT_THAT(needed, ::testing::Contains("libc.so.6"));
  EXPECT_THAT(needed,
              ::testing::Each(::testing::AnyOf("libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2",
                                               "libisal.so.2") /* no archive of it in Debian */));
}

}  // namespace
}  // namespace tracekeeper::sidecar
