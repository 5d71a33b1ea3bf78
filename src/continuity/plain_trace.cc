#include "src/continuity/plain_trace.h"

#include <algorithm>
#include <utility>

namespace tracekeeper::continuity {
namespace {

constexpr Microseconds kMaxTraceAge = Microseconds{24} * 3600 * 1'000'000;
/// So many entries that name one parent may repeat a traceparent (3.4).
constexpr std::uint8_t kManyEntries = 4;

std::size_t PlaceOf(std::uint64_t id) { return id * 0x9E3779B97F4A7C15U >> 57U; }

}  // namespace

bool PlainTrace::Read(otlp::TraceId id, std::span<const Span> spans, Microseconds settle_window) {
  if (spans.empty() || spans.size() > kMaxSpans) return false;
  id_ = id;
  size_ = static_cast<Index>(spans.size());
  root_ = kNone;
  places_.fill(kNone);
  Microseconds first = UINT64_MAX;
  Microseconds last = 0;
  for (Index i = 0; i < size_; ++i) {
    Node& node = nodes_[i];
    node = {.span = spans[i], .shape = static_cast<ShapeId>(spans[i].shape)};
    node.card = &cards_.Of(node.shape);
    const bool is_odd =
        node.card->is_special || node.span.is_unfinished() || node.span.is_cut != 0 || !Place(i);
    if (is_odd) return false;
    first = std::min<Microseconds>(first, node.span.start);
    last = std::max<Microseconds>(last, node.span.start);
  }
  if (last - first > kMaxTraceAge) return false;
  for (Index i = 0; i < size_; ++i) {
    if (!Link(i, settle_window)) return false;
  }
  if (root_ == kNone || !HangsTogether()) return false;
  return std::all_of(nodes_.begin(), nodes_.begin() + size_, [](const Node& node) {
    if (!node.card->is_out || node.is_paired) return true;
    return node.card->is_call_excluded && node.local_children == 0;  // else it may be a wrapper
  });
}

/// False where another span has that id.
bool PlainTrace::Place(Index index) {
  const std::uint64_t id = nodes_[index].span.id;
  std::size_t at = PlaceOf(id);
  for (; places_[at] != kNone; at = (at + 1) % kPlaces) {
    if (nodes_[places_[at]].span.id == id) return false;
  }
  places_[at] = static_cast<std::uint8_t>(index);
  return true;
}

PlainTrace::Index PlainTrace::Find(std::uint64_t id) const {
  std::size_t at = PlaceOf(id);
  while (places_[at] != kNone && nodes_[places_[at]].span.id != id) at = (at + 1) % kPlaces;
  return places_[at];
}

bool PlainTrace::Link(Index index, Microseconds settle_window) {
  Node& node = nodes_[index];
  if (node.span.is_root()) {
    const bool is_first = root_ == kNone;
    root_ = index;
    return is_first && node.card->is_server;
  }
  node.parent = Find(node.span.parent);
  if (node.parent == kNone) return false;
  Node& parent = nodes_[node.parent];
  node.is_remote = IsRemote(*node.card, *parent.card);
  return node.is_remote ? LinkRemote(node, parent) : LinkLocal(node, parent, settle_window);
}

/// verdicts.md 3, links to a present parent.
bool PlainTrace::IsRemote(const ShapeCard& child, const ShapeCard& parent) {
  if (child.parent_known) return child.parent_remote;
  if ((child.is_server || child.is_consumer) && parent.is_out) return true;
  if (child.service != parent.service) return true;
  return child.instance != 0 && parent.instance != 0 && child.instance != parent.instance;
}

bool PlainTrace::LinkRemote(Node& child, Node& parent) {
  parent.is_paired = parent.is_paired || parent.card->is_out;
  if (!child.card->is_entry) return true;
  const bool has_lost_tracestate = parent.card->has_ot && !child.card->has_ot;
  return !has_lost_tracestate && ++parent.entries < kManyEntries;
}

bool PlainTrace::LinkLocal(const Node& child, Node& parent, Microseconds settle_window) {
  const ShapeCard& own = *child.card;
  const ShapeCard& above = *parent.card;
  ++parent.local_children;
  if (own.is_consumer && own.has_link) return false;
  if (own.is_server && own.is_local && !above.is_server) return false;
  const Microseconds parent_end = parent.span.end();
  if (child.span.start <= parent_end) return true;
  const bool may_be_stale = own.instance != 0 && own.instance == above.instance &&
                            child.span.start > parent_end + settle_window;
  return !may_be_stale && !above.is_server;
}

/// Every span is below the root: none goes round in a circle.
bool PlainTrace::HangsTogether() const {
  std::array<bool, kMaxSpans> is_below_root{};
  is_below_root[root_] = true;
  for (Index i = 0; i < size_; ++i) {
    Index at = i;
    for (std::size_t steps = 0; !is_below_root[at]; ++steps, at = nodes_[at].parent) {
      if (steps == size_) return false;
    }
    for (at = i; !is_below_root[at]; at = nodes_[at].parent) is_below_root[at] = true;
  }
  return true;
}

Question PlainTrace::question() const {
  const Node& root = nodes_[root_];
  return {.kind = QuestionKind::kServerRoot,
          .where = root.card->service,
          .operation = shapes_.Get(root.shape).operation,
          .first = root.span.start,
          .last = root.span.end(),
          .trace = id_,
          .span_id = root.span.id,
          .own_starts = 0};
}

void PlainTrace::Count(Answer answer) {
  constexpr std::size_t kGood = 0;
  const ShapeCard& root = *nodes_[root_].card;
  auto* seen = &tally_.SeenOf(root.policy);
  NameId seen_policy = root.policy;
  const auto count = [&](UnitCounts& counts, std::size_t code, Family family, NameId policy) {
    counts.CountFirst(code);
    if (std::exchange(seen_policy, policy) != policy) seen = &tally_.SeenOf(policy);
    ++(*seen)[static_cast<std::size_t>(family)];
  };
  double population = 0;
  for (Index i = 0; i < size_; ++i) {
    const Node& node = nodes_[i];
    const ShapeCard& card = *node.card;
    population = std::max(population, card.population);
    if (node.is_remote) {
      const Node& caller = nodes_[node.parent];
      const NameId policy = caller.card->policy != 0 ? caller.card->policy : card.policy;
      count(cards_.HopsBetween(caller.shape, node.shape), kGood, Family::kHop, policy);
    } else if (i != root_) {
      count(*card.steps, kGood, Family::kInProcess, card.policy);
    }
    if (!card.is_out || node.is_paired) continue;
    count(*card.calls, CodeOf(card.call_verdict), Family::kHop, card.policy);
  }
  const Verdict verdict =
      answer == Answer::kYes ? Verdict::Excluded(Reason::kContinued) : Verdict::Good();
  count(*root.requests, CodeOf(verdict), Family::kRequest, root.policy);
  if (population != 0) root.requests->CountPopulation(verdict.outcome, population);
}

}  // namespace tracekeeper::continuity
