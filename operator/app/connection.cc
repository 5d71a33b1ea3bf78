#include "operator/app/connection.h"

#include "src/base/version.h"
#include "src/net/transports.h"
#include "src/runtime/leader_elector.h"

namespace tracekeeper::app {
namespace {

net::TransportOptions TransportFor(const kube::Config& config, kube::Credentials& credentials) {
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

std::string HostOf(const std::string& url) {
  const std::size_t scheme = url.find("://");
  return scheme == std::string::npos ? url : url.substr(scheme + 3);
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::Make(const Options& options, const Clock& clock,
                                                     Metrics& metrics, const Logger& log) {
  std::unique_ptr<Connection> result(new Connection());
  result->config_ = TRY(
      kube::LoadConfig(kube::ConfigSearch::FromEnvironment(options.kubeconfig, options.context)));
  result->credentials_ = TRY(kube::Credentials::Make(result->config_, clock, log));
  log.Info("Found cluster",
           {{"server", result->config_.server}, {"origin", result->config_.origin}});

  const net::TransportOptions transport = TransportFor(result->config_, *result->credentials_);
  result->unary_ = TRY(net::CpprestCanReach(transport) ? net::MakeCpprestTransport(transport)
                                                       : net::MakeBeastTransport(transport));
  result->streams_ = TRY(net::MakeBeastTransport(transport));
  result->lease_transport_ = TRY(net::MakeBeastTransport(transport));

  kube::Client::Options client_options;
  client_options.component = "tracekeeper-operator";
  client_options.version = std::string(kVersion);
  client_options.host = HostOf(result->config_.server);
  kube::Credentials* credentials = result->credentials_.get();
  result->client_ = std::make_unique<kube::Client>(client_options, *result->unary_,
                                                   *result->streams_, credentials, clock, metrics);
  result->secret_client_ = std::make_unique<kube::Client>(
      client_options, *result->streams_, *result->streams_, credentials, clock, metrics);
  client_options.deadline = runtime::CallDeadline({});
  result->lease_client_ =
      std::make_unique<kube::Client>(client_options, *result->lease_transport_,
                                     *result->lease_transport_, credentials, clock, metrics);
  return result;
}

}  // namespace tracekeeper::app
