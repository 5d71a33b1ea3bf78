// Links to parents that are there (verdicts.md 3.1, 3.4), and roots (3.1, 3.5).

#include "src/continuity/trace_context.h"

namespace tracekeeper::continuity {
namespace {

using otlp::SpanKind;

void JudgeRemote(TraceContext& context, SpanIndex child) {
  const SpanIndex parent = context.tree.link(child).parent;
  const Shape& caller = context.tree.shape(parent);
  const Shape& callee = context.tree.shape(child);
  const bool is_truncated = context.tree.link(child).kind == LinkKind::kTruncated;
  if (caller.is_out()) context.is_paired[parent] = true;
  const Verdict verdict = is_truncated ? Verdict::Bad(Cause::kTruncatedId) : Verdict::Good();
  if (is_truncated && !callee.is_entry()) {
    context.AddStep(child, verdict);
    return;
  }
  const NameId policy = caller.policy != 0 ? caller.policy : callee.policy;
  context.AddHop(child, caller.service, callee.service, policy, ProtocolOf(&caller, &callee),
                 verdict);
  const bool lost_tracestate = callee.is_entry() && caller.facts.has_ot && !callee.facts.has_ot;
  if (lost_tracestate) context.AddFinding(Cause::kTracestateLost, child);
}

void JudgeLocal(TraceContext& context, SpanIndex child) {
  const TraceTree& tree = context.tree;
  const SpanIndex parent = tree.link(child).parent;
  const Shape& own = tree.shape(child);
  const Shape& above = tree.shape(parent);
  if (own.kind == SpanKind::kConsumer && own.facts.has_link) {
    context.AddHop(child, context.profile.UsualCallerOf(own), own.service, own.policy,
                   ProtocolOf(nullptr, &own), Verdict::Good());
  }
  if (own.kind == SpanKind::kServer && own.is_local() && above.kind != SpanKind::kServer) {
    context.AddStep(child, Verdict::Bad(Cause::kMixedTraces));
    return;
  }
  context.AddStep(child, Verdict::Good());
  if (tree.span(parent).is_unfinished()) return;  // nobody knows when it ended
  const Microseconds parent_end = tree.span(parent).end();
  const Microseconds start = tree.span(child).start;
  const bool is_same_instance = own.instance != 0 && own.instance == above.instance;
  if (is_same_instance && start > parent_end + context.profile.settle_window) {
    Question question = context.QuestionAbout(QuestionKind::kOthersStarted, child);
    question.where = own.instance;
    question.first = parent_end;
    question.last = start;
    question.own_starts = context.OwnStarts(own.instance, parent_end, start);
    context.AskAboutUnit(question);
  } else if (above.kind == SpanKind::kServer && start > parent_end) {
    context.AddFinding(Cause::kWorkAfterReply, child);
  }
}

/// 3.5
void JudgeInternalRoot(TraceContext& context, SpanIndex root) {
  const Shape& shape = context.tree.shape(root);
  if (context.IsExcluded(root)) {
    context.AddStep(root, Verdict::Excluded(Reason::kFiltered));
    return;
  }
  if (shape.facts.job) {
    context.AddStep(root, Verdict::Excluded(Reason::kLegalRoot));
    return;
  }
  const OperationProfile operation = context.profile.OperationOf(shape);
  if (operation.is_normally_child()) {
    const Cause cause = shape.is_out() ? Cause::kNewClientRoot : Cause::kNewInternalRoot;
    context.AddStep(root, Verdict::Bad(cause));
    return;
  }
  context.AddStep(root, Verdict::Excluded(Reason::kLegalRoot));
  constexpr std::uint64_t kFewRoots = 10;
  const bool follows_requests = operation.roots_inside * 10 >= operation.roots * 9 &&
                                context.profile.IsMostlyIdle(shape.service);
  if (shape.instance == 0 || (operation.roots >= kFewRoots && !follows_requests)) return;
  Question question = context.QuestionAbout(QuestionKind::kRequestOpen, root);
  question.where = shape.instance;
  question.first = context.tree.span(root).start;
  context.AskAboutUnit(question);
}

void JudgeConsumerRoot(TraceContext& context, SpanIndex root) {
  const Shape& shape = context.tree.shape(root);
  if (!shape.facts.has_link && shape.facts.poll) return;
  const Verdict verdict =
      shape.facts.has_link ? Verdict::Good() : Verdict::Bad(Cause::kMessageWithoutContext);
  context.AddHop(root, context.profile.UsualCallerOf(shape), shape.service, shape.policy,
                 ProtocolOf(nullptr, &shape), verdict);
}

}  // namespace

void JudgeLinks(TraceContext& context) {
  for (SpanIndex i = 0; i < context.tree.spans().size(); ++i) {
    switch (context.tree.link(i).kind) {
      case LinkKind::kRemote:
      case LinkKind::kTruncated:
        JudgeRemote(context, i);
        break;
      case LinkKind::kLocal:
        JudgeLocal(context, i);
        break;
      case LinkKind::kNone:
      case LinkKind::kRoot:
      case LinkKind::kAbsent:
        break;
    }
  }
}

void JudgeRoots(TraceContext& context) {
  for (SpanIndex i = 0; i < context.tree.spans().size(); ++i) {
    if (context.tree.link(i).kind != LinkKind::kRoot) continue;
    const SpanKind kind = context.tree.shape(i).kind;
    if (kind == SpanKind::kConsumer) {
      JudgeConsumerRoot(context, i);
    } else if (kind != SpanKind::kServer) {
      JudgeInternalRoot(context, i);
    }
  }
}

}  // namespace tracekeeper::continuity
