#include "sidecar/config_watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>

#include "tests/sidecar/mounted_config_map.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::sidecar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What the watcher told its listener and wrote into its log.
class Heard {
 public:
  ConfigWatcher::Listener Listener() {
    return [this](const config::SidecarConfig& config) {
      const std::scoped_lock guard(mutex_);
      generations_.push_back(config.generation);
      changed_.notify_all();
    };
  }
  LogSink Sink() {
    return [this](LogLevel, std::string_view line) {
      const std::scoped_lock guard(mutex_);
      lines_.emplace_back(line);
      changed_.notify_all();
    };
  }

  /// Waits, in real time, until the log holds `text` that many times.
  bool WaitForLine(std::string_view text, std::size_t times = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20),
                             [&] { return CountLocked(text) >= times; });
  }
  /// The same, until that configuration was handed on.
  bool WaitForGeneration(std::int64_t generation) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      return !generations_.empty() && generations_.back() == generation;
    });
  }
  std::size_t Count(std::string_view text) {
    const std::scoped_lock guard(mutex_);
    return CountLocked(text);
  }
  std::vector<std::int64_t> generations() {
    const std::scoped_lock guard(mutex_);
    return generations_;
  }

 private:
  std::size_t CountLocked(std::string_view text) const {
    return static_cast<std::size_t>(std::count_if(
        lines_.begin(), lines_.end(),
        [&](const std::string& line) { return line.find(text) != std::string::npos; }));
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::int64_t> generations_;
  std::vector<std::string> lines_;
};

class ConfigWatcherTest : public ::testing::Test {
 protected:
  // The clock stands still unless a test moves it: only inotify can wake the watcher then.
  test_support::ManualClock clock_;
  Heard heard_;
  Log log_{LogLevel::kInfo, heard_.Sink()};
  MountedConfigMap mount_;
  ConfigWatcher watcher_{
      {mount_.file(), std::chrono::seconds(10)}, clock_, Logger(log_), heard_.Listener()};
};

TEST_F(ConfigWatcherTest, HasTheConfigurationWhenStartReturns) {
  mount_.Publish(ConfigText(1));
  watcher_.Start();
  EXPECT_THAT(heard_.generations(), ElementsAre(1));
  EXPECT_EQ(watcher_.Report().in_use()->digest, ConfigDigest(1));
}

TEST_F(ConfigWatcherTest, TakesEachSwapOfTheLinkWithoutAPoll) {
  mount_.Publish(ConfigText(1));
  watcher_.Start();
  for (int generation = 2; generation <= 5; ++generation) {
    mount_.Publish(ConfigText(generation));
    ASSERT_TRUE(heard_.WaitForGeneration(generation));
  }
  EXPECT_THAT(heard_.generations(), ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(ConfigWatcherTest, TakesAFileThatAppearsLater) {
  watcher_.Start();
  EXPECT_TRUE(heard_.WaitForLine("Found no configuration"));
  EXPECT_THAT(heard_.generations(), IsEmpty());
  mount_.Publish(ConfigText(1));
  ASSERT_TRUE(heard_.WaitForLine("Took a new configuration"));
}

TEST_F(ConfigWatcherTest, NoticesTheKeyThatIsLinkedAfterTheSwap) {
  mount_.Publish(ConfigText(1));
  std::filesystem::remove(mount_.file());
  watcher_.Start();
  ASSERT_TRUE(heard_.WaitForLine("Found no configuration"));
  // The kubelet's last step for a ConfigMap that was not there when the pod began.
  std::filesystem::create_symlink("..data/config.yaml", mount_.file());
  ASSERT_TRUE(heard_.WaitForLine("Took a new configuration"));
}

TEST_F(ConfigWatcherTest, DoesNotReadAFileThatIsStillBeingWritten) {
  watcher_.Start();
  {
    std::ofstream file(mount_.file());
    file << ConfigText(1).substr(0, 60) << std::flush;
    file << ConfigText(1).substr(60);
  }
  ASSERT_TRUE(heard_.WaitForLine("Took a new configuration"));
  EXPECT_EQ(heard_.Count("Refused"), 0U);
}

TEST_F(ConfigWatcherTest, PollsADirectoryThatCouldNotBeWatched) {
  std::filesystem::remove_all(mount_.folder());
  watcher_.Start();
  EXPECT_EQ(heard_.Count("Could not watch"), 1U);
  std::filesystem::create_directory(mount_.folder());
  mount_.Publish(ConfigText(1));
  ASSERT_TRUE(clock_.WaitForWaiters(1));
  clock_.Advance(std::chrono::seconds(10));
  ASSERT_TRUE(heard_.WaitForLine("Took a new configuration"));
  // From now on the directory is watched: no poll is needed.
  mount_.Publish(ConfigText(2));
  ASSERT_TRUE(heard_.WaitForLine("Took a new configuration", 2));
}

TEST_F(ConfigWatcherTest, LogsABadFileOnceHoweverOftenItIsRead) {
  mount_.Publish(ConfigText(1));
  watcher_.Start();
  mount_.Publish("version: nonsense");
  ASSERT_TRUE(heard_.WaitForLine("Refused a configuration"));
  for (int polls = 0; polls < 3; ++polls) {
    ASSERT_TRUE(clock_.WaitForWaiters(1));
    clock_.Advance(std::chrono::seconds(10));
  }
  mount_.Publish(ConfigText(1));
  ASSERT_TRUE(heard_.WaitForLine("Found the configuration in use again"));
  EXPECT_EQ(heard_.Count("Refused a configuration"), 1U);
  EXPECT_THAT(heard_.generations(), ElementsAre(1)) << "what is in use did not change";
}

TEST_F(ConfigWatcherTest, ReadsAtOnceWhenAskedTo) {
  std::filesystem::remove_all(mount_.folder());
  watcher_.Start();
  std::filesystem::create_directory(mount_.folder());
  mount_.Publish(ConfigText(1));
  watcher_.ReadNow();
  ASSERT_TRUE(heard_.WaitForLine("Took a new configuration"));
}

TEST_F(ConfigWatcherTest, NamesFieldsThatItDoesNotKnowOnce) {
  const std::string text(config::BodyOf(ConfigText(1)));
  mount_.Publish(text + "newThing: 1\n");
  watcher_.Start();
  EXPECT_EQ(heard_.Count("Left out fields"), 1U);
  EXPECT_EQ(heard_.Count("newThing"), 1U);
}

TEST(ConfigFile, RefusesWhatIsNoPlainFileOrTooLong) {
  MountedConfigMap mount;
  EXPECT_TRUE(std::holds_alternative<FileMissing>(ReadConfigFile(mount.file())));
  EXPECT_TRUE(std::holds_alternative<FileMissing>(ReadConfigFile(mount.file() + "/deeper")));
  std::filesystem::create_directory(mount.file());
  EXPECT_THAT(std::get<FileUnreadable>(ReadConfigFile(mount.file())).reason,
              HasSubstr("not a regular file"));
  std::filesystem::remove(mount.file());

  ASSERT_EQ(std::system(("mkfifo " + mount.file()).c_str()), 0);
  EXPECT_THAT(std::get<FileUnreadable>(ReadConfigFile(mount.file())).reason,
              HasSubstr("not a regular file"));
  std::filesystem::remove(mount.file());

  std::ofstream(mount.file()) << std::string(config::kSidecarConfigMaxBytes + 1, 'x');
  EXPECT_THAT(std::get<FileUnreadable>(ReadConfigFile(mount.file())).reason,
              HasSubstr("longer than 262144 bytes"));
}

}  // namespace
}  // namespace tracekeeper::sidecar
