#include "src/continuity/arrival_lags.h"

#include <algorithm>
#include <limits>

namespace tracekeeper::continuity {

void ArrivalLags::Add(const ArrivalLag& lag) {
  auto found = instances_.find(lag.instance);
  if (found == instances_.end()) {
    if (instances_.size() == kMostInstances) return;
    found = instances_.emplace(lag.instance, Lags{.first = lag.ticks, .counts = {}}).first;
  }
  Lags& lags = found->second;
  const std::int64_t distance = std::int64_t{lag.ticks} - lags.first;
  const auto place = std::clamp<std::int64_t>(distance, -kMostTicks, kMostTicks) + kMostTicks;
  std::uint16_t& count = lags.counts[static_cast<std::size_t>(place)];
  if (count == std::numeric_limits<std::uint16_t>::max()) return;
  ++count;
  ++lags.seen;
}

Tick ArrivalLags::Spread() const {
  Tick most = 0;
  for (const auto& [instance, lags] : instances_) most = std::max(most, SpreadOf(lags));
  return most;
}

Tick ArrivalLags::SpreadOf(const Lags& lags) {
  if (lags.seen < kEnough) return 0;
  const std::uint32_t low_rank = lags.seen / 100 + 1;
  const std::uint32_t high_rank = lags.seen - lags.seen / 1000;
  std::uint32_t before = 0;
  std::size_t low = 0;
  std::size_t high = 0;
  for (std::size_t place = 0; place < lags.counts.size(); ++place) {
    const std::uint32_t until = before + lags.counts[place];
    if (before < low_rank && low_rank <= until) low = place;
    if (before < high_rank && high_rank <= until) high = place;
    before = until;
  }
  return std::min<Tick>(static_cast<Tick>(high - low), kMostTicks);
}

}  // namespace tracekeeper::continuity
