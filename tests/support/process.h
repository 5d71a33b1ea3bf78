#pragma once
// Programs that a test runs: RunProcess for one that ends by itself, ChildProcess for one that goes
// on beside the test (the operator, the sidecar).
//
// Threads:  a ChildProcess must be started by a thread that lives as long as the program may: the
//           kernel kills the program when that thread ends. Otherwise one thread at a time.
// Owner:    the test. A ChildProcess ends with its object, and also when the test crashes or is
//           killed (PR_SET_PDEATHSIG).
// Failure:  an Error when the program cannot be started or ran too long; how a program ended is a
//           result, not a failure.

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.h"

namespace tracekeeper::test_support {

/// argv[0] is looked up in PATH when it has no slash.
struct Command {
  std::vector<std::string> argv;
  /// Added to the test's own environment; the same name replaces.
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::filesystem::path working_folder = {};
};

struct CommandResult {
  /// As a shell has it: 128 + the signal for a program that a signal ended.
  int exit_code = 0;
  std::string out;
  std::string err;

  [[nodiscard]] bool ok() const { return exit_code == 0; }
};

/// Runs `command` to its end with `input` as its standard input.
Result<CommandResult> RunProcess(const Command& command, std::string_view input = {},
                                 std::chrono::seconds limit = std::chrono::seconds(60));

class ChildProcess {
 public:
  /// Starts `command` with no standard input; output and errors go to `log`, one after the other.
  static Result<ChildProcess> Start(const Command& command, const std::filesystem::path& log);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  /// Ends the program with SIGKILL if it still runs.
  ~ChildProcess();

  [[nodiscard]] pid_t id() const { return id_; }
  [[nodiscard]] const std::filesystem::path& log() const { return log_; }
  [[nodiscard]] bool IsRunning();

  void Signal(int signal) const;
  /// Waits for the end and gives the exit code (128 + signal), or nothing after `limit`.
  std::optional<int> Wait(std::chrono::milliseconds limit);
  /// SIGTERM, then SIGKILL after `grace`; the exit code.
  int Terminate(std::chrono::milliseconds grace = std::chrono::seconds(10));

  /// What the program wrote so far.
  [[nodiscard]] std::string ReadLog() const;
  /// Waits until the log holds `text`; false after `limit` or when the program ended without it.
  bool WaitForLog(std::string_view text, std::chrono::milliseconds limit);

 private:
  ChildProcess(pid_t id, std::filesystem::path log) : id_(id), log_(std::move(log)) {}

  pid_t id_ = -1;
  std::filesystem::path log_;
  std::optional<int> exit_code_;
};

}  // namespace tracekeeper::test_support
