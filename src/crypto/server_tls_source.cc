#include "src/crypto/server_tls_source.h"

namespace tracekeeper::crypto {

Status ServerTlsSource::Swap(std::shared_ptr<const CertificatePair> pair) {
  auto context = TRY(TlsContext::ForServer(*pair, options_));
  const std::lock_guard lock(mutex_);
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

}  // namespace tracekeeper::crypto
