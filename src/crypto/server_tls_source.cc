#include "src/crypto/server_tls_source.h"

namespace tracekeeper::crypto {

Status ServerTlsSource::Swap(std::shared_ptr<const CertificatePair> pair) {
  return Swap(std::move(pair), ClientAuthoritiesPem());
}

Status ServerTlsSource::Swap(std::shared_ptr<const CertificatePair> pair,
                             std::string client_authorities_pem) {
  Options options;
  {
    const std::lock_guard lock(mutex_);
    options.protocol = options_.protocol;
  }
  options.client_authorities_pem = std::move(client_authorities_pem);
  auto context = TRY(TlsContext::ForServer(*pair, options));
  const std::lock_guard lock(mutex_);
  options_ = std::move(options);
  context_ = std::move(context);
  pair_ = std::move(pair);
  return {};
}

std::shared_ptr<const TlsContext> ServerTlsSource::Context() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

std::shared_ptr<const CertificatePair> ServerTlsSource::Certificate() const {
  const std::lock_guard lock(mutex_);
  return pair_;
}

std::string ServerTlsSource::ClientAuthoritiesPem() const {
  const std::lock_guard lock(mutex_);
  return options_.client_authorities_pem;
}

}  // namespace tracekeeper::crypto
