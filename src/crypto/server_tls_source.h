#pragma once
// ServerTlsSource holds the certificate a server shows right now, and whose client certificates it
// takes. Connections accepted after Swap() get the new ones; open connections keep theirs.
//
// Threads:  all methods are safe from any thread.
// Owner:    shared by the server and by whoever renews the certificate.
// Failure:  Swap leaves the old certificate in place when the new one cannot be used.

#include <memory>
#include <mutex>
#include <string>

#include "src/base/result.h"
#include "src/crypto/certificate.h"
#include "src/crypto/tls_context.h"

namespace tracekeeper::crypto {

class ServerTlsSource {
 public:
  using Options = TlsContext::ServerOptions;

  /// Without a certificate yet: handshakes are refused until the first Swap.
  ServerTlsSource() = default;
  explicit ServerTlsSource(Options options) : options_(std::move(options)) {}

  Status Swap(std::shared_ptr<const CertificatePair> pair);
  /// The same, with other authorities of clients; empty asks for no client certificate.
  Status Swap(std::shared_ptr<const CertificatePair> pair, std::string client_authorities_pem);

  /// Null before the first Swap.
  [[nodiscard]] std::shared_ptr<const TlsContext> Context() const;
  [[nodiscard]] std::shared_ptr<const CertificatePair> Certificate() const;
  [[nodiscard]] std::string ClientAuthoritiesPem() const;

 private:
  mutable std::mutex mutex_;
  Options options_;
  std::shared_ptr<const TlsContext> context_;
  std::shared_ptr<const CertificatePair> pair_;
};

}  // namespace tracekeeper::crypto
