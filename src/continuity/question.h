#pragma once
// Question is what one trace cannot say of itself: it is answered by JoinStage, which has seen the
// others.
//
// Threads:  values.

#include <cstdint>

#include "src/continuity/names.h"
#include "src/continuity/span.h"
#include "src/otlp/trace_id.h"

namespace tracekeeper::continuity {

enum class QuestionKind : std::uint8_t {
  /// Was a request open on instance `where` at `first`?
  kRequestOpen,
  /// Did entry spans of more than `own_starts` begin on instance `where` between `first` and
  /// `last`?
  kOthersStarted,
  /// Does the absent parent whose orphans of instance `where` ended at `first`, and which ended
  /// itself by `last`, belong to a lost batch?
  kLostBatch,
  /// A call to service `where`, open from `first` to `last`: where did it arrive?
  kCall,
  /// A SERVER root of service `where`, started at `first`: did a call of another trace make it?
  kServerRoot,
};

enum class Answer : std::uint8_t {
  kNo,
  kYes,
  kPeerWasThere,  // of a call: it arrived nowhere, and the peer recorded other requests then
};

/// Whoever asks chooses its number: a new one each time it asks, until the stage has forgotten it.
using AskerId = std::uint64_t;

/// The place of a question among those of its asker.
using QuestionNumber = std::uint32_t;

struct Question {
  QuestionKind kind = QuestionKind::kRequestOpen;
  bool is_served = false;  // of an absent parent: the entry came that it worked for
  NameId where = 0;
  NameId operation = 0;  // of a call or a root; 0: not said
  Microseconds first = 0;
  Microseconds last = 0;
  otlp::TraceId trace;
  std::uint64_t span_id = 0;
  std::uint64_t own_starts = 0;
};

}  // namespace tracekeeper::continuity
