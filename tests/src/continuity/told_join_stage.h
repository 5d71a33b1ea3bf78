#pragma once
// A join stage under test: what it is told in short words, and the answers it gave.
//
// Threads:  one thread.

#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

#include "src/continuity/join_stage.h"

namespace tracekeeper::continuity {

inline constexpr Microseconds kSecond = 1'000'000;
inline constexpr NameId kShop = 1;
inline constexpr NameId kCart = 2;
inline constexpr NameId kShopOne = 11;  // instances
inline constexpr NameId kCartOne = 12;

struct SeenSpan {
  Span span;
  Shape shape;
};

inline SeenSpan Seen(NameId service, NameId instance, Microseconds start, Microseconds length,
                     otlp::SpanKind kind = otlp::SpanKind::kServer) {
  SeenSpan seen;
  seen.span.start = start;
  seen.span.duration = length;
  seen.shape.service = service;
  seen.shape.instance = instance;
  seen.shape.kind = kind;
  return seen;
}

inline Question Asked(QuestionKind kind, NameId where, Microseconds first, Microseconds last) {
  Question question;
  question.kind = kind;
  question.where = where;
  question.first = first;
  question.last = last;
  return question;
}
inline Question OfTrace(std::uint64_t trace, Question question) {
  question.trace = {1, trace};
  return question;
}

/// A stage, and the answer that each question was given last.
class Told {
 public:
  explicit Told(const Profile& profile) : join_(profile) {}

  void See(const SeenSpan& seen) { join_.See(seen.span, seen.shape); }
  void Ask(AskerId asker, const std::vector<Question>& questions) {
    join_.Ask(asker, questions);
    asked_[asker] = questions;
  }
  void Withdraw(AskerId asker) {
    join_.Withdraw(asker, asked_[asker]);
    std::erase_if(answers_, [asker](const auto& entry) { return entry.first.first == asker; });
  }
  std::vector<GivenAnswer> Settle() {
    std::vector<GivenAnswer> given = join_.Settle();
    for (const GivenAnswer& each : given) {
      EXPECT_NE(AnswerTo(each.asker, each.question), each.answer) << "it is given what changed";
      answers_[{each.asker, each.question}] = each.answer;
    }
    return given;
  }
  [[nodiscard]] Answer AnswerTo(AskerId asker, QuestionNumber question = 0) const {
    const auto found = answers_.find({asker, question});
    return found == answers_.end() ? Answer::kNo : found->second;
  }
  JoinStage& stage() { return join_; }

 private:
  JoinStage join_;
  std::map<AskerId, std::vector<Question>> asked_;
  std::map<std::pair<AskerId, QuestionNumber>, Answer> answers_;
};

}  // namespace tracekeeper::continuity
