#pragma once
// TraceReport is what became of one trace, in words: for `tracekeeper analyze --traces` and for
// whoever asks a running analyzer about a trace.
//
// Threads:  pure.

#include <cstdint>
#include <string>
#include <vector>

#include "src/continuity/judge.h"
#include "src/continuity/names.h"
#include "src/continuity/trace_tree.h"

namespace tracekeeper::continuity {

struct TraceFinding {
  Cause cause = Cause::kUnknownCause;
  std::string span_id;
  std::string service;
  std::string peer;
  std::string detail;
};

struct TraceReport {
  std::string trace_id;
  Verdict verdict;
  std::uint64_t pieces = 0;
  std::vector<TraceFinding> findings;
};

/// A place in a trace where something broke, or where something is worth telling.
struct BreakInTrace {
  Cause cause = Cause::kUnknownCause;
  SpanIndex span = 0;
  NameId peer = 0;
};

/// In the order of their spans. `trace` is concluded.
std::vector<BreakInTrace> BreaksIn(const TraceTree& tree, const JudgedTrace& trace);
/// What an example says beside its ids: `SERVER "GET /cart", its parent 00f067aa0ba902b7 is
/// absent`.
std::string DetailOf(const TraceTree& tree, SpanIndex index, const Names& names);
TraceReport ReportOf(const TraceTree& tree, const JudgedTrace& trace, const Names& names);

/// 32 digits.
std::string HexOf(otlp::TraceId id);
/// 16 digits.
std::string HexOf(std::uint64_t span_id);

}  // namespace tracekeeper::continuity
