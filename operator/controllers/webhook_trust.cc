#include "operator/controllers/webhook_trust.h"

namespace tracekeeper::controllers {

void WebhookTrust::SetDesired(std::string bundle) {
  {
    const std::scoped_lock lock(mutex_);
    if (bundle == desired_) return;
    desired_ = std::move(bundle);
  }
  if (on_desired_) on_desired_();
}

std::string WebhookTrust::desired() const {
  const std::scoped_lock lock(mutex_);
  return desired_;
}

void WebhookTrust::SetApplied(const std::string& bundle, Instant now) {
  {
    const std::scoped_lock lock(mutex_);
    if (bundle == applied_) return;
    applied_ = bundle;
    applied_since_ = now;
  }
  if (on_applied_) on_applied_();
}

std::optional<Instant> WebhookTrust::TrustedSince(const std::string& authority_pem) const {
  const std::scoped_lock lock(mutex_);
  if (applied_.empty() || applied_.find(authority_pem) == std::string::npos) return std::nullopt;
  return applied_since_;
}

}  // namespace tracekeeper::controllers
