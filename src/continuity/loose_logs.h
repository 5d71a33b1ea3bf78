#pragma once
// LooseLogs are the log records of a stream that name no trace: each asks whether a request was
// open on its instance when it was written, is counted with the answer, and is remembered as long
// as the answer may change.
//
// Threads:  one thread.
// Owner:    the tally outlives it.

#include <cstddef>
#include <cstdint>
#include <deque>

#include "src/continuity/join_input.h"
#include "src/continuity/question.h"
#include "src/continuity/span_reader.h"
#include "src/continuity/span_table.h"
#include "src/continuity/tally.h"

namespace tracekeeper::continuity {

class LooseLogs {
 public:
  struct Options {
    AskerId first_asker = 0;  // the others follow
    Tick join_window = 100;
    Tick memory = 6000;
    std::size_t room = 100'000;
  };

  LooseLogs(const Options& options, Tally& tally) : options_(options), tally_(tally) {}

  /// `log`: one that has a question. False where there is no room for it.
  bool Add(const ReadLog& log, Tick settled);
  void Advance(Tick now, JoinInput& input);
  void Take(const GivenAnswer& given);

  static CountedUnit UnitOf(const ReadLog& log, Verdict verdict);

 private:
  struct Loose {
    ReadLog log;
    Tick settled = 0;
    Answer answer = Answer::kNo;
  };

  static Judgement JudgementOf(const Loose& loose);

  const Options options_;
  Tally& tally_;
  // In order of arrival each passes three marks: it has asked, was counted, is forgotten.
  std::deque<Loose> logs_;
  AskerId first_ = 0;  // counted from first_asker
  std::size_t asked_ = 0;
  std::size_t counted_ = 0;
};

}  // namespace tracekeeper::continuity
