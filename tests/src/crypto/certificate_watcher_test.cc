// CertificateWatcher on real files: the kubelet's symlink swap, plain rewrites, broken pairs.

#include "src/crypto/certificate_watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

#include "src/crypto/certificate_maker.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::crypto {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

CertificatePair Pair(const std::string& name) {
  return MakeCertificateAuthority(name, {.now = std::chrono::system_clock::now()}).value();
}

/// Counts by name; only what a watcher touches.
class CountingMetrics final : public Metrics {
 public:
  class Count final : public Counter {
   public:
    void Increment(double by) override { value = value + by; }
    std::atomic<double> value = 0;
  };
  Counter& MakeCounter(std::string_view name, std::string_view, const MetricLabels&) override {
    return name == "certwatcher_read_certificate_total" ? reads : errors;
  }
  Gauge& MakeGauge(std::string_view name, std::string_view help,
                   const MetricLabels& labels) override {
    return NoMetrics().MakeGauge(name, help, labels);
  }
  Histogram& MakeHistogram(std::string_view name, std::string_view help, const MetricLabels& labels,
                           const std::vector<double>& bounds) override {
    return NoMetrics().MakeHistogram(name, help, labels, bounds);
  }
  void Remove(std::string_view, const MetricLabels&) override {}

  Count reads;
  Count errors;
};

class CertificateWatcherTest : public testing::Test {
 protected:
  CertificateWatcherTest() {
    std::string pattern = (fs::temp_directory_path() / "watcher-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~CertificateWatcherTest() override { fs::remove_all(folder_); }

  void Write(const fs::path& folder, const CertificatePair& pair) const {
    std::ofstream(folder / "tls.crt") << pair.chain_pem();
    std::ofstream(folder / "tls.key") << pair.private_key_pem().Reveal();
  }

  /// Replaces the mounted Secret as the kubelet does: a new folder, then one rename.
  void SwapMount(const std::string& version, const CertificatePair& pair) const {
    fs::create_directory(folder_ / version);
    Write(folder_ / version, pair);
    fs::create_directory_symlink(version, folder_ / "..data_tmp");
    fs::rename(folder_ / "..data_tmp", folder_ / "..data");
    for (const char* file : {"tls.crt", "tls.key"}) {
      if (!fs::is_symlink(folder_ / file)) {
        fs::create_symlink(fs::path("..data") / file, folder_ / file);
      }
    }
  }

  std::unique_ptr<CertificateWatcher> Watcher() {
    return std::make_unique<CertificateWatcher>(
        CertificateWatcher::Options{.certificate_file = (folder_ / "tls.crt").string(),
                                    .private_key_file = (folder_ / "tls.key").string()},
        [this](const std::shared_ptr<const CertificatePair>& pair) {
          const std::lock_guard lock(mutex_);
          changes_.push_back(pair->leaf().subject);
        },
        clock_, metrics_, Logger(log_));
  }

  [[nodiscard]] std::vector<std::string> changes() const {
    const std::lock_guard lock(mutex_);
    return changes_;
  }

  [[nodiscard]] bool EventuallyChangedTo(const std::string& subject) const {
    for (int i = 0; i < 2000; ++i) {
      if (!changes().empty() && changes().back() == subject) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  fs::path folder_;
  test_support::ManualClock clock_;
  CountingMetrics metrics_;
  std::string lines_;
  Log log_{LogLevel::kDebug, [this](LogLevel, std::string_view line) {
             const std::lock_guard lock(mutex_);
             lines_.append(line).append("\n");
           }};
  mutable std::mutex mutex_;
  std::vector<std::string> changes_;
};

TEST_F(CertificateWatcherTest, ReportsThePairItStartsWith) {
  Write(folder_, Pair("one"));
  const auto watcher = Watcher();
  const Status started = watcher->Start();
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_THAT(changes(), testing::ElementsAre("CN = one"));
  EXPECT_EQ(watcher->Current()->leaf().subject, "CN = one");
}

TEST_F(CertificateWatcherTest, DoesNotStartWithoutAPair) {
  const auto watcher = Watcher();
  const Status started = watcher->Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(started.error().message, HasSubstr("tls.crt"));
}

TEST_F(CertificateWatcherTest, NoticesTheKubeletsSymlinkSwapAtOnce) {
  SwapMount("..v1", Pair("one"));
  const auto watcher = Watcher();
  ASSERT_TRUE(watcher->Start());
  SwapMount("..v2", Pair("two"));
  EXPECT_TRUE(EventuallyChangedTo("CN = two")) << "the clock stood still: only inotify can tell";
}

TEST_F(CertificateWatcherTest, KeepsTheLastGoodPairWhileTheFilesDoNotFit) {
  Write(folder_, Pair("one"));
  const auto watcher = Watcher();
  ASSERT_TRUE(watcher->Start());
  const CertificatePair two = Pair("two");
  std::ofstream(folder_ / "tls.crt") << two.chain_pem();  // the key is still of the first
  const Status mixed = watcher->Reload();
  ASSERT_FALSE(mixed);
  EXPECT_THAT(mixed.error().message, HasSubstr("does not belong"));
  EXPECT_EQ(watcher->Current()->leaf().subject, "CN = one");
  EXPECT_GE(metrics_.errors.value, 1);
  EXPECT_GT(metrics_.reads.value, metrics_.errors.value);
  Write(folder_, two);
  EXPECT_TRUE(EventuallyChangedTo("CN = two"));
}

TEST_F(CertificateWatcherTest, LogsACauseOnceHoweverOftenItLooks) {
  Write(folder_, Pair("one"));
  const auto watcher = Watcher();
  ASSERT_TRUE(watcher->Start());
  watcher->Stop();
  fs::remove(folder_ / "tls.key");
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(watcher->Reload());
  std::size_t lines = 0;
  for (std::size_t at = 0;
       (at = lines_.find("Could not read certificate", at)) != std::string::npos; ++at) {
    ++lines;
  }
  EXPECT_LE(lines, 2U) << lines_;
  EXPECT_THAT(lines_, testing::Not(HasSubstr("PRIVATE KEY")));
}

TEST_F(CertificateWatcherTest, LooksEveryTenSecondsWhereInotifyIsSilent) {
  Write(folder_, Pair("one"));
  const auto watcher = Watcher();
  ASSERT_TRUE(watcher->Start());
  const double reads_before = metrics_.reads.value;
  ASSERT_TRUE(clock_.WaitForWaiters(1));
  clock_.Advance(std::chrono::seconds(10));
  for (int i = 0; i < 2000 && metrics_.reads.value == reads_before; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_GT(metrics_.reads.value, reads_before);
  EXPECT_EQ(changes().size(), 1U) << "the same pair is no change";
}

TEST_F(CertificateWatcherTest, RefusesAFileThatIsNoCertificateBySize) {
  Write(folder_, Pair("one"));
  std::ofstream(folder_ / "tls.crt") << std::string(2U << 20U, 'x');
  const Status started = Watcher()->Start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("larger than"));
}

}  // namespace
}  // namespace tracekeeper::crypto
