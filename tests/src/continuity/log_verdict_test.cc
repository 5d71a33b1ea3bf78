#include "src/continuity/log_verdict.h"

#include <gtest/gtest.h>

namespace tracekeeper::continuity {
namespace {

constexpr auto kNone = IdState::kNone;
constexpr auto kValid = IdState::kValid;
constexpr auto kInvalid = IdState::kInvalid;

/// A record, what came of what it names, and what section 6 of docs/reference/verdicts.md says.
struct LogCase {
  const char* name;
  IdState trace;
  IdState span;
  bool is_sampled;
  bool knows_instance;
  LogEvidence evidence;
  Verdict verdict;
};

constexpr LogEvidence kNothingCame;
constexpr LogEvidence kTraceCame{.has_trace = true};
constexpr LogEvidence kSpanCame{.has_trace = true, .has_span = true};
constexpr LogEvidence kWasOpen{.was_open = Answer::kYes};

const LogCase kCases[] = {
    {"ATraceIdOfZeros", kInvalid, kValid, true, true, kSpanCame, Verdict::Bad(Cause::kLogZeroId)},
    {"ASpanIdOfZeros", kValid, kInvalid, true, true, kSpanCame, Verdict::Bad(Cause::kLogZeroId)},
    {"ASpanIdOfZerosAlone", kNone, kInvalid, true, true, kWasOpen, Verdict::Bad(Cause::kLogZeroId)},
    {"AnInvalidIdOfNoInstance", kInvalid, kNone, false, false, kNothingCame,
     Verdict::Bad(Cause::kLogZeroId)},
    {"NoIdOfNoInstance", kNone, kNone, true, false, kWasOpen,
     Verdict::Unknown(Reason::kNoInstance)},
    {"NoIdInsideARequest", kNone, kNone, false, true, kWasOpen, Verdict::Bad(Cause::kLogWithoutId)},
    {"NoTraceIdInsideARequest", kNone, kValid, false, true, kWasOpen,
     Verdict::Bad(Cause::kLogWithoutId)},
    {"NoIdOutsideOfRequests", kNone, kNone, true, true, kNothingCame,
     Verdict::Excluded(Reason::kBackground)},
    {"ATraceThatDidNotCome", kValid, kValid, true, true, kNothingCame,
     Verdict::Bad(Cause::kLogUnknownTrace)},
    {"ATraceThatWasNotSampled", kValid, kValid, false, true, kNothingCame,
     Verdict::Excluded(Reason::kNotSampled)},
    {"ATraceThatDidNotComeWithoutInstance", kValid, kNone, true, false, kNothingCame,
     Verdict::Bad(Cause::kLogUnknownTrace)},
    {"ASpanThatDidNotCome", kValid, kValid, false, true, kTraceCame,
     Verdict::Bad(Cause::kLogUnknownSpan)},
    {"ATraceWithoutASpan", kValid, kNone, false, true, kTraceCame, Verdict::Good()},
    {"ASpanThatCame", kValid, kValid, false, false, kSpanCame, Verdict::Good()},
};

ReadLog LogOf(const LogCase& row) {
  ReadLog log;
  log.trace_state = row.trace;
  log.span_state = row.span;
  log.is_sampled = row.is_sampled;
  log.instance = row.knows_instance ? 3 : 0;
  log.time = 77;
  return log;
}

class JudgedLog : public ::testing::TestWithParam<LogCase> {};

TEST_P(JudgedLog, IsAsThePageSays) {
  EXPECT_EQ(JudgeLog(LogOf(GetParam()), GetParam().evidence), GetParam().verdict);
}

TEST_P(JudgedLog, HasAQuestionWhereItsInstanceDecides) {
  const ReadLog log = LogOf(GetParam());
  const auto question = QuestionAbout(log);
  const bool depends = JudgeLog(log, kWasOpen) != JudgeLog(log, kNothingCame);
  ASSERT_EQ(question.has_value(), depends);
  if (!question) return;
  EXPECT_EQ(question->kind, QuestionKind::kRequestOpen);
  EXPECT_EQ(question->where, log.instance);
  EXPECT_EQ(question->first, log.time);
  EXPECT_EQ(question->last, log.time);
}

INSTANTIATE_TEST_SUITE_P(All, JudgedLog, ::testing::ValuesIn(kCases),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace tracekeeper::continuity
