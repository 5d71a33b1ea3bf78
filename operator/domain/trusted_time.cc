#include "operator/domain/trusted_time.h"

#include <fmt/format.h>

#include <chrono>

namespace tracekeeper::domain {
namespace {

constexpr Duration kPrecision = std::chrono::seconds(2);

bool IsSame(Instant a, Instant b) { return std::chrono::abs(a - b) <= TrustedTime::kTolerance; }

long long SecondsOf(Duration skew) {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::abs(skew)).count();
}

}  // namespace

TrustedTime TrustedTime::Unconfirmed(Instant floor) {
  TrustedTime time;
  time.floor_ = floor;
  return time;
}

std::optional<Instant> TrustedTime::Now(const ClockReading& reading) const {
  if (!base_) return std::nullopt;
  return *base_ + (reading.monotonic - base_at_);
}

void TrustedTime::Set(Instant time, MonotonicTime at) {
  base_ = time;
  base_at_ = at;
}

TrustedTime TrustedTime::First(Instant date, const ClockReading& reading) const {
  TrustedTime after = *this;
  if (IsSame(date, reading.wall)) {
    after.Set(date, reading.monotonic);
    after.agreement_ = ClockAgreement::kAgreed;
    return after;
  }
  // Two clocks and no third: what was written down before says which of them cannot be right.
  const bool date_is_possible = date + kTolerance >= floor_;
  after.Set(date_is_possible ? date : reading.wall, reading.monotonic);
  after.agreement_ =
      date_is_possible ? ClockAgreement::kWallJumped : ClockAgreement::kWitnessSkewed;
  return after;
}

TrustedTime TrustedTime::Heard(Instant date, const ClockReading& reading) const {
  TrustedTime after = *this;
  after.skew_ = date - reading.wall;
  const auto now = Now(reading);
  if (!now) return after.First(date, reading);
  if (IsSame(date, reading.wall)) {
    // To a Date that is cut to seconds and was under way nothing is set for less.
    if (std::chrono::abs(*now - date) > kPrecision) after.Set(date, reading.monotonic);
    after.agreement_ =
        IsSame(*now, reading.wall) ? ClockAgreement::kAgreed : ClockAgreement::kCorrected;
  } else if (IsSame(*now, date)) {
    after.agreement_ = ClockAgreement::kWallJumped;
  } else if (IsSame(*now, reading.wall)) {
    after.agreement_ = ClockAgreement::kWitnessSkewed;
  } else {
    after.agreement_ = ClockAgreement::kNobodyAgrees;
  }
  return after;
}

std::string TrustedTime::Warning() const {
  switch (agreement_) {
    case ClockAgreement::kUnconfirmed:
      return "No answer of Vault has confirmed the time yet, so nothing that depends on it is "
             "done.";
    case ClockAgreement::kWallJumped:
      return fmt::format(
          "The clock of this node is {} s {} that of Vault and is not believed: check its time "
          "synchronisation.",
          SecondsOf(skew_), skew_ > Duration::zero() ? "behind" : "ahead of");
    case ClockAgreement::kWitnessSkewed:
      return fmt::format(
          "The clock of Vault is {} s {} that of this node: leases and certificates may end "
          "earlier "
          "or later than they say; check the time synchronisation of Vault's machine.",
          SecondsOf(skew_), skew_ > Duration::zero() ? "ahead of" : "behind");
    case ClockAgreement::kNobodyAgrees:
      return fmt::format(
          "The clocks of this node and of Vault differ by {} s, and neither shows the time that "
          "has "
          "passed since they agreed: check the time synchronisation of both.",
          SecondsOf(skew_));
    case ClockAgreement::kAgreed:
    case ClockAgreement::kCorrected:
      break;
  }
  return {};
}

}  // namespace tracekeeper::domain
