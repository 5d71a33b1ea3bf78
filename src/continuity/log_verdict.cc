#include "src/continuity/log_verdict.h"

namespace tracekeeper::continuity {
namespace {

bool HasInvalidId(const ReadLog& log) {
  return log.trace_state == IdState::kInvalid || log.span_state == IdState::kInvalid;
}

}  // namespace

std::optional<Question> QuestionAbout(const ReadLog& log) {
  const bool names_nothing = log.trace_state == IdState::kNone && !HasInvalidId(log);
  if (!names_nothing || log.instance == 0) return std::nullopt;
  Question question;
  question.kind = QuestionKind::kRequestOpen;
  question.where = log.instance;
  question.first = log.time;
  question.last = log.time;
  return question;
}

Verdict JudgeLog(const ReadLog& log, const LogEvidence& evidence) {
  if (HasInvalidId(log)) return Verdict::Bad(Cause::kLogZeroId);
  if (log.trace_state == IdState::kNone) {
    if (log.instance == 0) return Verdict::Unknown(Reason::kNoInstance);
    return evidence.was_open == Answer::kYes ? Verdict::Bad(Cause::kLogWithoutId)
                                             : Verdict::Excluded(Reason::kBackground);
  }
  if (!evidence.has_trace) {
    return log.is_sampled ? Verdict::Bad(Cause::kLogUnknownTrace)
                          : Verdict::Excluded(Reason::kNotSampled);
  }
  const bool names_absent_span = log.span_state == IdState::kValid && !evidence.has_span;
  return names_absent_span ? Verdict::Bad(Cause::kLogUnknownSpan) : Verdict::Good();
}

}  // namespace tracekeeper::continuity
