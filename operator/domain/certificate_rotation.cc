#include "operator/domain/certificate_rotation.h"

#include <algorithm>

namespace tracekeeper::domain {
namespace {

constexpr Duration kLookAtLeastEvery = std::chrono::hours(1);

CertificatePlan WaitUntil(Instant due, Instant now) {
  const Duration wait = std::clamp<Duration>(due - now, std::chrono::seconds(1), kLookAtLeastEvery);
  return {CertificateStep::kNothing, wait};
}

CertificatePlan Now(CertificateStep step) { return {step, std::chrono::seconds(1)}; }

}  // namespace

CertificatePolicy CertificatePolicy::ForLifetime(Duration lifetime) {
  CertificatePolicy policy;
  policy.lifetime = lifetime;
  policy.overlap = std::min(policy.overlap, lifetime / 10);
  return policy;
}

CertificatePlan PlanCertificate(const CertificateState& state, const CertificatePolicy& policy,
                                Instant now) {
  if (!state.not_before || !state.not_after || *state.not_after <= now) {
    return Now(CertificateStep::kCreate);
  }
  if (state.has_next) {
    if (!state.next_trusted_since) return WaitUntil(now, now);
    const Instant due = *state.next_trusted_since + policy.overlap;
    if (due <= now) return Now(CertificateStep::kActivate);
    return WaitUntil(due, now);
  }
  if (state.activated_at) {
    const Instant due = *state.activated_at + policy.overlap;
    if (due <= now) return Now(CertificateStep::kRetire);
    return WaitUntil(due, now);
  }
  const Duration life = *state.not_after - *state.not_before;
  const Instant due = *state.not_before + life / 3 * 2;
  if (due <= now) return Now(CertificateStep::kPrepare);
  return WaitUntil(due, now);
}

}  // namespace tracekeeper::domain
