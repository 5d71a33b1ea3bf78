#pragma once
// PlainTrace judges a trace in which nothing is odd, at a small part of what a Judge costs: one
// SERVER root, every parent there, nothing doubled, unfinished, cancelled, excluded or asked about
// but that root. Nearly all traces are so. What it does not take is left to a Judge; what it takes
// it counts as a Judge would, which the tests of the stream compare.
//
//   if (plain.Read(spans, settle_window)) { ...ask plain.question()...; plain.Count(answer); }
//
// Threads:  one thread.
// Owner:    cards and tally outlive it; spans are copied.
// Cost:     no allocation; a few nanoseconds a span.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "src/continuity/question.h"
#include "src/continuity/shape_cards.h"
#include "src/continuity/span.h"
#include "src/continuity/tally.h"

namespace tracekeeper::continuity {

class PlainTrace {
 public:
  static constexpr std::size_t kMaxSpans = 48;

  PlainTrace(const ShapeTable& shapes, ShapeCards& cards, Tally& tally)
      : shapes_(shapes), cards_(cards), tally_(tally) {}

  /// False where it is not plain. `spans`: at most kMaxSpans, of one trace id.
  bool Read(otlp::TraceId id, std::span<const Span> spans, Microseconds settle_window);

  // Of the trace that was read.
  [[nodiscard]] Question question() const;
  void Count(Answer answer);

 private:
  using Index = std::uint32_t;
  static constexpr std::size_t kPlaces = 128;
  static constexpr Index kNone = kMaxSpans;

  struct Node {
    Span span;
    ShapeId shape = 0;
    const ShapeCard* card = nullptr;
    Index parent = kNone;
    bool is_remote = false;
    bool is_paired = false;
    std::uint8_t local_children = 0;
    std::uint8_t entries = 0;  // among its remote children
  };

  bool Place(Index index);
  [[nodiscard]] Index Find(std::uint64_t id) const;
  bool Link(Index index, Microseconds settle_window);
  bool LinkRemote(Node& child, Node& parent);
  static bool LinkLocal(const Node& child, Node& parent, Microseconds settle_window);
  static bool IsRemote(const ShapeCard& child, const ShapeCard& parent);
  [[nodiscard]] bool HangsTogether() const;

  const ShapeTable& shapes_;
  ShapeCards& cards_;
  Tally& tally_;
  otlp::TraceId id_;
  Index size_ = 0;
  Index root_ = kNone;
  std::array<Node, kMaxSpans> nodes_;
  std::array<std::uint8_t, kPlaces> places_{};  // an Index each
};

}  // namespace tracekeeper::continuity
