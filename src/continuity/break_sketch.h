#pragma once
// BreakSketch counts breaks by where they show, in fixed room: what breaks most is there, with a
// few spans to look at.
//
// It is a space-saving sketch that takes back too: each entry says how far its count may be over
// the truth, and `floor` says how often what is not there may have been counted.
//
//   net() - error <= true net count <= net()
//
// Two of them are added with their errors; the room stays.
//
// Threads:  one thread counts; a copy may be read by others.
// Cost:     Count looks through the room, a few hundred words, and allocates nothing once it is
//           full.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

#include "src/continuity/cause.h"
#include "src/continuity/names.h"
#include "src/continuity/span.h"
#include "src/otlp/trace_id.h"

namespace tracekeeper::continuity {

/// A span that stands for others like it.
struct SpanReference {
  otlp::TraceId trace;
  std::uint64_t span = 0;
  Microseconds time = 0;  // it starts; 0: not known

  bool operator==(const SpanReference&) const = default;
  std::strong_ordering operator<=>(const SpanReference& other) const {
    return std::tie(time, trace.high, trace.low, span) <=>
           std::tie(other.time, other.trace.high, other.trace.low, other.span);
  }
};

/// What breaks are told apart by.
struct BreakKey {
  Cause cause = Cause::kUnknownCause;
  NameId policy = 0;
  NameId service = 0;
  NameId peer = 0;  // of a hop: the side that did not record the span
  NameId scope = 0;
  NameId span_name = 0;

  auto operator<=>(const BreakKey&) const = default;
};

struct CountedBreak {
  BreakKey key;
  SpanReference shown_at;

  auto operator<=>(const CountedBreak&) const = default;
};

class BreakSketch {
 public:
  static constexpr std::size_t kRoom = 256;
  static constexpr std::size_t kExamples = 3;

  struct Entry {
    BreakKey key;
    std::uint64_t counted = 0;
    std::uint64_t withdrawn = 0;
    std::uint64_t error = 0;
    std::array<SpanReference, kExamples> examples;  // latest first; time and trace 0: none

    [[nodiscard]] std::int64_t net() const {
      return static_cast<std::int64_t>(counted) - static_cast<std::int64_t>(withdrawn);
    }
  };

  explicit BreakSketch(std::size_t room = kRoom) : room_(room) {}

  void Count(const CountedBreak& counted);
  /// One that was counted is none any more.
  void Withdraw(const CountedBreak& counted);
  void Add(const BreakSketch& other);

  /// In no order.
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  /// What has no entry was counted at most so often.
  [[nodiscard]] std::uint64_t floor() const { return floor_; }

 private:
  static std::uint64_t HashOf(const BreakKey& key);
  [[nodiscard]] Entry* Find(const BreakKey& key);
  void ShrinkToRoom();

  std::size_t room_;
  std::vector<Entry> entries_;
  std::vector<std::uint64_t> hashes_;  // of their keys
  std::uint64_t floor_ = 0;
};

}  // namespace tracekeeper::continuity
