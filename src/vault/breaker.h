#pragma once
// Breaker is the circuit breaker of one Vault address. While Vault cannot be asked, it lets one
// caller probe every `probe_period` and refuses all others at once, however many there are.
//
//   closed --failure of class kAfterProbe--> open --a probe is due--> half-open
//   half-open --good probe--> closed         half-open --bad probe--> open
//
// Threads:  none of its own: Endpoint calls it under its lock.
// Failure:  none.
// Limit:    two probes are never closer than `probe_period`, also across openings.

#include <cstdint>
#include <optional>

#include "src/base/clock.h"
#include "src/vault/failure.h"

namespace tracekeeper::vault {

enum class CircuitState : std::uint8_t { kClosed, kHalfOpen, kOpen };

class Breaker {
 public:
  enum class Permission : std::uint8_t { kAsk, kProbe, kRefused };
  struct Decision {
    Permission permission = Permission::kAsk;
    /// kRefused: what opened the circuit, and when the next probe may be.
    Failure failure = Failure::kUnavailable;
    Duration wait{};
    /// Handed back with the outcome of a call.
    std::uint64_t period = 0;
  };

  explicit Breaker(Duration probe_period) : probe_period_(probe_period) {}

  /// What a caller may do now. Who gets kProbe must report with ProbeEnded().
  Decision Ask(MonotonicTime now);
  /// A call that Ask() allowed in `period` met a failure of class kAfterProbe. What began before
  /// the circuit last closed says nothing about now.
  void CallFailed(Failure failure, std::uint64_t period);
  /// nullopt: the probe was good.
  void ProbeEnded(std::optional<Failure> failure);
  /// The prober was stopped before it knew.
  void ProbeGivenUp();

  /// Somebody asked for health beside the probes. Counts as one.
  void Learn(std::optional<Failure> failure, MonotonicTime now);

  [[nodiscard]] CircuitState state() const { return state_; }

 private:
  const Duration probe_period_;
  CircuitState state_ = CircuitState::kClosed;
  Failure failure_ = Failure::kUnavailable;
  std::uint64_t period_ = 0;
  std::optional<MonotonicTime> last_probe_;
};

}  // namespace tracekeeper::vault
