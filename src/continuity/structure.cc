#include "src/continuity/structure.h"

#include <algorithm>
#include <tuple>
#include <vector>

namespace tracekeeper::continuity {
namespace {

using otlp::SpanKind;

auto KeyOf(const SpanRow& row) {
  return std::tie(row.trace.high, row.trace.low, row.id, row.kind, row.service, row.parent,
                  row.start, row.end, row.name);
}

bool IsOutgoing(SpanKind kind) { return kind == SpanKind::kClient || kind == SpanKind::kProducer; }

/// The spans of one trace, sorted by id.
class Trace {
 public:
  Trace(std::span<const SpanRow> spans, Structure& counts) : spans_(spans), counts_(counts) {}

  void Count() {
    ++counts_.traces;
    counts_.spans += spans_.size();
    counts_.ids_64bit += spans_.front().trace.high == 0 ? 1 : 0;
    counts_.single_span += spans_.size() == 1 ? 1 : 0;
    CountIds();
    std::uint64_t roots = 0;
    for (const SpanRow& span : spans_) {
      if (span.parent != 0) parents_.push_back(span.parent);
      roots += CountPlace(span);
    }
    std::ranges::sort(parents_);
    CountLeaves();
    CountPieces(roots);
  }

 private:
  [[nodiscard]] std::span<const SpanRow> WithId(std::uint64_t id) const {
    const auto [first, last] = std::ranges::equal_range(spans_, id, {}, &SpanRow::id);
    return {first, last};
  }

  void CountIds() {
    for (std::size_t i = 0; i < spans_.size();) {
      const auto same = WithId(spans_[i].id);
      const auto count = [&](SpanKind kind) {
        return std::ranges::count(same, kind, &SpanRow::kind);
      };
      const bool is_shared =
          same.size() == 2 && count(SpanKind::kClient) == 1 && count(SpanKind::kServer) == 1;
      counts_.id_shared_rpc += is_shared ? 1 : 0;
      counts_.id_collision += same.size() > 1 && !is_shared ? 1 : 0;
      i += same.size();
    }
  }

  /// 1 for a root.
  std::uint64_t CountPlace(const SpanRow& span) {
    const auto kind = static_cast<std::size_t>(span.kind);
    if (span.parent == 0) {
      ++counts_.roots;
      ++counts_.root_kinds[kind];
      return 1;
    }
    const auto parents = WithId(span.parent);
    if (parents.empty()) {
      ++counts_.orphans;
      ++counts_.orphan_kinds[kind];
      missing_.push_back(span.parent);
      return 0;
    }
    CountEdge(span, ParentOf(span, parents));
    return 0;
  }

  /// Of two halves with one id, a child belongs to the one of its own service, else to the CLIENT.
  static const SpanRow& ParentOf(const SpanRow& child, std::span<const SpanRow> parents) {
    const auto own = std::ranges::find(parents, child.service, &SpanRow::service);
    if (own != parents.end()) return *own;
    const auto client = std::ranges::find(parents, SpanKind::kClient, &SpanRow::kind);
    return client != parents.end() ? *client : parents.front();
  }

  void CountEdge(const SpanRow& child, const SpanRow& parent) {
    counts_.edges_cross_service += child.service != parent.service ? 1 : 0;
    counts_.t_before += child.start < parent.start ? 1 : 0;
    counts_.t_after += child.start > parent.end ? 1 : 0;
    counts_.t_over += child.end > parent.end ? 1 : 0;
  }

  void CountLeaves() {
    for (const SpanRow& span : spans_) {
      if (!IsOutgoing(span.kind)) continue;
      ++counts_.out_spans;
      const bool has_server = std::ranges::find(WithId(span.id), SpanKind::kServer,
                                                &SpanRow::kind) != WithId(span.id).end();
      const bool has_child = std::ranges::binary_search(parents_, span.id);
      counts_.out_leaf += has_server || has_child ? 0 : 1;
    }
  }

  void CountPieces(std::uint64_t roots) {
    std::ranges::sort(missing_);
    const auto repeated = std::ranges::unique(missing_);
    missing_.erase(repeated.begin(), repeated.end());
    counts_.missing_parents += missing_.size();
    counts_.missing_root_ids +=
        static_cast<std::uint64_t>(std::ranges::binary_search(missing_, spans_.front().trace.low));
    counts_.fragments += roots + missing_.size();
    counts_.complete += roots == 1 && missing_.empty() ? 1 : 0;
    counts_.rootless += roots == 0 ? 1 : 0;
    counts_.multiroot += roots > 1 ? 1 : 0;
  }

  std::span<const SpanRow> spans_;
  Structure& counts_;
  std::vector<std::uint64_t> parents_;
  std::vector<std::uint64_t> missing_;
};

}  // namespace

Structure CountStructure(std::span<SpanRow> rows) {
  Structure counts;
  counts.rows = rows.size();
  std::ranges::sort(rows, {}, KeyOf);
  const auto repeated = std::ranges::unique(rows);
  counts.repeats = repeated.size();
  const std::span<const SpanRow> spans = rows.first(rows.size() - repeated.size());
  for (std::size_t first = 0; first < spans.size();) {
    std::size_t last = first;
    while (last < spans.size() && spans[last].trace == spans[first].trace) ++last;
    Trace(spans.subspan(first, last - first), counts).Count();
    first = last;
  }
  return counts;
}

std::string_view NameOf(otlp::SpanKind kind) {
  constexpr std::array<std::string_view, kSpanKinds> kNames = {"UNSPEC", "INTERNAL", "SERVER",
                                                               "CLIENT", "PRODUCER", "CONSUMER"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace tracekeeper::continuity
