#include "src/net/transports.h"

#include "src/net/origin.h"

namespace tracekeeper::net {

bool CpprestCanReach(const TransportOptions& options) {
  const auto origin = ParseOrigin(options.base_url);
  if (!origin) return true;  // MakeCpprestTransport says what is wrong with the URL
  const bool is_ipv6 = origin->host.find(':') != std::string::npos;
  return !is_ipv6 && (options.server_name.empty() || options.server_name == origin->host);
}

Result<std::shared_ptr<const crypto::TlsContext>> MakeClientContext(
    const TransportOptions& options) {
  std::shared_ptr<const crypto::CertificatePair> own;
  if (options.client_certificate) own = TRY(options.client_certificate());
  if (options.trust == PeerTrust::kAnyone) return crypto::TlsContext::ForClientOfAnyone(own.get());
  const std::string authorities = TRY(options.authorities_pem());
  return crypto::TlsContext::ForClient(authorities, own.get());
}

}  // namespace tracekeeper::net
