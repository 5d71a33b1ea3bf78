#pragma once
// ConfigWatcher keeps the configuration of this process equal to a file that others replace: the
// kubelet by its symlink swap, a person by an editor. It looks when the directory changed and, as
// hints can be lost, every poll interval.
//
// Threads:  Start from the owner's thread, Report and ReadNow from any. The listener is called on
//           Start's thread once and on the watcher's own thread afterwards, never twice at once.
// Owner:    Wiring. The destructor stops and joins. Clock, log and listener outlive it.
// Failure:  none that ends it: what is wrong with the file is in Report() and in the log, once.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "sidecar/config_state.h"
#include "sidecar/directory_notifier.h"
#include "src/base/clock.h"
#include "src/base/log.h"

namespace tracekeeper::sidecar {

class ConfigWatcher {
 public:
  struct Options {
    std::string file;
    Duration poll_interval = std::chrono::seconds(10);
  };
  using Listener = std::function<void(const config::SidecarConfig&)>;

  ConfigWatcher(Options options, const Clock& clock, Logger log, Listener on_applied);
  ~ConfigWatcher();
  ConfigWatcher(const ConfigWatcher&) = delete;
  ConfigWatcher& operator=(const ConfigWatcher&) = delete;

  /// Reads the file once before it returns, then watches.
  void Start();
  /// Makes the watcher look now, without waiting for it.
  void ReadNow();
  /// What is in use and what is wrong, at this moment.
  [[nodiscard]] ConfigState Report() const;

 private:
  void Run(const StopToken& stop);
  void Read();
  void LogOutcome(ConfigOutcome outcome, const ConfigState& state) const;

  const Options options_;
  const Clock& clock_;
  const Logger log_;
  const Listener on_applied_;

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  bool wanted_ = false;
  ConfigState state_;
  std::optional<std::string> logged_problem_;  // the watcher's thread only

  DirectoryNotifier notifier_;
  std::jthread thread_;
};

}  // namespace tracekeeper::sidecar
