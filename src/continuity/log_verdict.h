#pragma once
// What a log record is judged from, beside itself, and its verdict.
//
// Threads:  pure.
// Source:   docs/reference/verdicts.md, section 6.

#include <optional>

#include "src/continuity/question.h"
#include "src/continuity/span_reader.h"
#include "src/continuity/verdict.h"

namespace tracekeeper::continuity {

struct LogEvidence {
  bool has_trace = false;         // a span of the trace that it names came
  bool has_span = false;          // the span that it names came
  Answer was_open = Answer::kNo;  // to the question about it
};

/// What has to be asked about a record that names no trace.
std::optional<Question> QuestionAbout(const ReadLog& log);

Verdict JudgeLog(const ReadLog& log, const LogEvidence& evidence);

}  // namespace tracekeeper::continuity
