#pragma once
// MatchCalls finds, for calls that arrived nowhere and requests that came from nowhere at one
// service, which of them are the two halves of one broken hop.
//
// Threads:  pure.
// Cost:     n log n.
// Source:   docs/reference/verdicts.md, 3.3.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/continuity/question.h"

namespace tracekeeper::continuity {

/// A pair of indexes.
struct MatchedCall {
  std::size_t call = 0;
  std::size_t root = 0;

  bool operator==(const MatchedCall&) const = default;
};

/// How long a call waits for its root, beside its own length.
struct MatchingTimes {
  Microseconds skew = 0;
  Microseconds delay = kMaxDuration;  // after the call's start
};

/// `calls` are of kind kCall, `roots` of kind kServerRoot, all of one service.
std::vector<MatchedCall> MatchCalls(const std::vector<Question>& calls,
                                    const std::vector<Question>& roots, MatchingTimes times);

}  // namespace tracekeeper::continuity
