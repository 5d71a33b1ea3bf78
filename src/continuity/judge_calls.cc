// Calls that found no partner in their trace (verdicts.md 3.3), and findings that break nothing
// (3.8).

#include "src/continuity/trace_context.h"

namespace tracekeeper::continuity {
namespace {

/// What is cancelled with a request ends this near to it.
constexpr Microseconds kCancelledTogether = 500'000;

/// Out spans under which, in the same process, another out span hangs: that one is the call.
std::vector<bool> FindWrappers(const TraceTree& tree) {
  std::vector<bool> is_wrapper(tree.spans().size());
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
    if (!tree.shape(i).is_out()) continue;
    SpanIndex above = i;
    // Stops at the next out span, which was or will be climbed from itself; a circle of parents is
    // left after as many steps as there are spans.
    for (std::size_t steps = 0; steps < tree.spans().size(); ++steps) {
      const Link& link = tree.link(above);
      if (link.kind != LinkKind::kLocal) break;
      above = link.parent;
      if (tree.shape(above).service != tree.shape(i).service || is_wrapper[above]) break;
      if (!tree.shape(above).is_out()) continue;
      is_wrapper[above] = true;
      break;
    }
  }
  return is_wrapper;
}

/// Steps 1 to 6; nothing where none applies.
std::optional<Verdict> JudgeKnownReasons(const TraceContext& context, SpanIndex call, NameId peer,
                                         bool is_wrapper) {
  const Shape& shape = context.tree.shape(call);
  if (context.IsExcluded(call)) return Verdict::Excluded(Reason::kFiltered);
  const bool is_wrapping_call = is_wrapper && shape.kind != otlp::SpanKind::kProducer;
  if (is_wrapping_call) return Verdict::Excluded(Reason::kWrapper);
  if (const auto reason = WhyNoPartner(shape, peer, context.profile)) return reason;
  const auto threshold = context.profile.ThresholdOf(peer);
  if (threshold && context.randomness && *context.randomness < *threshold) {
    return Verdict::Excluded(Reason::kSampledOut);
  }
  return std::nullopt;
}

/// The nearest entry above a span in its own process; itself where it is none.
SpanIndex EntryAbove(const TraceTree& tree, SpanIndex index) {
  SpanIndex above = index;
  for (std::size_t steps = 0; steps < tree.spans().size(); ++steps) {
    const Link& link = tree.link(above);
    if (link.kind != LinkKind::kLocal) return index;
    above = link.parent;
    if (tree.shape(above).is_entry()) return above;
  }
  return index;
}

Microseconds Distance(Microseconds left, Microseconds right) {
  return left > right ? left - right : right - left;
}

}  // namespace

Protocol ProtocolOf(const Shape* caller, const Shape* callee) {
  const auto either = [&](auto says) {
    return (caller != nullptr && says(*caller)) || (callee != nullptr && says(*callee));
  };
  const bool is_messaging = either([](const Shape& shape) {
    return shape.facts.messaging || shape.kind == otlp::SpanKind::kConsumer ||
           shape.kind == otlp::SpanKind::kProducer;
  });
  if (is_messaging) return Protocol::kMessaging;
  return either([](const Shape& shape) { return shape.facts.rpc; }) ? Protocol::kRpc
                                                                    : Protocol::kHttp;
}

std::optional<Verdict> WhyNoPartner(const Shape& call, NameId peer, const Profile& profile) {
  if (call.kind == otlp::SpanKind::kProducer) return Verdict::Excluded(Reason::kCountedAtConsumer);
  if (call.facts.error) return Verdict::Excluded(Reason::kNotDelivered);
  const bool has_no_peer = call.facts.database || peer == 0 || peer == call.service;
  if (has_no_peer || !profile.IsInstrumented(peer)) {
    return Verdict::Excluded(Reason::kUninstrumentedPeer);
  }
  return std::nullopt;
}

void JudgeCalls(TraceContext& context) {
  const TraceTree& tree = context.tree;
  const std::vector<bool> is_wrapper = FindWrappers(tree);
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
    const Shape& shape = tree.shape(i);
    if (!shape.is_out() || context.is_paired[i]) continue;
    const NameId peer = context.profile.PeerOf(shape);
    const auto reason = JudgeKnownReasons(context, i, peer, is_wrapper[i]);
    context.AddHop(i, shape.service, peer, shape.policy, ProtocolOf(&shape, nullptr),
                   reason.value_or(Verdict::Unknown(Reason::kPeerSilent)));
    if (reason) continue;
    Question question = context.QuestionAbout(QuestionKind::kCall, i);
    question.where = peer;
    context.AskAboutUnit(question);
  }
}

void FindOddities(TraceContext& context) {
  const TraceTree& tree = context.tree;
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
    if (tree.span(i).is_unfinished()) context.AddFinding(Cause::kUnfinished, i);
    if (!tree.shape(i).facts.cancelled) continue;
    const SpanIndex entry = EntryAbove(tree, i);
    const bool ends_with_it =
        entry != i && Distance(tree.span(entry).end(), tree.span(i).end()) <= kCancelledTogether;
    if (ends_with_it) context.AddFinding(Cause::kCancelledWithParent, i);
  }
}

}  // namespace tracekeeper::continuity
