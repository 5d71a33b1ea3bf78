#include "src/continuity/loose_logs.h"

#include "src/continuity/log_verdict.h"

namespace tracekeeper::continuity {

bool LooseLogs::Add(const ReadLog& log, Tick settled) {
  if (logs_.size() >= options_.room) return false;
  logs_.push_back({.log = log, .settled = settled});
  return true;
}

CountedUnit LooseLogs::UnitOf(const ReadLog& log, Verdict verdict) {
  return {.key = {.family = Family::kLog, .policy = log.policy, .service = log.service},
          .verdict = verdict,
          .shown_at = {log.trace, log.span}};
}

Judgement LooseLogs::JudgementOf(const Loose& loose) {
  Judgement judgement;
  judgement.units.push_back(UnitOf(loose.log, JudgeLog(loose.log, {.was_open = loose.answer})));
  judgement.seen.Add(Family::kLog, loose.log.policy);
  return judgement;
}

void LooseLogs::Advance(Tick now, JoinInput& input) {
  for (; asked_ < logs_.size() && logs_[asked_].settled <= now; ++asked_) {
    input.asked.push_back({.asker = options_.first_asker + first_ + asked_,
                           .questions = {*QuestionAbout(logs_[asked_].log)}});
  }
  const auto is_over = [&](const Loose& loose, Tick since) { return loose.settled + since <= now; };
  for (; counted_ < asked_ && is_over(logs_[counted_], options_.join_window); ++counted_) {
    tally_.Count(JudgementOf(logs_[counted_]));
  }
  while (counted_ > 0 && is_over(logs_.front(), options_.join_window + options_.memory)) {
    logs_.pop_front();
    ++first_;
    --asked_;
    --counted_;
  }
}

void LooseLogs::Take(const GivenAnswer& given) {
  const AskerId sequence = given.asker - options_.first_asker;
  if (sequence < first_) return;  // forgotten
  Loose& loose = logs_[sequence - first_];
  const Judgement before = JudgementOf(loose);
  loose.answer = given.answer;
  if (sequence - first_ < counted_) tally_.Correct(before, JudgementOf(loose));
}

}  // namespace tracekeeper::continuity
