#pragma once
// The spans put together to traces: repeats, invalid ids, 64-bit ids, nodes, parents, links,
// pieces, roots and orphans. Section 3 of docs/reference/verdicts.md up to 3.1.
//
// Threads:  values and pure functions. Spans point at each other and live as long as OracleTraces.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tests/truth/oracle_span.h"
#include "tests/truth/telemetry_model.h"

namespace tracekeeper::truth {

struct OracleTrace {
  std::string id;
  std::vector<OracleSpan*> spans;                         // StartsBefore
  std::map<std::string, std::vector<OracleSpan*>> nodes;  // by span id, "first" is first
  std::vector<const OracleSpan*> collisions;              // the first span of each such node
  std::optional<std::uint64_t> randomness;
};

struct OracleTraces {
  OracleTraces() = default;
  OracleTraces(OracleTraces&&) noexcept = default;
  OracleTraces(const OracleTraces&) = delete;
  OracleTraces& operator=(OracleTraces&&) = delete;
  OracleTraces& operator=(const OracleTraces&) = delete;
  ~OracleTraces() = default;

  /// The trace that spans with this id are judged in; nullptr where none came.
  [[nodiscard]] const OracleTrace* Find(const std::string& trace_id) const;

  std::deque<OracleSpan> all;  // without repeats, with invalid ones; those never move
  std::map<std::string, OracleTrace> traces;
  std::map<std::string, std::string> longer_ids;  // of short ones that are judged with another
};

[[nodiscard]] OracleTraces Assemble(std::span<const ModelSpan> spans);

/// Whether a group of spans that hang together has neither a root nor an orphan.
[[nodiscard]] bool HasPieceWithoutTop(const OracleTrace& trace);

/// The low 64 bits of a trace id.
[[nodiscard]] std::uint64_t LowHalf(const std::string& trace_id);

}  // namespace tracekeeper::truth
