#pragma once
// TlsContext is one side's TLS settings: TLS 1.2 or newer, and either "trust exactly these
// authorities" (client) or "show this certificate" (server). OpenSSL stays in the .cc.
//
// Threads:  immutable once made; safe from any thread.
// Owner:    shared by the connections made with it, so replacing one cuts none of them.
// Failure:  kInvalid or kDecode with a sentence when the PEM cannot be used.

#include <memory>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/crypto/certificate.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX
struct ssl_st;      // OpenSSL's SSL

namespace tracekeeper::crypto {

class TlsContext {
 public:
  /// Trusts `authorities_pem` alone: the system's store is not consulted. `own` may be null.
  static Result<std::shared_ptr<const TlsContext>> ForClient(std::string_view authorities_pem,
                                                             const CertificatePair* own);

  /// Takes any certificate: whoever sits between can read and change what passes.
  static Result<std::shared_ptr<const TlsContext>> ForClientOfAnyone(const CertificatePair* own);

  struct ServerOptions {
    /// Demands client certificates signed by one of these; empty asks for none.
    std::string client_authorities_pem;
    /// The one protocol to agree to (ALPN): "h2", a constant of the program. Null leaves it open.
    const char* protocol = nullptr;
  };
  static Result<std::shared_ptr<const TlsContext>> ForServer(const CertificatePair& own,
                                                             const ServerOptions& options);

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] ssl_ctx_st* native() const { return context_; }

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

/// Gives a client context that somebody else owns the settings of TlsContext::ForClient.
Status ConfigureClientContext(ssl_ctx_st* context, std::string_view authorities_pem,
                              const CertificatePair* own);

/// Makes the handshake of `tls` fail unless the peer's certificate names `host`: a DNS name, or an
/// IP address. DNS names are also sent as SNI.
Status ExpectPeer(ssl_st* tls, const std::string& host);

/// Why the handshake of `tls` failed, in words: "certificate has expired (CN = api)". Empty when
/// the peer's certificate was not the reason.
[[nodiscard]] std::string PeerVerificationFailure(const ssl_st* tls);

}  // namespace tracekeeper::crypto
