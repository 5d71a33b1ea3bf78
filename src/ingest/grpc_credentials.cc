#include "src/ingest/grpc_credentials.h"

#include <grpc/grpc_security.h>
#include <grpcpp/security/server_credentials.h>

#include <mutex>
#include <string>
#include <utility>

#include "src/crypto/secret_string.h"
#include "src/crypto/server_tls_source.h"

namespace tracekeeper::ingest {
namespace {

/// The library's own certificates from files say nothing where a file is wrong, and show it. Its C
/// interface asks us at each handshake instead.
class SwappingCredentials final : public grpc::ServerCredentials {
 public:
  explicit SwappingCredentials(std::shared_ptr<crypto::ServerTlsSource> source)
      : source_(std::move(source)),
        asks_clients_(!source_->ClientAuthoritiesPem().empty()),
        credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                asks_clients_ ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                              : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
                Fetch, this))) {}
  ~SwappingCredentials() override { grpc_server_credentials_release(credentials_); }
  SwappingCredentials(const SwappingCredentials&) = delete;
  SwappingCredentials& operator=(const SwappingCredentials&) = delete;

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<SwappingCredentials*>(self)->Next(config);
  }
  grpc_ssl_certificate_config_reload_status Next(grpc_ssl_server_certificate_config** config);

  const std::shared_ptr<crypto::ServerTlsSource> source_;
  const bool asks_clients_;
  grpc_server_credentials* const credentials_;
  std::mutex mutex_;
  /// What the library has. Guarded by mutex_.
  std::shared_ptr<const crypto::CertificatePair> shown_;
};

grpc_ssl_certificate_config_reload_status SwappingCredentials::Next(
    grpc_ssl_server_certificate_config** config) {
  const std::scoped_lock lock(mutex_);
  // In this order: a swap in between is seen by the next handshake.
  auto pair = source_->Certificate();
  if (pair == shown_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  std::string authorities = source_->ClientAuthoritiesPem();
  // Never those of nobody: who is asked for a certificate must not be let in by our own.
  if (asks_clients_ && authorities.empty()) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
  // The library wants some, also where it asks no client.
  if (authorities.empty()) authorities = pair->chain_pem();
  std::string key(pair->private_key_pem().Reveal());  // with the NUL that the library reads to
  const grpc_ssl_pem_key_cert_pair made = {.private_key = key.c_str(),
                                           .cert_chain = pair->chain_pem().c_str()};
  *config = grpc_ssl_server_certificate_config_create(authorities.c_str(), &made, 1);
  crypto::SecretString::Taking(key);  // wipes
  shown_ = std::move(pair);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

}  // namespace

Result<std::shared_ptr<grpc::ServerCredentials>> MakeCredentials(
    const std::shared_ptr<crypto::ServerTlsSource>& tls) {
  if (!tls) return grpc::InsecureServerCredentials();
  if (!tls->Certificate()) {
    return Fail(ErrorKind::kInvalid, "there is no certificate to show yet");
  }
  return std::make_shared<SwappingCredentials>(tls);
}

}  // namespace tracekeeper::ingest
