#pragma once
// BusyTimes are the entry spans of one instance as intervals: was a request open at that moment,
// and how many began between two.
//
//   busy.Add(start, end); ...; busy.Settle(); busy.Covers(time);
//   busy.Add(start, end); ...; busy.Settle(); ...
//
// Threads:  one thread adds; between a Settle and the next Add any number may ask.
// Cost:     Settle sorts what was added since the last one and merges it in; where that is newer
//           than nearly all before, as in a stream, it leaves the older alone. A question log n.

#include <cstddef>
#include <vector>

#include "src/continuity/span.h"

namespace tracekeeper::continuity {

class BusyTimes {
 public:
  /// An entry span that is not ended covers nothing: give it to AddStart.
  void Add(Microseconds start, Microseconds end);
  void AddStart(Microseconds start) { starts_.push_back(start); }
  /// After the last Add and before the first question.
  void Settle();
  /// What began, and what ended, before `time`; only once settled.
  void Forget(Microseconds time);

  /// start <= time <= end for one of them.
  [[nodiscard]] bool Covers(Microseconds time) const;
  /// first < start < last.
  [[nodiscard]] std::size_t StartsBetween(Microseconds first, Microseconds last) const;
  /// The length of their union.
  [[nodiscard]] Microseconds BusyTime() const;
  /// Spans that it was given and has not forgotten.
  [[nodiscard]] std::size_t size() const { return starts_.size(); }
  [[nodiscard]] bool is_empty() const { return starts_.empty() && open_.empty(); }

 private:
  struct Interval {
    Microseconds start = 0;
    Microseconds end = 0;
  };

  void SettleStarts();
  void SettleOpen();

  std::vector<Interval> open_;  // disjoint and sorted, up to settled_open_
  std::vector<Microseconds> starts_;
  std::size_t settled_open_ = 0;
  std::size_t settled_starts_ = 0;
};

}  // namespace tracekeeper::continuity
