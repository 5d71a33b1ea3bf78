#pragma once
// TraceTree is one trace put in order: repeats dropped, spans of one id together, each span's
// parent found, pieces told apart. It judges nothing; the profile is learned from trees and
// verdicts are made of them.
//
// Everything in it depends on the set of spans alone, never on the order they came in.
//
// Threads:  one thread; made for one trace at a time and reused, so that its memory is too.
// Owner:    the spans are copied; shapes and names must outlive it.
// Cost:     n log n in the spans of the trace.
// Source:   docs/reference/verdicts.md, section 3.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "src/continuity/shape.h"
#include "src/continuity/span.h"
#include "src/otlp/trace_id.h"

namespace tracekeeper::continuity {

/// How a span hangs together with what its parent id names.
enum class LinkKind : std::uint8_t {
  kNone,       // a span without kind that stands beside the halves of a call: it counts nowhere
  kRoot,       // no parent id
  kAbsent,     // the parent is not there
  kRemote,     // it is, in another process
  kLocal,      // it is, in the same process
  kTruncated,  // it is, and came under the long form of the id, while this came under the short one
};

using SpanIndex = std::uint32_t;

struct Link {
  LinkKind kind = LinkKind::kNone;
  SpanIndex parent = 0;  // where it is there
  std::uint32_t piece = 0;
};

class TraceTree {
 public:
  TraceTree(const ShapeTable& shapes, const Names& names) : shapes_(shapes), names_(names) {}

  /// `spans` in any order, repeats among them.
  void Build(otlp::TraceId id, std::span<const Span> spans);

  [[nodiscard]] otlp::TraceId id() const { return id_; }
  /// Sorted by id, then start.
  [[nodiscard]] std::span<const Span> spans() const { return spans_; }
  [[nodiscard]] const Span& span(SpanIndex index) const { return spans_[index]; }
  [[nodiscard]] const Shape& shape(SpanIndex index) const {
    return shapes_.Get(static_cast<ShapeId>(spans_[index].shape));
  }
  [[nodiscard]] const Link& link(SpanIndex index) const { return links_[index]; }
  [[nodiscard]] std::size_t repeats() const { return repeats_; }
  [[nodiscard]] std::size_t pieces() const { return pieces_; }
  /// The first span of each id that different spans carry which are not the halves of one call.
  [[nodiscard]] std::span<const SpanIndex> collisions() const { return collisions_; }

  /// The trace id that a span was sent with: the short form, where it came under that.
  [[nodiscard]] otlp::TraceId IdAsSent(SpanIndex index) const {
    return spans_[index].is_cut != 0 ? otlp::TraceId{0, id_.low} : id_;
  }

  /// True where one is the other, sent again (verdicts.md, 3).
  [[nodiscard]] bool IsRepeat(const Span& left, const Span& right) const;
  /// True where `left` starts first, then by id: the order in which breaks are told.
  [[nodiscard]] bool StartsBefore(SpanIndex left, SpanIndex right) const;

 private:
  struct Node {
    SpanIndex first = 0;
    SpanIndex last = 0;
    bool is_shared = false;
    SpanIndex out = 0;  // where it is shared and has one; else `last`
  };

  bool ComesBefore(const Span& left, const Span& right) const;
  void FindNodes();
  [[nodiscard]] Node NodeAt(SpanIndex first, SpanIndex last) const;
  [[nodiscard]] const Node* FindNode(std::uint64_t id) const;
  void FindLinks();
  [[nodiscard]] Link LinkOf(const Node& node, SpanIndex index) const;
  [[nodiscard]] SpanIndex ParentIn(const Node& node, const Shape& child) const;
  [[nodiscard]] LinkKind KindOfLink(SpanIndex child, SpanIndex parent) const;
  void FindPieces();
  std::uint32_t PieceOf(SpanIndex index);

  const ShapeTable& shapes_;
  const Names& names_;
  otlp::TraceId id_;
  std::vector<Span> spans_;
  std::vector<Link> links_;
  std::vector<Node> nodes_;
  std::vector<SpanIndex> collisions_;
  std::vector<std::uint32_t> heads_;  // of the union of pieces
  std::vector<std::pair<std::uint64_t, SpanIndex>> absent_;
  std::size_t repeats_ = 0;
  std::size_t pieces_ = 0;
};

}  // namespace tracekeeper::continuity
