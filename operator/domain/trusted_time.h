#pragma once
// TrustedTime is the time that rotation acts on. The machine's wall clock can jump by hours, and a
// rotation that believed it would be missed, or come for every credential at once. So time starts
// once an outside witness (the Date header of Vault, whose clock judges leases and certificates
// anyway) has confirmed it, then advances by the monotonic clock, and is corrected only where wall
// clock and witness agree on what it should be.
//
//   wall    trusted    witness    then
//   same    same       same       follow the witness: every replica hears the same one
//   same    other      same       correct to the witness (this machine was suspended)
//   other   same       same       go on; the wall clock of this machine jumped
//   same    same       other      go on; the witness is skewed
//   other   other      other      go on; nobody agrees, a person must look
//
// "Same" is within 30 s: kTolerance.
//
// Threads:  a value; methods are pure.
// Failure:  none. Unconfirmed time says so: Now() is nothing.

#include <optional>
#include <string>

#include "src/base/clock.h"

namespace tracekeeper::domain {

/// Both clocks of this machine, read together.
struct ClockReading {
  Instant wall{};
  MonotonicTime monotonic{};
};

enum class ClockAgreement {
  kUnconfirmed,    // no witness was heard yet
  kAgreed,         // all three
  kCorrected,      // time was behind or ahead and was set
  kWallJumped,     // the wall clock of this machine is wrong
  kWitnessSkewed,  // the witness is
  kNobodyAgrees,
};

class TrustedTime {
 public:
  static constexpr Duration kTolerance = std::chrono::seconds(30);

  /// Before any witness. `floor` is the newest time that was written down by whoever acted last:
  /// a first witness that is earlier than that is taken only if this machine says the same.
  static TrustedTime Unconfirmed(Instant floor);

  /// The time at `reading`; nothing before a witness was heard.
  [[nodiscard]] std::optional<Instant> Now(const ClockReading& reading) const;

  /// What is believed once a witness said `date` at `reading`, both cut or rounded to a second.
  [[nodiscard]] TrustedTime Heard(Instant date, const ClockReading& reading) const;

  [[nodiscard]] ClockAgreement agreement() const { return agreement_; }
  /// The witness minus this machine's wall clock, when it was last heard: for
  /// vault_clock_skew_seconds.
  [[nodiscard]] Duration skew() const { return skew_; }
  /// What is wrong with the clocks and what to do; empty while they agree.
  [[nodiscard]] std::string Warning() const;

 private:
  [[nodiscard]] TrustedTime First(Instant date, const ClockReading& reading) const;
  void Set(Instant time, MonotonicTime at);

  std::optional<Instant> base_;
  MonotonicTime base_at_{};
  Instant floor_{};
  ClockAgreement agreement_ = ClockAgreement::kUnconfirmed;
  Duration skew_{};
};

}  // namespace tracekeeper::domain
