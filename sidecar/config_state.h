#pragma once
// ConfigState decides what a reading of the configuration file means: take it, keep the last good
// one, or go on waiting. It is the whole policy of reloading; ConfigWatcher only feeds it.
//
// Threads:  a value, one thread at a time.
// Failure:  none; a bad reading becomes `problem` and the last good configuration stays in use.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sidecar/config_file.h"
#include "src/base/clock.h"
#include "src/config/sidecar_config.h"

namespace tracekeeper::sidecar {

/// A configuration that was read, checked and taken.
struct ConfigInUse {
  config::SidecarConfig config;
  std::string digest;  // of the text as read, without its digest line
  std::vector<std::string> unknown_fields;
  Instant since;
};

/// Why the file, as it is now, is not what is in use.
struct ConfigProblem {
  std::string message;
  Instant since;
};

enum class ConfigOutcome {
  kUnchanged,  // the same as at the last reading
  kApplied,    // a new configuration is in use
  kRecovered,  // the file is again what is in use, after a problem
  kRefused,    // there is a file and it cannot be used
  kMissing,    // there is no file
};

class ConfigState {
 public:
  explicit ConfigState(std::string file) : file_(std::move(file)) {}

  /// Takes one reading in. `now` is written down where something changed.
  ConfigOutcome Take(const FileReading& reading, Instant now);

  /// Null until the first good configuration.
  [[nodiscard]] const std::shared_ptr<const ConfigInUse>& in_use() const { return in_use_; }
  [[nodiscard]] const std::optional<ConfigProblem>& problem() const { return problem_; }
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] std::uint64_t applied() const { return applied_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  ConfigOutcome TakeMissing(Instant now);
  ConfigOutcome TakeUnreadable(const std::string& reason, Instant now);
  ConfigOutcome TakeText(const std::string& text, Instant now);
  ConfigOutcome Refuse(std::string message, Instant now);
  void SetProblem(std::string message, Instant now);

  std::string file_;
  std::string last_seen_;  // digest of the last text read, so equal bytes cost no parse
  std::shared_ptr<const ConfigInUse> in_use_;
  std::optional<ConfigProblem> problem_;
  std::uint64_t applied_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace tracekeeper::sidecar
