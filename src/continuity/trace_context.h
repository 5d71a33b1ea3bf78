#pragma once
// What the steps of a Judge share while they look at one trace, and the small questions about it
// that more than one of them asks.
//
// Threads:  one thread; lives as long as Judge::Look.

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "src/continuity/judge.h"

namespace tracekeeper::continuity {

struct TraceContext {
  const TraceTree& tree;
  const Names& names;
  const PolicyRules& rules;
  const Profile& profile;
  JudgedTrace& result;
  std::optional<std::uint64_t> randomness;  // R
  bool sampled_flags_differ = false;
  std::vector<bool> is_paired;                                // out spans whose call arrived
  std::vector<bool> repeats_parent;                           // entries that repeat a traceparent
  std::vector<std::pair<NameId, Microseconds>> entry_starts;  // of known instances, sorted

  /// What can be said before anything is judged.
  static TraceContext Make(const TraceTree& tree, const Names& names, const PolicyRules& rules,
                           const Profile& profile, std::optional<std::uint64_t> randomness,
                           JudgedTrace& result);

  /// Entry spans of this trace on the instance that start between the two.
  [[nodiscard]] std::uint64_t OwnStarts(NameId instance, Microseconds first,
                                        Microseconds last) const;
  [[nodiscard]] bool IsExcluded(SpanIndex index) const {
    return rules.Excludes(tree.shape(index), names);
  }

  Unit& AddStep(SpanIndex index, Verdict verdict);
  /// `client` and `server` are services; 0 where it is not known.
  Unit& AddHop(SpanIndex shown_at, NameId client, NameId server, NameId policy, Protocol protocol,
               Verdict verdict);
  QuestionNumber Ask(const Question& question);
  /// About the unit that was added last.
  void AskAboutUnit(const Question& question) { AskAboutUnit(question.kind, Ask(question)); }
  void AskAboutUnit(QuestionKind kind, QuestionNumber number);
  void AddFinding(Cause cause, SpanIndex index) { result.findings.push_back({cause, index}); }
  [[nodiscard]] Question QuestionAbout(QuestionKind kind, SpanIndex index) const;
};

/// rpc, http or messaging, as either side says; null where a side is not known.
Protocol ProtocolOf(const Shape* caller, const Shape* callee);

/// Why a call that wraps no other has no partner, as far as it says so itself (3.3).
std::optional<Verdict> WhyNoPartner(const Shape& call, NameId peer, const Profile& profile);

// Each judges one part of the page, and adds units and findings to the context's result.
void FindRepeatedParents(TraceContext& context);  // 3.4
void JudgeLinks(TraceContext& context);           // 3.1, 3.4
void JudgeOrphans(TraceContext& context);         // 3.2
void JudgeRoots(TraceContext& context);           // 3.1, 3.5
void JudgeCalls(TraceContext& context);           // 3.3
void FindOddities(TraceContext& context);         // 3.8

}  // namespace tracekeeper::continuity
