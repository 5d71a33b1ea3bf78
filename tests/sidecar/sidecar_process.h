#pragma once
// SidecarProcess is the real program, started as a container would start it, on a free port of
// 127.0.0.1, and asked over HTTP.
//
// Threads:  one thread at a time.
// Owner:    the test; the program ends with the object.
// Failure:  Get() of a server that does not answer is an Error.

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/net/http.h"
#include "src/net/transport.h"
#include "tests/support/process.h"

namespace tracekeeper::sidecar {

class SidecarProcess {
 public:
  /// Starts with --config FILE, a free status port and `flags`; returns when it listens.
  static Result<SidecarProcess> Start(const std::string& file, const std::filesystem::path& log,
                                      std::vector<std::string> flags = {});

  /// On a full disk: every line of its log is refused. Returns when it answers.
  static Result<SidecarProcess> StartOnAFullDisk(const std::string& file);

  Result<net::Response> Get(const std::string& target);
  /// Asks again until the answer holds `text`; the last answer's body, whatever it holds.
  std::string WaitForBody(const std::string& target, const std::string& text);

  test_support::ChildProcess& process() { return process_; }
  [[nodiscard]] int port() const { return port_; }

 private:
  SidecarProcess(test_support::ChildProcess process, int port,
                 std::unique_ptr<net::Transport> transport)
      : process_(std::move(process)), port_(port), transport_(std::move(transport)) {}

  test_support::ChildProcess process_;
  int port_;
  std::unique_ptr<net::Transport> transport_;
};

}  // namespace tracekeeper::sidecar
