#include "src/continuity/trace_tree.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace tracekeeper::continuity {

void TraceTree::Build(otlp::TraceId id, std::span<const Span> spans) {
  id_ = id;
  spans_.assign(spans.begin(), spans.end());
  std::ranges::sort(
      spans_, [this](const Span& left, const Span& right) { return ComesBefore(left, right); });
  const auto repeated = std::ranges::unique(
      spans_, [this](const Span& left, const Span& right) { return IsRepeat(left, right); });
  repeats_ = repeated.size();
  spans_.erase(repeated.begin(), repeated.end());
  FindNodes();
  FindLinks();
  FindPieces();
}

bool TraceTree::StartsBefore(SpanIndex left, SpanIndex right) const {
  const auto key = [this](SpanIndex index) {
    const Microseconds start = spans_[index].start;
    return std::tuple(start, spans_[index].id, index);
  };
  return key(left) < key(right);
}

/// By id, start and service; then by whatever tells two spans apart, so that equal sets of spans
/// come out in one order. Numbers of names depend on arrival, so texts are compared: few spans
/// share id and start.
bool TraceTree::ComesBefore(const Span& left, const Span& right) const {
  if (left.id != right.id) return left.id < right.id;
  if (left.start != right.start) return left.start < right.start;
  if (left == right) return false;
  const Shape& a = shapes_.Get(static_cast<ShapeId>(left.shape));
  const Shape& b = shapes_.Get(static_cast<ShapeId>(right.shape));
  const auto key = [this](const Span& span, const Shape& shape) {
    const std::uint64_t duration = span.duration;
    const std::uint64_t is_cut = span.is_cut;
    return std::tuple(
        names_.Text(shape.service), shape.kind, span.parent, duration, names_.Text(shape.name),
        is_cut, names_.Text(shape.instance), names_.Text(shape.scope), shape.facts.flags_known,
        shape.facts.parent_known, shape.facts.parent_remote, shape.facts.sampled, shape.facts.error,
        names_.Text(shape.peer), names_.Text(shape.address), names_.Text(shape.operation));
  };
  return key(left, a) < key(right, b);
}

bool TraceTree::IsRepeat(const Span& left, const Span& right) const {
  if (left.id != right.id || left.start != right.start || left.parent != right.parent ||
      left.duration != right.duration || left.is_cut != right.is_cut) {
    return false;
  }
  if (left.shape == right.shape) return true;
  const Shape& a = shapes_.Get(static_cast<ShapeId>(left.shape));
  const Shape& b = shapes_.Get(static_cast<ShapeId>(right.shape));
  return a.service == b.service && a.name == b.name && a.kind == b.kind;
}

void TraceTree::FindNodes() {
  nodes_.clear();
  collisions_.clear();
  for (SpanIndex first = 0; first < spans_.size();) {
    SpanIndex last = first + 1;
    while (last < spans_.size() && spans_[last].id == spans_[first].id) ++last;
    nodes_.push_back(NodeAt(first, last));
    const bool is_collision = last - first > 1 && !nodes_.back().is_shared;
    if (is_collision) collisions_.push_back(first);
    first = last;
  }
}

TraceTree::Node TraceTree::NodeAt(SpanIndex first, SpanIndex last) const {
  Node node{.first = first, .last = last, .is_shared = false, .out = last};
  if (last - first == 1) return node;
  std::size_t outs = 0;
  std::size_t served = 0;
  std::size_t internal = 0;
  for (SpanIndex i = first; i < last; ++i) {
    const Shape& its = shape(i);
    internal += its.kind == otlp::SpanKind::kInternal ? 1 : 0;
    served += its.is_served() ? 1 : 0;
    if (!its.is_out()) continue;
    ++outs;
    node.out = i;
  }
  node.is_shared = internal == 0 && (outs == 1 || (outs == 0 && served == 1));
  if (!node.is_shared) node.out = last;
  return node;
}

const TraceTree::Node* TraceTree::FindNode(std::uint64_t id) const {
  const auto found = std::ranges::lower_bound(
      nodes_, id, {}, [this](const Node& node) { return spans_[node.first].id; });
  return found != nodes_.end() && spans_[found->first].id == id ? &*found : nullptr;
}

void TraceTree::FindLinks() {
  links_.resize(spans_.size());
  for (const Node& node : nodes_) {
    for (SpanIndex i = node.first; i < node.last; ++i) links_[i] = LinkOf(node, i);
  }
}

Link TraceTree::LinkOf(const Node& node, SpanIndex index) const {
  const Shape& its = shape(index);
  if (node.is_shared) {
    if (its.kind == otlp::SpanKind::kUnspecified) return {};
    if (its.is_served() && node.out != node.last) {
      return {.kind = LinkKind::kRemote, .parent = node.out};
    }
  }
  if (spans_[index].is_root()) return {.kind = LinkKind::kRoot};
  const Node* const named = FindNode(spans_[index].parent);
  if (named == nullptr) return {.kind = LinkKind::kAbsent};
  const SpanIndex parent = ParentIn(*named, its);
  return {.kind = KindOfLink(index, parent), .parent = parent};
}

/// Of several spans with the id, a child belongs to the one of its own service, the serving half
/// before the calling one; else to the serving half.
SpanIndex TraceTree::ParentIn(const Node& node, const Shape& child) const {
  const auto find = [&](auto fits) {
    SpanIndex i = node.first;
    while (i < node.last && !fits(shape(i))) ++i;
    return i;
  };
  const auto is_own = [&child](const Shape& its) { return its.service == child.service; };
  SpanIndex found = find([&](const Shape& its) { return is_own(its) && its.is_served(); });
  if (found == node.last) found = find(is_own);
  if (found == node.last) found = find([](const Shape& its) { return its.is_served(); });
  return found == node.last ? node.first : found;
}

LinkKind TraceTree::KindOfLink(SpanIndex child, SpanIndex parent) const {
  if (spans_[child].is_cut != 0 && spans_[parent].is_cut == 0) return LinkKind::kTruncated;
  const Shape& own = shape(child);
  const Shape& other = shape(parent);
  const auto kind = [](bool is_remote) { return is_remote ? LinkKind::kRemote : LinkKind::kLocal; };
  if (own.facts.parent_known) return kind(own.facts.parent_remote);
  if (own.is_served() && other.is_out()) return LinkKind::kRemote;
  if (own.service != other.service) return LinkKind::kRemote;
  return kind(own.instance != 0 && other.instance != 0 && own.instance != other.instance);
}

std::uint32_t TraceTree::PieceOf(SpanIndex index) {
  while (heads_[index] != index) index = heads_[index] = heads_[heads_[index]];
  return index;
}

void TraceTree::FindPieces() {
  heads_.resize(spans_.size());
  std::iota(heads_.begin(), heads_.end(), 0);
  absent_.clear();
  for (SpanIndex i = 0; i < spans_.size(); ++i) {
    const Link& its = links_[i];
    if (its.kind == LinkKind::kRemote || its.kind == LinkKind::kLocal) {
      heads_[PieceOf(i)] = PieceOf(its.parent);
    }
    if (its.kind == LinkKind::kAbsent) absent_.emplace_back(spans_[i].parent, i);
  }
  std::ranges::sort(absent_);
  for (std::size_t i = 1; i < absent_.size(); ++i) {
    if (absent_[i].first != absent_[i - 1].first) continue;
    heads_[PieceOf(absent_[i].second)] = PieceOf(absent_[i - 1].second);
  }
  pieces_ = 0;
  for (SpanIndex i = 0; i < spans_.size(); ++i) {
    links_[i].piece = PieceOf(i);
    pieces_ += links_[i].piece == i && links_[i].kind != LinkKind::kNone ? 1 : 0;
  }
}

}  // namespace tracekeeper::continuity
