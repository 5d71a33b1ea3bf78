#include "src/vault/breaker.h"

#include <algorithm>

namespace tracekeeper::vault {

Breaker::Decision Breaker::Ask(MonotonicTime now) {
  if (state_ == CircuitState::kClosed) return {.permission = Permission::kAsk, .period = period_};
  const MonotonicTime due = last_probe_ ? *last_probe_ + probe_period_ : now;
  if (state_ == CircuitState::kOpen && now >= due) {
    state_ = CircuitState::kHalfOpen;
    last_probe_ = now;
    return {.permission = Permission::kProbe, .failure = failure_, .period = period_};
  }
  const Duration wait = std::max<Duration>(due - now, Duration::zero());
  return {.permission = Permission::kRefused, .failure = failure_, .wait = wait, .period = period_};
}

void Breaker::CallFailed(Failure failure, std::uint64_t period) {
  if (period != period_ || state_ != CircuitState::kClosed) return;
  state_ = CircuitState::kOpen;
  failure_ = failure;
}

void Breaker::ProbeEnded(std::optional<Failure> failure) {
  if (!failure) {
    state_ = CircuitState::kClosed;
    ++period_;
    return;
  }
  state_ = CircuitState::kOpen;
  failure_ = *failure;
}

void Breaker::Learn(std::optional<Failure> failure, MonotonicTime now) {
  last_probe_ = now;
  if (state_ == CircuitState::kHalfOpen) return;  // who probes will report
  if (failure) {
    CallFailed(*failure, period_);
  } else if (state_ == CircuitState::kOpen) {
    ProbeEnded(std::nullopt);
  }
}

void Breaker::ProbeGivenUp() { state_ = CircuitState::kOpen; }

}  // namespace tracekeeper::vault
