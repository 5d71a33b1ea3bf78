#pragma once
// ArrivalLags measure how unevenly the spans of each instance arrive after they end: as long apart
// may the parts of one trace arrive.
//
//   lags.Add(instance, ticks); ...; lags.Spread();
//
// An instance whose clock is wrong has wrong lags, all by the same: only their spread counts.
//
// Threads:  one thread.
// Cost:     2.4 KB an instance, of the first kMostInstances that come.
// Source:   docs/reference/verdicts.md, section 5.

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "src/continuity/names.h"
#include "src/continuity/span_table.h"

namespace tracekeeper::continuity {

/// Of a span: arrival - end, in tenths of a second.
struct ArrivalLag {
  NameId instance = 0;
  std::int32_t ticks = 0;
};

class ArrivalLags {
 public:
  static constexpr std::size_t kMostInstances = 1024;
  /// A larger spread counts as this.
  static constexpr std::int32_t kMostTicks = 600;
  /// An instance of which fewer came says nothing.
  static constexpr std::uint32_t kEnough = 100;

  void Add(const ArrivalLag& lag);
  /// The largest of all instances: from what 1 of 100 stay below to what 1 of 1000 exceed. 0 where
  /// nothing is known.
  [[nodiscard]] Tick Spread() const;
  void Clear() { instances_.clear(); }

 private:
  /// Its first lag stands in the middle.
  struct Lags {
    std::int32_t first = 0;
    std::uint32_t seen = 0;
    std::array<std::uint16_t, 2 * kMostTicks + 1> counts{};
  };

  static Tick SpreadOf(const Lags& lags);

  std::unordered_map<NameId, Lags> instances_;
};

}  // namespace tracekeeper::continuity
