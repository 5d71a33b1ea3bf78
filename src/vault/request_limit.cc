#include "src/vault/request_limit.h"

#include <algorithm>

namespace tracekeeper::vault {
namespace {
using Seconds = std::chrono::duration<double>;
}  // namespace

RequestLimit::Turn RequestLimit::Take(MonotonicTime now, Duration longest) {
  const Duration pause = std::max<Duration>(pause_until_ - now, Duration::zero());
  if (per_second_ <= 0) return {.wait = pause, .is_kept = pause <= longest};
  if (!filled_at_) tokens_ = burst_;
  const double passed = filled_at_ ? Seconds(now - *filled_at_).count() : 0;
  tokens_ = std::min(burst_, tokens_ + passed * per_second_);
  filled_at_ = now;
  const double missing = std::max(0.0, 1.0 - tokens_);
  const auto turn = std::chrono::ceil<Duration>(Seconds(missing / per_second_));
  const Duration wait = std::max(pause, turn);
  if (wait > longest) return {.wait = wait, .is_kept = false};
  tokens_ -= 1;
  return {.wait = wait, .is_kept = true};
}

void RequestLimit::PauseUntil(MonotonicTime until) { pause_until_ = std::max(pause_until_, until); }

}  // namespace tracekeeper::vault
