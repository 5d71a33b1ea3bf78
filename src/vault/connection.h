#pragma once
// Connection is the way to one Vault as one identity, wired: transport, endpoint, session. Programs
// make one; tests that bring their own Transport make an Endpoint and a Session alone.
//
//   auto connection = TRY(Connection::Make(options, TRY(MakeJwtLogin({...})), clock, metrics));
//   TRY(connection->session().Tend(stop));
//
// Threads:  made and destroyed by its owner; endpoint() and session() are safe from any thread.
// Owner:    wiring; clock and metrics outlive it. Close the session before the end, so that its
//           token does not live on in Vault.
// Failure:  Make fails when the address cannot be used; it does not connect.

#include <functional>
#include <memory>
#include <string>

#include "src/base/clock.h"
#include "src/base/metrics.h"
#include "src/base/result.h"
#include "src/crypto/certificate.h"
#include "src/net/transport.h"
#include "src/vault/endpoint.h"
#include "src/vault/login.h"
#include "src/vault/session.h"

namespace tracekeeper::vault {

struct ConnectionOptions {
  std::string address;      // "https://vault:8200"
  std::string server_name;  // expected in Vault's certificate; empty: the address's host
  /// The authorities to trust, as PEM; asked for every new TLS connection.
  std::function<Result<std::string>()> authorities_pem;
  /// What login by certificate shows; unset: nothing.
  std::function<Result<std::shared_ptr<const crypto::CertificatePair>>()> client_certificate;
  EndpointOptions endpoint;
  SessionOptions session;
};

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> Make(ConnectionOptions options,
                                                  std::unique_ptr<Login> login, const Clock& clock,
                                                  Metrics& metrics);

  [[nodiscard]] Endpoint& endpoint() { return endpoint_; }
  [[nodiscard]] Session& session() { return session_; }

 private:
  Connection(ConnectionOptions options, std::unique_ptr<net::Transport> transport,
             std::unique_ptr<Login> login, const Clock& clock, Metrics& metrics);

  const std::unique_ptr<net::Transport> transport_;
  Endpoint endpoint_;
  Session session_;
};

}  // namespace tracekeeper::vault
