#include "src/kube/connect.h"

#include "src/net/transports.h"

namespace tracekeeper::kube {
namespace {

/// Where Debian keeps the authorities that a server with a public certificate is checked against.
constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

net::TransportOptions TransportOptionsFor(const Config& config, Credentials& credentials) {
  net::TransportOptions options;
  options.name = "Kubernetes API";
  options.base_url = config.server;
  options.server_name = config.tls_server_name;
  options.authorities_pem = [&credentials]() -> Result<std::string> {
    return credentials.AuthoritiesPem();
  };
  options.client_certificate =
      [&credentials]() -> Result<std::shared_ptr<const crypto::CertificatePair>> {
    return credentials.ClientCertificate();
  };
  return options;
}

std::string HostOf(std::string_view server) {
  const std::size_t scheme = server.find("://");
  return std::string(scheme == std::string_view::npos ? server : server.substr(scheme + 3));
}

}  // namespace

Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::Make(const Config& config, Client::Options options,
                                                     UnaryAdapter unary, const Clock& clock,
                                                     Metrics& metrics, const Logger& log) {
  std::unique_ptr<Connection> made(new Connection(config));
  Config& own = made->config_;
  const bool is_tls = own.server.starts_with("https://");
  if (is_tls && own.certificate_authority.empty()) {
    own.certificate_authority.file = kSystemAuthorities;
  }
  made->credentials_ = TRY(Credentials::Make(own, clock, log));
  const net::TransportOptions transport = TransportOptionsFor(own, *made->credentials_);
  const bool needs_beast = unary == UnaryAdapter::kBeast || !net::CpprestCanReach(transport);
  made->unary_ = needs_beast ? TRY(net::MakeBeastTransport(transport))
                             : TRY(net::MakeCpprestTransport(transport));
  made->streams_ = TRY(net::MakeBeastTransport(transport));
  options.host = HostOf(own.server);
  options.path_prefix = own.path_prefix;
  made->client_ = std::make_unique<Client>(std::move(options), *made->unary_, *made->streams_,
                                           made->credentials_.get(), clock, metrics);
  return made;
}

}  // namespace tracekeeper::kube
