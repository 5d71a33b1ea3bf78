#pragma once
// Cluster is the way of a command to a live cluster: kubeconfig as kubectl finds it, and a client.
//
// Threads:  the main thread.
// Owner:    the command; ends with it.
// Failure:  a sentence that names the kubeconfig and what to do.

#include <memory>
#include <string>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/result.h"
#include "src/kube/connect.h"

namespace CLI {
class App;
}  // namespace CLI

namespace tracekeeper::cli {

struct ClusterOptions {
  std::string kubeconfig;
  std::string context;
  std::string operator_namespace = "tracekeeper-system";
};

/// Adds --kubeconfig, --context and --operator-namespace.
void AddClusterFlags(CLI::App& command, ClusterOptions& options);

class Cluster {
 public:
  /// Reads the kubeconfig; does not connect yet.
  static Result<std::unique_ptr<Cluster>> Make(const ClusterOptions& options);

  [[nodiscard]] kube::Client& client() { return connection_->client(); }
  [[nodiscard]] const kube::Config& config() const { return connection_->config(); }

 private:
  Cluster() = default;

  SystemClock clock_;
  Log log_{LogLevel::kError};
  std::unique_ptr<kube::Connection> connection_;
};

}  // namespace tracekeeper::cli
