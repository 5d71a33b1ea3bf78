#pragma once
// When the webhook's certificate is made, replaced and its old CA forgotten. Every certificate has
// a CA of its own whose key is thrown away, so there is no long-lived key to steal; old and new CA
// are trusted side by side around each switch, so no call of the API server meets an unknown one.
//
//   Create   nothing usable is stored: make a pair and serve it
//   Prepare  the pair is two thirds through its life: make the next one, trust both CAs
//   Activate every API server had time to learn of the new CA: serve the next pair
//   Retire   every replica had time to switch: trust the new CA alone
//
// Threads:  pure functions of values; no I/O, no clock.
// Failure:  none. A state that makes no sense (an unreadable pair) is Create.

#include <optional>

#include "src/base/clock.h"

namespace tracekeeper::domain {

struct CertificateState {
  /// Of the pair that is served; absent when there is none or it cannot be read.
  std::optional<Instant> not_before;
  std::optional<Instant> not_after;
  /// A next pair is stored.
  bool has_next = false;
  /// Since when the API server's webhook configuration has been trusting the next pair's CA.
  std::optional<Instant> next_trusted_since;
  /// When the served pair replaced another whose CA is still in the bundle.
  std::optional<Instant> activated_at;
};

struct CertificatePolicy {
  Duration lifetime = std::chrono::hours(24 * 90);
  /// Between trusting a CA and serving under it, and again before forgetting the old one.
  Duration overlap = std::chrono::seconds(30);

  /// Overlap shrinks with very short lives, so that a step never outlasts the certificate.
  static CertificatePolicy ForLifetime(Duration lifetime);
};

enum class CertificateStep { kNothing, kCreate, kPrepare, kActivate, kRetire };

struct CertificatePlan {
  CertificateStep step = CertificateStep::kNothing;
  /// When to look again.
  Duration look_again{};
};

CertificatePlan PlanCertificate(const CertificateState& state, const CertificatePolicy& policy,
                                Instant now);

}  // namespace tracekeeper::domain
