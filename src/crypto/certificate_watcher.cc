#include "src/crypto/certificate_watcher.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <thread>
#include <utility>

#include "src/crypto/digest.h"

namespace tracekeeper::crypto {

namespace {

constexpr std::size_t kFileLimit = 1U << 20U;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

/// Reads with plain read(2), so no buffer of a stream keeps a copy of the key.
Result<SecretString> ReadFile(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) {
    return Fail(errno == ENOENT ? ErrorKind::kNotFound : ErrorKind::kUnavailable, "read {}: {}",
                path, std::strerror(errno));
  }
  std::string text;
  text.resize(kFileLimit + 1);
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(file.number(), text.data() + size, text.size() - size);
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return Fail(ErrorKind::kUnavailable, "read {}: {}", path, std::strerror(errno));
    }
    size += static_cast<std::size_t>(count);
  }
  if (size > kFileLimit) {
    return Fail(ErrorKind::kDecode, "{} is larger than {} bytes: this is no certificate or key",
                path, kFileLimit);
  }
  text.resize(size);
  return SecretString::Taking(text);
}

std::string FolderOf(const std::string& file) {
  const std::string folder = std::filesystem::path(file).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace

class CertificateWatcher::Worker {
 public:
  Worker(Options options, OnChange on_change, const Clock& clock, Metrics& metrics, Logger log)
      : options_(std::move(options)),
        on_change_(std::move(on_change)),
        clock_(clock),
        log_(std::move(log)),
        reads_(metrics.MakeCounter("certwatcher_read_certificate_total",
                                   "Total number of certificate reads", {})),
        read_errors_(metrics.MakeCounter("certwatcher_read_certificate_errors_total",
                                         "Total number of certificate read errors", {})) {}

  Status Start() {
    WatchFolders();  // before the first read, so a change in between is not missed
    TRY(Reload());
    poll_thread_ = std::jthread([this](const StopToken& stop) { PollUntil(stop); });
    if (inotify_.number() >= 0) {
      inotify_thread_ = std::jthread([this](const StopToken& stop) { WaitForEventsUntil(stop); });
    }
    return {};
  }

  void Stop() {
    inotify_thread_.request_stop();
    poll_thread_.request_stop();
    constexpr std::uint64_t kOne = 1;
    [[maybe_unused]] const ssize_t written = ::write(stop_event_.number(), &kOne, sizeof kOne);
    if (inotify_thread_.joinable()) inotify_thread_.join();
    if (poll_thread_.joinable()) poll_thread_.join();
  }

  Status Reload() {
    const std::lock_guard one_at_a_time(reload_mutex_);
    reads_.Increment();
    auto pair = ReadPair();
    if (!pair) {
      read_errors_.Increment();
      if (std::exchange(last_failure_, pair.error().message) != pair.error().message) {
        log_.Error("Could not read certificate, kept the last good one",
                   {{"file", options_.certificate_file}, {"error", pair.error()}});
      }
      return Fail(std::move(pair).error());
    }
    last_failure_.clear();
    return Publish(*std::move(pair));
  }

  [[nodiscard]] std::shared_ptr<const CertificatePair> Current() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }

 private:
  Result<CertificatePair> ReadPair() const {
    const SecretString chain = TRY(ReadFile(options_.certificate_file));
    SecretString key = TRY(ReadFile(options_.private_key_file));
    auto pair = CertificatePair::Parse(std::string(chain.Reveal()), std::move(key));
    if (!pair) {
      return Fail(std::move(pair.error())
                      .Within(options_.certificate_file + ", " + options_.private_key_file));
    }
    return pair;
  }

  Status Publish(CertificatePair pair) {
    std::shared_ptr<const CertificatePair> published;
    {
      const std::lock_guard lock(mutex_);
      // The whole chain counts: a renewed intermediate leaves the leaf as it was.
      if (current_ && current_->chain_pem() == pair.chain_pem() &&
          current_->private_key_pem().Equals(pair.private_key_pem())) {
        return {};
      }
      current_ = std::make_shared<const CertificatePair>(std::move(pair));
      published = current_;
    }
    log_.Info("Read certificate", {{"file", options_.certificate_file},
                                   {"subject", published->leaf().subject},
                                   {"fingerprint", published->leaf().fingerprint}});
    on_change_(std::move(published));
    return {};
  }

  void WatchFolders() {
    // Folders, not files: a mounted Secret changes by renaming the symlink "..data" beside them.
    constexpr std::uint32_t kEvents =
        IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_ATTRIB;
    for (const std::string& file : {options_.certificate_file, options_.private_key_file}) {
      const std::string folder = FolderOf(file);
      if (::inotify_add_watch(inotify_.number(), folder.c_str(), kEvents) < 0) {
        log_.Warn("Could not watch folder, looks at it every poll period instead",
                  {{"folder", folder}, {"error", std::strerror(errno)}});
      }
    }
  }

  void PollUntil(const StopToken& stop) {
    while (clock_.SleepFor(options_.poll_period, stop)) {
      [[maybe_unused]] const Status reported = Reload();  // Reload counted and logged it
    }
  }

  void WaitForEventsUntil(const StopToken& stop) {
    std::array<pollfd, 2> descriptors{pollfd{inotify_.number(), POLLIN, 0},
                                      pollfd{stop_event_.number(), POLLIN, 0}};
    alignas(inotify_event) std::array<char, 4096> events;
    while (!stop.stop_requested()) {
      if (::poll(descriptors.data(), descriptors.size(), -1) < 0 && errno != EINTR) return;
      if (stop.stop_requested()) return;
      // What happened does not matter, only that something did; the read empties the queue.
      while (::read(inotify_.number(), events.data(), events.size()) > 0) {
      }
      [[maybe_unused]] const Status reported = Reload();
    }
  }

  const Options options_;
  const OnChange on_change_;
  const Clock& clock_;
  const Logger log_;
  Counter& reads_;
  Counter& read_errors_;

  std::mutex reload_mutex_;
  std::string last_failure_;  // guarded by reload_mutex_
  mutable std::mutex mutex_;
  std::shared_ptr<const CertificatePair> current_;  // guarded by mutex_

  const Descriptor inotify_{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
  const Descriptor stop_event_{::eventfd(0, EFD_CLOEXEC)};
  std::jthread poll_thread_;
  std::jthread inotify_thread_;
};

CertificateWatcher::CertificateWatcher(Options options, OnChange on_change, const Clock& clock,
                                       Metrics& metrics, Logger log)
    : worker_(std::make_unique<Worker>(std::move(options), std::move(on_change), clock, metrics,
                                       std::move(log))) {}

CertificateWatcher::~CertificateWatcher() { Stop(); }

Status CertificateWatcher::Start() { return worker_->Start(); }

void CertificateWatcher::Stop() { worker_->Stop(); }

Status CertificateWatcher::Reload() { return worker_->Reload(); }

std::shared_ptr<const CertificatePair> CertificateWatcher::Current() const {
  return worker_->Current();
}

}  // namespace tracekeeper::crypto
