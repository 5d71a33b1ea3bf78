#include "operator/domain/rotation_schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "src/crypto/digest.h"

namespace tracekeeper::domain {
namespace {

/// So many bits fit a double without rounding up to 1.
constexpr std::size_t kShareDigits = 13;
constexpr double kShareRange = 4503599627370496.0;  // 16^13

/// `part` of `whole`, never more than `whole`: a double has fewer digits than a Duration.
Duration PartOf(Duration whole, double part) {
  const auto scaled = static_cast<Duration::rep>(static_cast<double>(whole.count()) * part);
  return std::clamp<Duration>(Duration(scaled), Duration::zero(), whole);
}

Duration Bounded(Duration every) { return std::clamp(every, kShortestPeriod, kLongestPeriod); }

double BoundedShare(double share) { return std::clamp(share, 0.0, 1.0); }

}  // namespace

double SplayShare(std::string_view object_uid, std::string_view credential, std::int64_t epoch) {
  const std::string digest =
      crypto::Sha256Hex(fmt::format("splay\n{}\n{}\n{}", object_uid, credential, epoch));
  std::uint64_t digits = 0;
  std::from_chars(digest.data(), digest.data() + kShareDigits, digits, 16);
  return static_cast<double>(digits) / kShareRange;
}

Instant RotationDue(Instant begun, Duration every, double share) {
  const Duration period = Bounded(every);
  return begun + period - PartOf(period, kLargestSplay * BoundedShare(share));
}

Instant RenewalDue(const Validity& validity, double share) {
  const Duration life = std::max(validity.until - validity.from, Duration::zero());
  return validity.from + PartOf(life, 2.0 / 3.0 - kLargestSplay * BoundedShare(share));
}

bool IsOverdue(Instant begun, Duration every, Instant now) { return now > begun + Bounded(every); }

}  // namespace tracekeeper::domain
