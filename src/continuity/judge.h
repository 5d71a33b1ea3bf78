#pragma once
// Judge gives the verdicts of one trace: of each hop, of each step in a process, and, once the
// questions that it could not answer alone are, of the request.
//
//   JudgedTrace trace = judge.Look(tree, randomness);
//   ... answers to trace.questions, from a JoinStage ...
//   judge.Conclude(tree, answers, trace);  // every verdict is final
//
// Threads:  pure: any number at a time.
// Owner:    all that it is given outlives it; no state of its own between traces.
// Source:   docs/reference/verdicts.md, section 3; the numbers in the code are its own.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "src/continuity/profile.h"
#include "src/continuity/question.h"
#include "src/continuity/rules.h"
#include "src/continuity/trace_tree.h"
#include "src/continuity/verdict.h"

namespace tracekeeper::continuity {

/// A unit whose verdict waits for an answer.
struct OpenUnit {
  std::size_t unit = 0;
  QuestionKind kind = QuestionKind::kRequestOpen;
  QuestionNumber question = 0;
};

/// How many units came up, by policy. Nearly every trace has one.
class SeenUnits {
 public:
  struct OfPolicy {
    NameId policy = 0;
    std::array<std::uint64_t, kFamilies> units{};
  };

  void Add(Family family, NameId policy, std::uint64_t units = 1);
  [[nodiscard]] std::uint64_t Of(Family family) const;
  [[nodiscard]] const std::vector<OfPolicy>& by_policy() const { return by_policy_; }

 private:
  std::vector<OfPolicy> by_policy_;
};

struct JudgedTrace {
  std::vector<Unit> units;        // once concluded, the request is the last one
  std::vector<Finding> findings;  // beside the causes of bad units
  std::vector<Question> questions;
  std::vector<OpenUnit> open;
  std::vector<Finding> request_breaks;  // that are no unit's own
  std::vector<SpanIndex> roots;         // also orphans at an entry point, whose parent is outside
  std::optional<QuestionNumber> server_root;  // asked about the earliest root
  /// Counted as each comes up, apart from what becomes of it.
  SeenUnits seen;
  /// The largest th of its spans: the share of requests that was not sampled, in 2^-56.
  std::optional<std::uint64_t> threshold;

  /// Once concluded.
  [[nodiscard]] const Unit& request() const { return units.back(); }
};

class Judge {
 public:
  Judge(const Names& names, const PolicyRules& rules, const Profile& profile)
      : names_(names), rules_(rules), profile_(profile) {}

  /// `randomness`: the rv of one of its spans, where one has it.
  JudgedTrace Look(const TraceTree& tree, std::optional<std::uint64_t> randomness) const;
  /// `answers`: one for each question, in their order.
  void Conclude(const TraceTree& tree, std::span<const Answer> answers, JudgedTrace& trace) const;

 private:
  void Settle(const TraceTree& tree, const OpenUnit& open, Answer answer, JudgedTrace& trace) const;
  [[nodiscard]] Verdict RequestVerdict(const TraceTree& tree, std::span<const Answer> answers,
                                       const JudgedTrace& trace) const;

  const Names& names_;
  const PolicyRules& rules_;
  const Profile& profile_;
};

}  // namespace tracekeeper::continuity
