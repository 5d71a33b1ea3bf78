#pragma once
// The two adapters of Transport, and what each is told about its one server.
//
//   BeastTransport    calls that carry secret bytes, and every long stream. No threads of its own:
//                     a call runs its connection on its caller's thread.
//   CpprestTransport  unary calls. Uses cpprest's thread pool, which the program must have sized
//                     with InitializeCpprest() before. Stream() is kInternal: it buffers without
//                     bound, so streams belong to BeastTransport.
//
// Both keep connections open between calls, speak HTTP/1.1 and TLS 1.2 or newer, trust exactly the
// given authorities, check the server's name or IP address, follow no redirect, use no proxy from
// the environment, and send a call again only when it is idempotent or nothing of it was sent.

#include <functional>
#include <memory>
#include <string>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/crypto/certificate.h"
#include "src/crypto/tls_context.h"
#include "src/net/transport.h"

namespace tracekeeper::net {

enum class PeerTrust { kAuthorities, kAnyone };

struct TransportOptions {
  /// Who is called, as errors name it: "Kubernetes API".
  std::string name = "server";
  /// "https://10.0.0.1:6443": scheme, host and optional port. A path is refused.
  std::string base_url;
  /// kAnyone takes whatever certificate the server shows. Not for CpprestTransport.
  PeerTrust trust = PeerTrust::kAuthorities;
  /// The authorities to trust, as PEM. Asked for every new TLS connection, so a renewed file takes
  /// effect without a restart. Must be set for https unless anyone is trusted.
  std::function<Result<std::string>()> authorities_pem;
  /// The certificate to show, asked for every new TLS connection. May be unset or give null.
  std::function<Result<std::shared_ptr<const crypto::CertificatePair>>()> client_certificate;
  /// The name to expect in the server's certificate where it differs from the URL's host
  /// (tls-server-name of a kubeconfig). Empty: the URL's host. BeastTransport only.
  std::string server_name;
  Duration connect_deadline = std::chrono::seconds(10);
  /// Connections kept open for the next call, and for how long.
  std::size_t idle_connections = 8;
  Duration idle_for = std::chrono::seconds(55);
  /// A connection older than this is not used again, so renewed credentials reach busy clients too.
  Duration connection_age = std::chrono::minutes(5);
};

/// Fails with kInvalid when the base URL cannot be used.
Result<std::unique_ptr<Transport>> MakeBeastTransport(TransportOptions options);
Result<std::unique_ptr<Transport>> MakeCpprestTransport(TransportOptions options);

/// False for what cpprest cannot do, and MakeCpprestTransport therefore refuses: an IPv6 address in
/// the URL, a server name other than the URL's host.
[[nodiscard]] bool CpprestCanReach(const TransportOptions& options);

/// False for https options that name no authorities and do not trust anyone either.
[[nodiscard]] inline bool CanTrustSomebody(const TransportOptions& options) {
  return options.trust == PeerTrust::kAnyone || options.authorities_pem != nullptr;
}

/// The context of a new TLS connection: asks `options` for what it needs, so it may read files.
Result<std::shared_ptr<const crypto::TlsContext>> MakeClientContext(
    const TransportOptions& options);

/// Sizes cpprest's thread pool (its default is 40). Called once, first thing in main: later calls
/// and calls after the first request are kInternal.
Status InitializeCpprest(unsigned threads = 2);

}  // namespace tracekeeper::net
