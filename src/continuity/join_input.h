#pragma once
// JoinInput is what a shard of a stream tells the join stage and the learner: spans that it saw,
// questions, who asks no more, samples.
//
// Threads:  a value; made by one thread, handed to another.

#include <vector>

#include "src/continuity/join_stage.h"
#include "src/continuity/question.h"
#include "src/continuity/shape.h"
#include "src/continuity/span.h"
#include "src/continuity/stream_learner.h"

namespace tracekeeper::continuity {

struct JoinInput {
  struct Asked {
    AskerId asker = 0;
    std::vector<Question> questions;
  };
  /// That a span, which is no entry, ended then on that instance.
  struct Ended {
    NameId instance = 0;
    Microseconds end = 0;
  };

  std::vector<Span> seen;  // as its shape says: it came under no other id
  std::vector<Ended> ended;
  std::vector<Asked> withdrawn;
  std::vector<SampledTrace> samples;  // for the learner
  std::vector<ArrivalLag> lags;       // for the learner: of a fair share of the spans
  std::vector<Asked> asked;
  /// Of one question: that of nearly every trace.
  struct AskedOnce {
    AskerId asker = 0;
    Question question;
  };
  std::vector<AskedOnce> asked_once;

  /// Keeps the memory.
  void Clear() {
    seen.clear();
    ended.clear();
    withdrawn.clear();
    samples.clear();
    lags.clear();
    asked.clear();
    asked_once.clear();
  }
};

}  // namespace tracekeeper::continuity
