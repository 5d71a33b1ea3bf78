#include "src/continuity/trace_context.h"

#include <algorithm>

#include "src/otlp/tracestate.h"

namespace tracekeeper::continuity {
namespace {

std::optional<std::uint64_t> RandomnessOf(const TraceTree& tree,
                                          std::optional<std::uint64_t> explicit_one) {
  if (explicit_one) return explicit_one;
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
    if (tree.shape(i).facts.random) return tree.id().low & (otlp::kSamplingRange - 1);
  }
  return std::nullopt;
}

bool SampledFlagsDiffer(const TraceTree& tree) {
  bool some_are = false;
  bool some_are_not = false;
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
    const SpanFacts& facts = tree.shape(i).facts;
    some_are = some_are || (facts.flags_known && facts.sampled);
    some_are_not = some_are_not || (facts.flags_known && !facts.sampled);
  }
  return some_are && some_are_not;
}

}  // namespace

TraceContext TraceContext::Make(const TraceTree& tree, const Names& names, const PolicyRules& rules,
                                const Profile& profile, std::optional<std::uint64_t> randomness,
                                JudgedTrace& result) {
  const std::size_t spans = tree.spans().size();
  TraceContext context{.tree = tree,
                       .names = names,
                       .rules = rules,
                       .profile = profile,
                       .result = result,
                       .randomness = RandomnessOf(tree, randomness),
                       .sampled_flags_differ = SampledFlagsDiffer(tree),
                       .is_paired = std::vector<bool>(spans),
                       .repeats_parent = std::vector<bool>(spans),
                       .entry_starts = {}};
  for (SpanIndex i = 0; i < spans; ++i) {
    const Shape& shape = tree.shape(i);
    if (!shape.is_entry() || shape.instance == 0) continue;
    context.entry_starts.emplace_back(shape.instance, tree.span(i).start);
  }
  std::ranges::sort(context.entry_starts);
  return context;
}

std::uint64_t TraceContext::OwnStarts(NameId instance, Microseconds first,
                                      Microseconds last) const {
  const auto begin = std::ranges::upper_bound(entry_starts, std::pair(instance, first));
  const auto end = std::ranges::lower_bound(entry_starts, std::pair(instance, last));
  return begin < end ? static_cast<std::uint64_t>(end - begin) : 0;
}

Unit& TraceContext::AddStep(SpanIndex index, Verdict verdict) {
  const Shape& shape = tree.shape(index);
  result.seen.Add(Family::kInProcess, shape.policy);
  return result.units.emplace_back(Unit{.family = Family::kInProcess,
                                        .protocol = Protocol::kHttp,
                                        .verdict = verdict,
                                        .service = shape.service,
                                        .server = 0,
                                        .policy = shape.policy,
                                        .span = index});
}

Unit& TraceContext::AddHop(SpanIndex shown_at, NameId client, NameId server, NameId policy,
                           Protocol protocol, Verdict verdict) {
  result.seen.Add(Family::kHop, policy);
  return result.units.emplace_back(Unit{.family = Family::kHop,
                                        .protocol = protocol,
                                        .verdict = verdict,
                                        .service = client,
                                        .server = server,
                                        .policy = policy,
                                        .span = shown_at});
}

QuestionNumber TraceContext::Ask(const Question& question) {
  result.questions.push_back(question);
  return static_cast<QuestionNumber>(result.questions.size() - 1);
}

void TraceContext::AskAboutUnit(QuestionKind kind, QuestionNumber number) {
  result.open.push_back({.unit = result.units.size() - 1, .kind = kind, .question = number});
}

Question TraceContext::QuestionAbout(QuestionKind kind, SpanIndex index) const {
  const Span& span = tree.span(index);
  return {.kind = kind,
          .where = 0,
          .operation = tree.shape(index).operation,
          .first = span.start,
          .last = span.end(),
          .trace = tree.id(),
          .span_id = span.id,
          .own_starts = 0};
}

}  // namespace tracekeeper::continuity
