#pragma once
// AnalyzerProcess is the real program on free ports of 127.0.0.1, asked and fed over HTTP and gRPC.
//
// Threads:  one thread at a time.
// Owner:    the test; the program ends with the object.
// Failure:  throws std::runtime_error where the program does not start or answer.

#include <memory>
#include <string>
#include <vector>

#include "src/net/grpc.h"
#include "src/net/http.h"
#include "src/net/transport.h"
#include "tests/src/analysis/metrics_text.h"
#include "tests/support/json_tree.h"
#include "tests/support/process.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper::analyzer {

class AnalyzerProcess {
 public:
  /// With short windows and `flags`; returns when it listens.
  explicit AnalyzerProcess(std::vector<std::string> flags = {},
                           const std::string& settle_seconds = "0.3",
                           const std::string& warm_up_seconds = "0.1");

  /// POST to the OTLP port.
  net::Response Send(const std::string& path, net::Headers headers, std::string body);
  /// One call of Export over gRPC; whether it was taken.
  bool SendOverGrpc(const std::string& request);
  net::Response Metrics(const std::string& accept = "application/openmetrics-text");
  analysis::Samples Scrape();
  net::Response Api(const std::string& target);
  test_support::JsonTree ApiJson(const std::string& target);

  test_support::ChildProcess& process() { return *process_; }
  /// For senders of the test's own.
  [[nodiscard]] const std::string& otlp_http_url() const { return otlp_http_url_; }
  [[nodiscard]] int grpc_port() const { return grpc_port_; }
  /// The answer to one call of Export over gRPC.
  net::GrpcReply CallOverGrpc(const std::string& request);

 private:
  net::Response Ask(net::Transport& transport, const net::Request& request);

  test_support::TemporaryFolder folder_{"analyzer"};
  std::unique_ptr<test_support::ChildProcess> process_;
  int grpc_port_ = 0;
  std::string otlp_http_url_;
  std::unique_ptr<net::Transport> otlp_;
  std::unique_ptr<net::Transport> metrics_;
  std::unique_ptr<net::Transport> api_;
};

}  // namespace tracekeeper::analyzer
