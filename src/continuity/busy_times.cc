#include "src/continuity/busy_times.h"

#include <algorithm>

namespace tracekeeper::continuity {

void BusyTimes::Add(Microseconds start, Microseconds end) {
  AddStart(start);
  const bool meets_last = !open_.empty() && start <= open_.back().end && end >= open_.back().start;
  if (!meets_last) {
    open_.push_back({start, end});
    return;
  }
  // Of a busy instance nearly all do.
  open_.back() = {std::min(start, open_.back().start), std::max(end, open_.back().end)};
  settled_open_ = std::min(settled_open_, open_.size() - 1);
}

void BusyTimes::Settle() {
  SettleStarts();
  SettleOpen();
}

void BusyTimes::SettleStarts() {
  const auto added = starts_.begin() + static_cast<std::ptrdiff_t>(settled_starts_);
  if (added == starts_.end()) return;
  std::sort(added, starts_.end());
  const auto first = std::upper_bound(starts_.begin(), added, *added);
  std::inplace_merge(first, added, starts_.end());
  settled_starts_ = starts_.size();
}

void BusyTimes::SettleOpen() {
  const auto added = open_.begin() + static_cast<std::ptrdiff_t>(settled_open_);
  if (added == open_.end()) return;
  const auto starts_first = [](const Interval& left, const Interval& right) {
    return left.start < right.start;
  };
  std::sort(added, open_.end(), starts_first);
  auto kept = std::upper_bound(open_.begin(), added, *added, starts_first);
  std::inplace_merge(kept, added, open_.end(), starts_first);
  // The one before may reach into what was added.
  if (kept != open_.begin()) --kept;
  for (auto next = kept + 1; next != open_.end(); ++next) {
    if (next->start <= kept->end) {
      kept->end = std::max(kept->end, next->end);
    } else {
      *++kept = *next;
    }
  }
  open_.erase(kept + 1, open_.end());
  settled_open_ = open_.size();
}

void BusyTimes::Forget(Microseconds time) {
  starts_.erase(starts_.begin(), std::ranges::lower_bound(starts_, time));
  settled_starts_ = starts_.size();
  open_.erase(open_.begin(), std::ranges::lower_bound(open_, time, {}, &Interval::end));
  settled_open_ = open_.size();
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

Microseconds BusyTimes::BusyTime() const {
  Microseconds sum = 0;
  for (const Interval& interval : open_) sum += interval.end - interval.start;
  return sum;
}

}  // namespace tracekeeper::continuity
