#include "src/continuity/busy_times.h"

#include <algorithm>

namespace tracekeeper::continuity {

void BusyTimes::Add(Microseconds start, Microseconds end) {
  AddStart(start);
  open_.push_back({start, end});
}

void BusyTimes::Settle() {
  std::ranges::sort(starts_);
  std::ranges::sort(open_, {}, &Interval::start);
  std::size_t kept = 0;
  for (const Interval& next : open_) {
    if (kept > 0 && next.start <= open_[kept - 1].end) {
      open_[kept - 1].end = std::max(open_[kept - 1].end, next.end);
    } else {
      open_[kept++] = next;
    }
  }
  open_.resize(kept);
}

bool BusyTimes::Covers(Microseconds time) const {
  const auto after = std::ranges::upper_bound(open_, time, {}, &Interval::start);
  return after != open_.begin() && time <= std::prev(after)->end;
}

std::size_t BusyTimes::StartsBetween(Microseconds first, Microseconds last) const {
  const auto begin = std::ranges::upper_bound(starts_, first);
  const auto end = std::ranges::lower_bound(starts_, last);
  return begin < end ? static_cast<std::size_t>(end - begin) : 0;
}

bool BusyTimes::StartsWithin(Microseconds first, Microseconds last) const {
  const auto begin = std::ranges::lower_bound(starts_, first);
  return begin != starts_.end() && *begin <= last;
}

Microseconds BusyTimes::BusyTime() const {
  Microseconds sum = 0;
  for (const Interval& interval : open_) sum += interval.end - interval.start;
  return sum;
}

}  // namespace tracekeeper::continuity
