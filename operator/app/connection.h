#pragma once
// Connection is how the operator reaches the Kubernetes API: configuration, credentials, and one
// Client for each kind of traffic, so that none can starve another.
//
// Threads:  made in wiring; clients are safe from any thread.
// Owner:    Wiring. Clients live as long as this.
// Failure:  Make fails with the sentence of configuration or credentials.

#include <memory>

#include "operator/app/options.h"
#include "src/base/log.h"
#include "src/base/metrics.h"
#include "src/kube/client.h"
#include "src/kube/config.h"
#include "src/kube/credentials.h"
#include "src/net/transport.h"

namespace tracekeeper::app {

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> Make(const Options& options, const Clock& clock,
                                                  Metrics& metrics, const Logger& log);

  /// Everyday calls and watches.
  [[nodiscard]] kube::Client& client() { return *client_; }
  /// Calls whose bodies hold private keys: the transport that wipes its buffers.
  [[nodiscard]] kube::Client& secret_client() { return *secret_client_; }
  /// The leader's Lease: short deadlines, no queue behind other calls.
  [[nodiscard]] kube::Client& lease_client() { return *lease_client_; }
  [[nodiscard]] const kube::Config& config() const { return config_; }

 private:
  Connection() = default;

  kube::Config config_;
  std::unique_ptr<kube::Credentials> credentials_;
  std::unique_ptr<net::Transport> unary_;
  std::unique_ptr<net::Transport> streams_;
  std::unique_ptr<net::Transport> lease_transport_;
  std::unique_ptr<kube::Client> client_;
  std::unique_ptr<kube::Client> secret_client_;
  std::unique_ptr<kube::Client> lease_client_;
};

}  // namespace tracekeeper::app
