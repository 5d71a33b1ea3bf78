#pragma once
// Collector is a real OpenTelemetry Collector (tools/otelcol) that takes OTLP over gRPC and HTTP on
// loopback and writes what it took to a file, which the test reads back.
//
//   auto collector = Collector::Start({.folder = folder});
//   ... deliver to collector->grpc_endpoint() ...
//   EXPECT_TRUE(collector->WaitForSpans(sent));
//
// Threads:  one thread at a time; see ChildProcess for the thread that starts it.
// Owner:    the test. The program ends with the object; its file stays, and a restart appends.
// Failure:  an Error that says why it did not start; "is not built" without tools/setup.sh otelcol.

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "src/base/result.h"
#include "tests/support/process.h"

namespace tracekeeper::test_support {

struct CollectorOptions {
  std::filesystem::path folder;
  std::uint16_t grpc_port = 0;  // 0 takes a free one
  std::uint16_t http_port = 0;
  /// PEM files; empty: plain text.
  std::string certificate_file = {};
  std::string key_file = {};
  std::string client_authority_file = {};
  /// The file that holds the bearer token which requests must carry; read again when it changes.
  std::string token_file = {};
};

class Collector {
 public:
  static Result<Collector> Start(CollectorOptions options);

  /// SIGTERM, so that it writes what it holds; SIGKILL: as a node that lost power.
  void Stop(int signal = SIGTERM);
  Status StartAgain();

  [[nodiscard]] std::string grpc_endpoint() const { return Endpoint(options_.grpc_port); }
  [[nodiscard]] std::string http_endpoint() const { return Endpoint(options_.http_port); }

  /// Ids in hexadecimal of all spans it has written.
  [[nodiscard]] std::set<std::string> SpanIds() const;
  /// Waits until all of `wanted` are there; false when that did not happen within `limit`.
  bool WaitForSpans(const std::set<std::string>& wanted,
                    std::chrono::milliseconds limit = std::chrono::seconds(30)) const;
  /// Everything it has written: a line of OTLP JSON for each request.
  [[nodiscard]] std::string Written() const;
  [[nodiscard]] std::string Log() const;
  [[nodiscard]] pid_t id() const { return process_->id(); }

 private:
  explicit Collector(CollectorOptions options) : options_(std::move(options)) {}
  [[nodiscard]] std::string Endpoint(std::uint16_t port) const;
  Status WriteConfiguration() const;

  CollectorOptions options_;
  std::optional<ChildProcess> process_;
};

}  // namespace tracekeeper::test_support
