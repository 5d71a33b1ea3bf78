#include "src/vault/connection.h"

#include <utility>

#include "src/net/transports.h"

namespace tracekeeper::vault {

Connection::Connection(ConnectionOptions options, std::unique_ptr<net::Transport> transport,
                       std::unique_ptr<Login> login, const Clock& clock, Metrics& metrics)
    : transport_(std::move(transport)),
      endpoint_(std::move(options.endpoint), *transport_, clock, metrics),
      session_(std::move(options.session), endpoint_, std::move(login), clock) {}

Result<std::unique_ptr<Connection>> Connection::Make(ConnectionOptions options,
                                                     std::unique_ptr<Login> login,
                                                     const Clock& clock, Metrics& metrics) {
  net::TransportOptions transport;
  transport.name = "Vault";
  transport.base_url = options.address;
  transport.authorities_pem = std::move(options.authorities_pem);
  transport.client_certificate = std::move(options.client_certificate);
  transport.server_name = options.server_name;
  auto made = TRY(net::MakeBeastTransport(std::move(transport)));
  return std::unique_ptr<Connection>(
      new Connection(std::move(options), std::move(made), std::move(login), clock, metrics));
}

}  // namespace tracekeeper::vault
