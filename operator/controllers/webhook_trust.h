#pragma once
// WebhookTrust is where the certificate controller says which authorities API servers should trust,
// and the webhook configuration's controller says since when they do.
//
// Threads:  all methods are safe from any thread.
// Owner:    the program's wiring; both controllers hold a reference.
// Lives in memory: a new leader applies the configuration again and counts from there, which only
// delays a switch.

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "src/base/clock.h"

namespace tracekeeper::controllers {

class WebhookTrust {
 public:
  /// Called (outside the lock) when the bundle to apply has changed, and when one was applied.
  void OnDesired(std::function<void()> notify) { on_desired_ = std::move(notify); }
  void OnApplied(std::function<void()> notify) { on_applied_ = std::move(notify); }

  /// What caBundle should hold. Empty until a certificate exists.
  void SetDesired(std::string bundle);
  [[nodiscard]] std::string desired() const;

  /// `bundle` is in force in the webhook configuration.
  void SetApplied(const std::string& bundle, Instant now);
  /// Since when the applied bundle has held `authority_pem`.
  [[nodiscard]] std::optional<Instant> TrustedSince(const std::string& authority_pem) const;

 private:
  mutable std::mutex mutex_;
  std::string desired_;
  std::string applied_;
  Instant applied_since_{};
  std::function<void()> on_desired_;
  std::function<void()> on_applied_;
};

}  // namespace tracekeeper::controllers
