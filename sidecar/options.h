#pragma once
// Options of tracekeeper-sidecar: what must be known before there is a configuration. Everything
// else is in the configuration file, which is read again while the program runs.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "src/base/clock.h"
#include "src/base/log.h"

namespace tracekeeper::sidecar {

struct Options {
  std::string config_file;
  std::string status_address;
  std::uint16_t status_port = 0;
  /// How often the file is looked at even when nothing announced a change.
  Duration poll_interval = std::chrono::seconds(10);
  /// How long requests in flight may take after SIGTERM.
  Duration drain_deadline = std::chrono::seconds(10);
  /// Set: the level of the configuration is not taken.
  std::optional<LogLevel> log_level;
};

/// The program should end now: help or version were asked for, or the arguments cannot be.
struct Exit {
  int code = 0;
  std::string output;  // to standard output when code is 0, else to standard error
};

/// Exit codes: 0 help and version, 2 arguments that cannot be.
std::variant<Options, Exit> ParseOptions(int argc, const char* const* argv);

}  // namespace tracekeeper::sidecar
