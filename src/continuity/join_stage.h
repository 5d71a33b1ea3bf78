#pragma once
// JoinStage decides what needs more than one trace: which call made which root, whether a request
// was open when a root began, whether absent parents went with one batch.
//
//   for (trace) { join.See(tree); join.Ask(question)...; }
//   join.Settle();
//   join.AnswerTo(number);
//
// Threads:  one thread.
// Owner:    keeps what it was told until it is destroyed.
// Source:   docs/reference/verdicts.md, 3.3 to 3.6.

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "src/continuity/busy_times.h"
#include "src/continuity/profile.h"
#include "src/continuity/question.h"
#include "src/continuity/trace_tree.h"

namespace tracekeeper::continuity {

using QuestionNumber = std::uint32_t;

class JoinStage {
 public:
  explicit JoinStage(const Profile& profile) : profile_(profile) {}

  void See(const TraceTree& tree);
  QuestionNumber Ask(const Question& question);
  /// After the last trace.
  void Settle();
  [[nodiscard]] Answer AnswerTo(QuestionNumber number) const { return answers_[number]; }
  /// Of an instance, once settled; null where it had no entry spans.
  [[nodiscard]] const BusyTimes* BusyTimesOf(NameId instance) const;

 private:
  using Tenth = std::uint64_t;  // of a second, since 1970

  /// The calls to and the roots of one service; numbers of their questions beside them.
  struct Crossing {
    std::vector<Question> calls;
    std::vector<QuestionNumber> call_numbers;
    std::vector<Question> roots;
    std::vector<QuestionNumber> root_numbers;
  };

  [[nodiscard]] Answer AnswerFromTimes(const Question& question) const;
  void Match(const Crossing& crossing);
  [[nodiscard]] bool PeerWasThere(const Question& call) const;
  /// Where the instance ended no span although some were due: the first tenths of each silence.
  [[nodiscard]] std::vector<Tenth> SilencesOf(const std::vector<Tenth>& busy) const;
  void FindLostBatches(NameId instance, const std::vector<QuestionNumber>& absent);

  const Profile& profile_;
  std::vector<Question> questions_;
  std::vector<Answer> answers_;
  std::unordered_map<NameId, BusyTimes> instances_;
  std::unordered_map<NameId, BusyTimes> services_;
  std::unordered_map<NameId, Crossing> crossings_;
  std::unordered_map<NameId, std::vector<QuestionNumber>> absent_parents_;  // of an instance
  // In which spans of an instance ended; each once and in order, once settled.
  std::unordered_map<NameId, std::vector<Tenth>> busy_tenths_;
  Tenth last_end_ = 0;  // of any instance
};

}  // namespace tracekeeper::continuity
