#include "src/net/transports.h"

#include "src/net/origin.h"

namespace tracekeeper::net {

bool CpprestCanReach(const TransportOptions& options) {
  const auto origin = ParseOrigin(options.base_url);
  if (!origin) return true;  // MakeCpprestTransport says what is wrong with the URL
  const bool is_ipv6 = origin->host.find(':') != std::string::npos;
  return !is_ipv6 && (options.server_name.empty() || options.server_name == origin->host);
}

}  // namespace tracekeeper::net
