// Spans whose parent is not there (verdicts.md 3.2), and entries that repeat a traceparent (3.4).

#include <algorithm>
#include <map>
#include <tuple>

#include "src/continuity/trace_context.h"

namespace tracekeeper::continuity {
namespace {

/// What is known of where an orphan came from (3.2, 5).
std::optional<Verdict> JudgeSampling(const TraceContext& context, SpanIndex orphan) {
  const Shape& shape = context.tree.shape(orphan);
  const NameId caller = context.profile.UsualCallerOf(shape);
  if (!shape.is_entry() || caller == 0) return std::nullopt;
  const CalleeProfile callee = context.profile.CalleeOf(shape);
  const auto threshold = context.profile.ThresholdOf(caller);
  if (threshold && context.randomness) {
    if (*context.randomness < *threshold) return Verdict::Excluded(Reason::kSampledOut);
    if (callee.is_mostly_absent()) return Verdict::Bad(Cause::kSamplingBreak);
    return std::nullopt;
  }
  if (callee.ids_fall_apart()) return Verdict::Excluded(Reason::kSampledOut);
  if (callee.is_mostly_absent()) return Verdict::Unknown(Reason::kCallerSamples);
  return std::nullopt;
}

/// Steps 1 to 7; nothing where none applies.
std::optional<Verdict> JudgeKnownReasons(const TraceContext& context, SpanIndex orphan) {
  const Shape& shape = context.tree.shape(orphan);
  const Rules& rules = context.rules.Of(shape, context.names);
  if (context.IsExcluded(orphan)) return Verdict::Excluded(Reason::kFiltered);
  if (shape.is_entry() && rules.entrypoints.Has(context.names.Text(shape.service))) {
    return Verdict::Excluded(Reason::kForeignParent);
  }
  if (context.tree.span(orphan).is_cut != 0) return Verdict::Bad(Cause::kTruncatedId);
  if (context.repeats_parent[orphan]) return Verdict::Excluded(Reason::kMixed);
  const auto sampling = JudgeSampling(context, orphan);
  if (sampling) return sampling;
  if (context.sampled_flags_differ) return Verdict::Bad(Cause::kSamplingBreak);
  if (!shape.is_entry() && rules.FiltersSpans() &&
      context.profile.OperationOf(shape).is_always_orphan()) {
    return Verdict::Excluded(Reason::kFiltered);
  }
  return std::nullopt;
}

/// The orphans of one process that name one absent parent.
class LocalOrphans {
 public:
  LocalOrphans(TraceContext& context, std::span<const SpanIndex> orphans)
      : context_(context), orphans_(orphans) {
    Microseconds first_end = UINT64_MAX;
    for (const SpanIndex orphan : orphans_) {
      const Microseconds end = context_.tree.span(orphan).end();
      first_start_ = std::min<Microseconds>(first_start_, context_.tree.span(orphan).start);
      first_end = std::min(first_end, end);
      if (end < last_end_) continue;
      last_end_ = end;
      instance_ = context_.tree.shape(orphan).instance;
    }
    is_open_ = last_end_ - first_end > context_.profile.settle_window;
  }

  void Judge() {
    const std::optional<QuestionNumber> batch = AskForBatch();
    for (const SpanIndex orphan : orphans_) {
      const auto reason = JudgeKnownReasons(context_, orphan);
      if (reason) {
        context_.AddStep(orphan, *reason);
        continue;
      }
      context_.AddStep(orphan,
                       Verdict::Bad(is_open_ ? Cause::kOpenParent : Cause::kOrphanLocalParent));
      if (batch) context_.AskAboutUnit(QuestionKind::kLostBatch, *batch);
    }
  }

 private:
  /// One question for the parent, not one for each that names it.
  std::optional<QuestionNumber> AskForBatch() {
    if (instance_ == 0) return std::nullopt;
    Question question = context_.QuestionAbout(QuestionKind::kLostBatch, orphans_.front());
    const std::optional<Microseconds> entry_end = EndOfEntry();
    question.where = instance_;
    question.first = last_end_;
    question.last = std::min(entry_end.value_or(LatestEnd()), last_end_ + kMostWait);
    question.is_served = entry_end.has_value();
    return context_.Ask(question);
  }

  /// Of the entry they were made for, where that came: the parent ended within it. Of several, the
  /// first to end.
  [[nodiscard]] std::optional<Microseconds> EndOfEntry() const {
    const TraceTree& tree = context_.tree;
    std::optional<Microseconds> end;
    for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
      const Shape& shape = tree.shape(i);
      const Span& span = tree.span(i);
      const bool is_own = shape.is_entry() && shape.instance == instance_;
      if (!is_own || span.is_unfinished()) continue;
      const bool holds_them = span.start <= first_start_ && span.end() >= last_end_;
      if (holds_them) end = std::min(end.value_or(span.end()), span.end());
    }
    return end;
  }

  /// When the parent ended at the latest, where nothing of its process says so: with the trace.
  [[nodiscard]] Microseconds LatestEnd() const {
    Microseconds end = last_end_ + kLeastWait;
    for (const Span& span : context_.tree.spans()) end = std::max(end, span.end());
    return end;
  }

  static constexpr Microseconds kLeastWait = 2'000'000;
  static constexpr Microseconds kMostWait = 60'000'000;

  TraceContext& context_;
  std::span<const SpanIndex> orphans_;
  Microseconds first_start_ = UINT64_MAX;
  Microseconds last_end_ = 0;
  NameId instance_ = 0;
  bool is_open_ = false;
};

void JudgeRemoteOrphan(TraceContext& context, SpanIndex orphan) {
  const Shape& shape = context.tree.shape(orphan);
  const auto reason = JudgeKnownReasons(context, orphan);
  context.AddHop(orphan, context.profile.UsualCallerOf(shape), shape.service, shape.policy,
                 ProtocolOf(nullptr, &shape),
                 reason.value_or(Verdict::Bad(Cause::kOrphanRemoteParent)));
}

/// The id of the parent that an entry names, its own where the halves of a call share one.
std::uint64_t NamedParent(const TraceTree& tree, SpanIndex index) {
  const Link& link = tree.link(index);
  return link.kind == LinkKind::kRemote ? tree.span(link.parent).id : tree.span(index).parent;
}

}  // namespace

void JudgeOrphans(TraceContext& context) {
  const TraceTree& tree = context.tree;
  std::vector<SpanIndex> local;
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
    if (tree.link(i).kind != LinkKind::kAbsent) continue;
    if (tree.shape(i).is_entry()) {
      JudgeRemoteOrphan(context, i);
    } else {
      local.push_back(i);
    }
  }
  std::ranges::sort(local, [&tree](SpanIndex left, SpanIndex right) {
    return std::tuple(tree.span(left).parent, left) < std::tuple(tree.span(right).parent, right);
  });
  for (std::size_t first = 0; first < local.size();) {
    std::size_t last = first + 1;
    const std::uint64_t parent = tree.span(local[first]).parent;
    while (last < local.size() && tree.span(local[last]).parent == parent) ++last;
    LocalOrphans(context, std::span(local).subspan(first, last - first)).Judge();
    first = last;
  }
}

void FindRepeatedParents(TraceContext& context) {
  constexpr std::size_t kMany = 4;
  const TraceTree& tree = context.tree;
  const auto key = [&](SpanIndex i) {
    const Shape& shape = tree.shape(i);
    return std::tuple(NamedParent(tree, i), shape.service, shape.scope, shape.name);
  };
  std::vector<SpanIndex> entries;
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
    const Shape& shape = tree.shape(i);
    const LinkKind link = tree.link(i).kind;
    const bool names_remote =
        link == LinkKind::kRemote || (link == LinkKind::kAbsent && shape.is_entry());
    if (names_remote && shape.is_entry() && !shape.facts.error) entries.push_back(i);
  }
  if (entries.size() < kMany) return;
  std::ranges::sort(entries, [&](SpanIndex left, SpanIndex right) {
    const auto a = key(left);
    const auto b = key(right);
    return a != b ? a < b : tree.StartsBefore(left, right);
  });
  std::map<std::uint64_t, SpanIndex> second_uses;  // of a parent
  for (std::size_t first = 0; first < entries.size();) {
    std::size_t last = first + 1;
    while (last < entries.size() && key(entries[last]) == key(entries[first])) ++last;
    const Microseconds spread =
        tree.span(entries[last - 1]).start - tree.span(entries[first]).start;
    if (last - first >= kMany && spread > context.profile.settle_window) {
      // Once for a parent, whatever names its entries have: where a second use of it starts first.
      const auto [second, is_new] =
          second_uses.emplace(NamedParent(tree, entries[first]), entries[first + 1]);
      if (tree.StartsBefore(entries[first + 1], second->second))
        second->second = entries[first + 1];
      for (std::size_t i = first; i < last; ++i) context.repeats_parent[entries[i]] = true;
    }
    first = last;
  }
  for (const auto& [parent, second] : second_uses) {
    context.result.request_breaks.push_back({Cause::kMixedTraces, second});
  }
}

}  // namespace tracekeeper::continuity
