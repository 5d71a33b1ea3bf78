#pragma once
// DirectoryNotifier calls back when an entry of a directory appeared, was replaced or vanished:
// what the kubelet's swap of the `..data` link does to a mounted ConfigMap.
//
// Threads:  Arm from one thread at a time; the callback comes from the notifier's own thread and
//           must be short.
// Owner:    ConfigWatcher. The destructor joins the thread.
// Failure:  a hint only: a directory that cannot be watched (not there yet, no inotify left)
//           makes Arm return false, and a lost one makes armed() false; the owner polls anyway.

#include <atomic>
#include <functional>
#include <string>
#include <thread>

namespace tracekeeper::sidecar {

class DirectoryNotifier {
 public:
  DirectoryNotifier(std::string directory, std::function<void()> on_change);
  ~DirectoryNotifier();
  DirectoryNotifier(const DirectoryNotifier&) = delete;
  DirectoryNotifier& operator=(const DirectoryNotifier&) = delete;

  /// Watches the directory unless it is watched already. False: it cannot be watched now.
  bool Arm();
  [[nodiscard]] bool armed() const { return watch_.load() >= 0; }

 private:
  void Run();
  bool ReadEvents();
  bool IsLink(const char* name) const;

  std::string directory_;
  std::function<void()> on_change_;
  int inotify_ = -1;
  int wake_ = -1;  // eventfd: the destructor ends the thread through it
  std::atomic<int> watch_ = -1;
  std::thread thread_;
};

}  // namespace tracekeeper::sidecar
