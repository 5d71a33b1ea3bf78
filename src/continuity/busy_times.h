#pragma once
// BusyTimes are the entry spans of one instance, or of one service, as intervals: was a request
// open at that moment, and how many began between two.
//
//   busy.Add(start, end); ...; busy.Settle(); busy.Covers(time);
//
// Threads:  one thread adds; after Settle any number may ask.
// Cost:     Settle n log n, a question log n.

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

  /// start <= time <= end for one of them.
  [[nodiscard]] bool Covers(Microseconds time) const;
  /// first < start < last.
  [[nodiscard]] std::size_t StartsBetween(Microseconds first, Microseconds last) const;
  /// first <= start <= last for one of them.
  [[nodiscard]] bool StartsWithin(Microseconds first, Microseconds last) const;
  /// The length of their union.
  [[nodiscard]] Microseconds BusyTime() const;

 private:
  struct Interval {
    Microseconds start = 0;
    Microseconds end = 0;
  };

  std::vector<Interval> open_;  // disjoint and sorted once settled
  std::vector<Microseconds> starts_;
};

}  // namespace tracekeeper::continuity
