#include "src/crypto/tls_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>

#include "src/crypto/openssl_handles.h"

namespace tracekeeper::crypto {

namespace {

bool IsIpAddress(const std::string& host) {
  std::array<unsigned char, 16> bytes;
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

void ConfigureBoth(SSL_CTX& context) {
  SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION);
  // Renegotiation only serves attackers here. An idle connection gives its 34 KiB of buffers back.
  SSL_CTX_set_options(&context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(&context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

/// What servers answer may be secret: OpenSSL wipes what it has decrypted once it is read.
Result<SslContextPtr> NewClientContext() {
  SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (!context) return Fail(ErrorKind::kInternal, "make a TLS context: {}", TakeOpensslError());
  SSL_CTX_set_options(context.get(), SSL_OP_CLEANSE_PLAINTEXT);
  return context;
}

Status UseCertificate(SSL_CTX& context, const CertificatePair& pair) {
  const auto chain = TRY(ReadCertificates(pair.chain_pem()));
  const KeyPtr key = TRY(ReadPrivateKey(pair.private_key_pem().Reveal()));
  if (SSL_CTX_use_certificate(&context, chain.front().get()) != 1 ||
      SSL_CTX_use_PrivateKey(&context, key.get()) != 1) {
    return Fail(ErrorKind::kInvalid, "certificate {} cannot be used for TLS: {}",
                pair.leaf().subject, TakeOpensslError());
  }
  SSL_CTX_clear_chain_certs(&context);
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(&context, chain[i].get()) != 1) {
      return Fail(ErrorKind::kInvalid, "certificate {} of the chain cannot be used: {}", i + 1,
                  TakeOpensslError());
    }
  }
  return {};
}

/// Agrees to the one protocol that `wanted` names, when the client offers it.
int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                   const unsigned char* offered, unsigned offered_size, void* wanted) {
  const std::string_view name = static_cast<const char*>(wanted);
  const unsigned char* const end = offered + offered_size;
  while (offered < end) {  // names, each behind its length; OpenSSL has checked the list
    const std::string_view offer(reinterpret_cast<const char*>(offered + 1), *offered);
    if (offer == name) {
      *chosen = offered + 1;
      *chosen_size = *offered;
      return SSL_TLSEXT_ERR_OK;
    }
    offered += 1 + *offered;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Status ConfigureClientContext(ssl_ctx_st* context, std::string_view authorities_pem,
                              const CertificatePair* own) {
  ConfigureBoth(*context);
  X509StorePtr store = TRY(MakeTrustStore(authorities_pem));
  SSL_CTX_set_cert_store(context, store.release());  // replaces whatever was trusted before
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, SSL_CTX_get_verify_callback(context));
  if (own != nullptr) TRY(UseCertificate(*context, *own));
  return {};
}

Result<std::shared_ptr<const TlsContext>> TlsContext::ForClient(std::string_view authorities_pem,
                                                                const CertificatePair* own) {
  SslContextPtr context = TRY(NewClientContext());
  TRY(ConfigureClientContext(context.get(), authorities_pem, own));
  return std::shared_ptr<const TlsContext>(new TlsContext(context.release()));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::ForClientOfAnyone(
    const CertificatePair* own) {
  SslContextPtr context = TRY(NewClientContext());
  ConfigureBoth(*context);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  if (own != nullptr) TRY(UseCertificate(*context, *own));
  return std::shared_ptr<const TlsContext>(new TlsContext(context.release()));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::ForServer(const CertificatePair& own,
                                                                const ServerOptions& options) {
  SslContextPtr context(SSL_CTX_new(TLS_server_method()));
  if (!context) return Fail(ErrorKind::kInternal, "make a TLS context: {}", TakeOpensslError());
  ConfigureBoth(*context);
  SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
  TRY(UseCertificate(*context, own));
  if (!options.client_authorities_pem.empty()) {
    X509StorePtr store = TRY(MakeTrustStore(options.client_authorities_pem));
    SSL_CTX_set_cert_store(context.get(), store.release());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    // Resumed sessions carry a verified client; the id keeps them within this server.
    constexpr std::string_view kSessionId = "tracekeeper";
    SSL_CTX_set_session_id_context(context.get(),
                                   reinterpret_cast<const unsigned char*>(kSessionId.data()),
                                   kSessionId.size());
  }
  if (options.protocol != nullptr) {
    SSL_CTX_set_alpn_select_cb(context.get(), ChooseProtocol, const_cast<char*>(options.protocol));
  }
  // Tickets make resumption stateless; a cache would be memory that peers can fill.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return std::shared_ptr<const TlsContext>(new TlsContext(context.release()));
}

Status ExpectPeer(ssl_st* tls, const std::string& host) {
  X509_VERIFY_PARAM* parameters = SSL_get0_param(tls);
  if (IsIpAddress(host)) {
    if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1) return {};
  } else {
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_host(parameters, host.data(), host.size()) == 1 &&
        SSL_set_tlsext_host_name(tls, host.c_str()) == 1) {
      return {};
    }
  }
  return Fail(ErrorKind::kInvalid, "\"{}\" cannot be expected of a certificate: {}", host,
              TakeOpensslError());
}

std::string PeerVerificationFailure(const ssl_st* tls) {
  const long code = SSL_get_verify_result(tls);
  if (code == X509_V_OK) return {};
  std::string text = X509_verify_cert_error_string(code);
  const X509Ptr peer(SSL_get1_peer_certificate(tls));
  if (peer) text += " (" + NameText(X509_get_subject_name(peer.get())) + ")";
  return text;
}

}  // namespace tracekeeper::crypto
