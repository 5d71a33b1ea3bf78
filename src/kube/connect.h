#pragma once
// Connection is the way to one cluster, wired: credentials that follow their files, the two
// transports, and the client over them. Programs make one; tests that bring their own Transport
// make a Client alone.
//
//   const Config config = TRY(LoadConfig(ConfigSearch::FromEnvironment(options.kubeconfig)));
//   const auto connection = TRY(Connection::Make(config, {.component = "tracekeeper"}, ...));
//   TRY(connection->client().Get(...));
//
// Threads:  made and destroyed by the owner; client() is safe from any thread.
// Owner:    the program's wiring; clock, metrics and log outlive it. Each Connection has transports
//           of its own: the Lease gets one for itself, so that no other traffic can delay it.
// Failure:  Make fails when a named file cannot be read or the server's address cannot be used; it
//           does not connect.

#include <memory>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/metrics.h"
#include "src/base/result.h"
#include "src/kube/client.h"
#include "src/kube/config.h"
#include "src/kube/credentials.h"
#include "src/net/transport.h"

namespace tracekeeper::kube {

/// Which adapter carries unary calls. Streams always use Beast.
enum class UnaryAdapter {
  kCpprest,  // the program must have called net::InitializeCpprest()
  kBeast,    // also for bodies that are secret
};

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> Make(const Config& config, Client::Options options,
                                                  UnaryAdapter unary, const Clock& clock,
                                                  Metrics& metrics, const Logger& log);
  ~Connection();

  [[nodiscard]] Client& client() { return *client_; }
  [[nodiscard]] const Config& config() const { return config_; }

 private:
  explicit Connection(Config config) : config_(std::move(config)) {}

  Config config_;
  std::unique_ptr<Credentials> credentials_;
  std::unique_ptr<net::Transport> unary_;
  std::unique_ptr<net::Transport> streams_;
  std::unique_ptr<Client> client_;
};

}  // namespace tracekeeper::kube
