#include "src/continuity/judge.h"

#include <algorithm>

#include "src/continuity/trace_context.h"

namespace tracekeeper::continuity {
namespace {

using otlp::SpanKind;

constexpr Microseconds kMaxTraceAge = Microseconds{24} * 3600 * 1'000'000;

std::optional<SpanIndex> EarliestRoot(const TraceTree& tree, const JudgedTrace& trace) {
  const auto first = [&tree](SpanIndex left, SpanIndex right) {
    return tree.StartsBefore(left, right);
  };
  if (trace.roots.empty()) return std::nullopt;
  return *std::ranges::min_element(trace.roots, first);
}

/// Where a request is shown: at its root, else at its first span.
SpanIndex HeadOf(const TraceTree& tree, const JudgedTrace& trace) {
  if (const auto root = EarliestRoot(tree, trace)) return *root;
  SpanIndex first = 0;
  for (SpanIndex i = 1; i < tree.spans().size(); ++i) {
    if (tree.StartsBefore(i, first)) first = i;
  }
  return first;
}

/// Spans without parent, and those whose parent is outside.
std::vector<SpanIndex> RootsOf(const TraceTree& tree, const JudgedTrace& trace) {
  std::vector<SpanIndex> roots;
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
    if (tree.link(i).kind == LinkKind::kRoot) roots.push_back(i);
  }
  for (const Unit& unit : trace.units) {
    if (unit.verdict.reason == Reason::kForeignParent) roots.push_back(unit.span);
  }
  return roots;
}

/// 3.4, one id at two times: the first span after the widest gap.
void FindTwoTimes(const TraceTree& tree, std::vector<Finding>& breaks) {
  const auto start_of = [](const Span& span) -> Microseconds { return span.start; };
  const auto [earliest, latest] = std::ranges::minmax_element(tree.spans(), {}, start_of);
  if (latest->start - earliest->start <= kMaxTraceAge) return;  // nearly always
  std::vector<SpanIndex> order(tree.spans().size());
  for (SpanIndex i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(
      order, [&tree](SpanIndex left, SpanIndex right) { return tree.StartsBefore(left, right); });
  const auto start = [&](std::size_t i) { return tree.span(order[i]).start; };
  std::size_t after = 1;
  for (std::size_t i = 2; i < order.size(); ++i) {
    if (start(i) - start(i - 1) > start(after) - start(after - 1)) after = i;
  }
  breaks.push_back({Cause::kMixedTraces, order[after]});
}

/// SERVER roots, which a call of another trace may have made.
void AskForCallers(TraceContext& context) {
  const TraceTree& tree = context.tree;
  const auto earliest = EarliestRoot(tree, context.result);
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
    const Shape& shape = tree.shape(i);
    const bool may_be_called = tree.link(i).kind == LinkKind::kRoot &&
                               shape.kind == SpanKind::kServer && !shape.facts.probe &&
                               !context.IsExcluded(i);
    if (!may_be_called) continue;
    Question question = context.QuestionAbout(QuestionKind::kServerRoot, i);
    question.where = shape.service;
    const QuestionNumber number = context.Ask(question);
    if (i == earliest) context.result.server_root = number;
  }
}

std::optional<std::uint64_t> LargestThreshold(const TraceTree& tree) {
  std::optional<std::uint64_t> largest;
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
    largest = std::max(largest, tree.shape(i).threshold);
  }
  return largest;
}

/// Groups of spans that hang together in a circle: without root and without orphan.
bool HasCircle(const TraceTree& tree) {
  std::vector<bool> has_head(tree.spans().size());
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
    const LinkKind kind = tree.link(i).kind;
    const bool is_inside = kind == LinkKind::kLocal || kind == LinkKind::kRemote;
    if (!is_inside) has_head[tree.link(i).piece] = true;
  }
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
    if (!has_head[tree.link(i).piece]) return true;
  }
  return false;
}

/// The second of the roots that are no breaks themselves, where there are so many.
std::optional<SpanIndex> SecondRoot(const TraceTree& tree, const JudgedTrace& trace) {
  std::vector<bool> is_broken(tree.spans().size());
  for (const Unit& unit : trace.units) {
    // A root that calls has two units: that its call broke is another matter.
    const bool is_its_link =
        unit.family == Family::kInProcess || tree.shape(unit.span).kind == SpanKind::kConsumer;
    if (is_its_link && unit.verdict.is_bad()) is_broken[unit.span] = true;
  }
  std::vector<SpanIndex> roots;
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
    if (tree.link(i).kind == LinkKind::kRoot && !is_broken[i]) roots.push_back(i);
  }
  if (roots.size() < 2) return std::nullopt;
  std::ranges::nth_element(roots, roots.begin() + 1, [&tree](SpanIndex left, SpanIndex right) {
    return tree.StartsBefore(left, right);
  });
  return roots[1];
}

/// 3.7, 2
bool IsProbe(const TraceTree& tree, const JudgedTrace& trace, const PolicyRules& rules,
             const Names& names) {
  const auto root = EarliestRoot(tree, trace);
  const bool is_probe =
      root && tree.shape(*root).kind == SpanKind::kServer && tree.shape(*root).facts.probe;
  if (is_probe) return true;
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
    if (!rules.Excludes(tree.shape(i), names)) return false;
  }
  return true;
}

/// 3.7, 3
std::optional<Cause> FirstBreak(const TraceTree& tree, const JudgedTrace& trace) {
  std::optional<Finding> first;
  const auto consider = [&](const Finding& finding) {
    if (!CountsInOf(finding.cause).request) return;
    if (!first || tree.StartsBefore(finding.span, first->span)) first = finding;
  };
  for (const Finding& finding : trace.request_breaks) consider(finding);
  for (const Unit& unit : trace.units) {
    if (unit.verdict.is_bad()) consider({unit.verdict.cause, unit.span});
  }
  if (!first) return std::nullopt;
  return first->cause;
}

/// 3.7, 5
std::optional<Reason> FirstUnknown(const TraceTree& tree, const JudgedTrace& trace) {
  const Unit* first = nullptr;
  for (const Unit& unit : trace.units) {
    if (unit.verdict.outcome != Outcome::kUnknown) continue;
    if (first == nullptr || tree.StartsBefore(unit.span, first->span)) first = &unit;
  }
  if (first == nullptr) return std::nullopt;
  return first->verdict.reason;
}

Verdict AnsweredCall(Answer answer) {
  switch (answer) {
    case Answer::kYes:
      return Verdict::Bad(Cause::kBrokenHop);
    case Answer::kPeerWasThere:
      return Verdict::Bad(Cause::kSilentHop);
    case Answer::kNo:
      break;
  }
  return Verdict::Unknown(Reason::kPeerSilent);
}

}  // namespace

void SeenUnits::Add(Family family, NameId policy, std::uint64_t units) {
  for (OfPolicy& seen : by_policy_) {
    if (seen.policy != policy) continue;
    seen.units[static_cast<std::size_t>(family)] += units;
    return;
  }
  by_policy_.push_back({.policy = policy});
  by_policy_.back().units[static_cast<std::size_t>(family)] = units;
}

std::uint64_t SeenUnits::Of(Family family) const {
  std::uint64_t sum = 0;
  for (const OfPolicy& seen : by_policy_) sum += seen.units[static_cast<std::size_t>(family)];
  return sum;
}

JudgedTrace Judge::Look(const TraceTree& tree, std::optional<std::uint64_t> randomness) const {
  JudgedTrace result;
  TraceContext context = TraceContext::Make(tree, names_, rules_, profile_, randomness, result);
  FindRepeatedParents(context);
  FindTwoTimes(tree, result.request_breaks);
  for (const SpanIndex first : tree.collisions()) {
    result.request_breaks.push_back({Cause::kSpanIdCollision, first});
  }
  JudgeLinks(context);
  JudgeOrphans(context);
  JudgeRoots(context);
  JudgeCalls(context);
  FindOddities(context);
  result.roots = RootsOf(tree, result);
  result.threshold = LargestThreshold(tree);
  AskForCallers(context);
  return result;
}

void Judge::Conclude(const TraceTree& tree, std::span<const Answer> answers,
                     JudgedTrace& trace) const {
  for (const OpenUnit& open : trace.open) Settle(tree, open, answers[open.question], trace);
  trace.open.clear();
  if (const auto second = SecondRoot(tree, trace)) {
    trace.request_breaks.push_back({Cause::kFragments, *second});
  }
  trace.findings.insert(trace.findings.end(), trace.request_breaks.begin(),
                        trace.request_breaks.end());
  const SpanIndex head = HeadOf(tree, trace);
  Unit request{.family = Family::kRequest,
               .protocol = Protocol::kHttp,
               .verdict = RequestVerdict(tree, answers, trace),
               .service = tree.shape(head).service,
               .server = 0,
               .policy = tree.shape(head).policy,
               .span = head};
  const bool shows_itself =
      request.verdict.is_bad() && request.verdict.cause == Cause::kUnknownCause;
  if (shows_itself) trace.findings.push_back({request.verdict.cause, head});
  trace.units.push_back(request);
}

void Judge::Settle(const TraceTree& tree, const OpenUnit& open, Answer answer,
                   JudgedTrace& trace) const {
  Unit& unit = trace.units[open.unit];
  const bool is_so = answer == Answer::kYes;
  switch (open.kind) {
    case QuestionKind::kCall:
      unit.verdict = AnsweredCall(answer);
      return;
    case QuestionKind::kRequestOpen: {
      const bool is_out = tree.shape(unit.span).is_out();
      const Cause cause = is_out ? Cause::kNewClientRoot : Cause::kNewInternalRoot;
      if (is_so) unit.verdict = Verdict::Bad(cause);
      return;
    }
    case QuestionKind::kOthersStarted: {
      if (is_so) {
        unit.verdict = Verdict::Bad(Cause::kMixedTraces);
        return;
      }
      const SpanIndex parent = tree.link(unit.span).parent;
      const bool is_after_reply = tree.shape(parent).kind == SpanKind::kServer;
      if (is_after_reply) trace.findings.push_back({Cause::kWorkAfterReply, unit.span});
      return;
    }
    case QuestionKind::kLostBatch:
      if (is_so) unit.verdict = Verdict::Bad(Cause::kLostBatch);
      return;
    case QuestionKind::kServerRoot:
      return;
  }
}

Verdict Judge::RequestVerdict(const TraceTree& tree, std::span<const Answer> answers,
                              const JudgedTrace& trace) const {
  if (trace.server_root && answers[*trace.server_root] == Answer::kYes) {
    return Verdict::Excluded(Reason::kContinued);
  }
  if (IsProbe(tree, trace, rules_, names_)) return Verdict::Excluded(Reason::kProbe);
  if (const auto cause = FirstBreak(tree, trace)) return Verdict::Bad(*cause);
  if (HasCircle(tree)) return Verdict::Bad(Cause::kUnknownCause);
  if (const auto reason = FirstUnknown(tree, trace)) return Verdict::Unknown(*reason);
  return Verdict::Good();
}

}  // namespace tracekeeper::continuity
