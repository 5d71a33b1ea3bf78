#pragma once
// Span is what the engine keeps of a span: 32 bytes, its shape by number.
//
// Threads:  a value.

#include <array>
#include <bit>
#include <cstdint>

#include "src/continuity/copy_words.h"
#include "src/continuity/shape.h"

namespace tracekeeper::continuity {

/// Microseconds, since 1970 or as a distance.
using Microseconds = std::uint64_t;

inline constexpr unsigned kStartBits = 56;  // until the year 4253; OTLP's nanoseconds end in 2554
inline constexpr unsigned kDurationBits = 40;
/// 12.7 days; a longer span counts as that long.
inline constexpr Microseconds kMaxDuration = (Microseconds{1} << kDurationBits) - 2;
/// In place of a duration: the span has no end, or ends before it starts.
inline constexpr Microseconds kUnfinishedDuration = kMaxDuration + 1;

struct Span {
  std::uint64_t id = 0;
  std::uint64_t parent = 0;  // 0: none
  std::uint64_t start : kStartBits = 0;
  std::uint64_t is_cut : 8 = 0;  // came under the short form of its trace's id
  std::uint64_t duration : kDurationBits = 0;
  std::uint64_t shape : 24 = 0;

  [[nodiscard]] bool is_unfinished() const { return duration == kUnfinishedDuration; }
  /// An unfinished span ends where it starts.
  [[nodiscard]] Microseconds end() const { return is_unfinished() ? start : start + duration; }
  [[nodiscard]] bool is_root() const { return parent == 0 || parent == id; }

  /// From what a record says; any two numbers will do.
  static Microseconds DurationOf(std::uint64_t start_nanoseconds, std::uint64_t end_nanoseconds) {
    if (end_nanoseconds == 0 || end_nanoseconds < start_nanoseconds) return kUnfinishedDuration;
    const Microseconds length = end_nanoseconds / 1000 - start_nanoseconds / 1000;
    return length < kMaxDuration ? length : kMaxDuration;
  }
  /// All but is_cut, which is 0 then: whole words, so that a copy by words need not wait.
  void Set(const std::array<std::uint64_t, 2>& id_and_parent, Microseconds its_start,
           Microseconds its_duration, ShapeId its_shape) {
    static_assert(std::endian::native == std::endian::little, "the first field lies lowest");
    CopyWords(std::array{id_and_parent[0], id_and_parent[1], its_start,
                         its_duration | std::uint64_t{its_shape} << kDurationBits},
              *this);
  }

  bool operator==(const Span&) const = default;
};

static_assert(sizeof(Span) == 32, "the memory of an engine is counted in these");

}  // namespace tracekeeper::continuity
