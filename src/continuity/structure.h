#pragma once
// Structure is a plain count of what traces look like: roots, orphans, pieces, ids, order in time.
// It judges nothing: the verdicts are the engine's, and this is what they can be checked against.
//
// Rows that are repeated exactly (every field of SpanRow equal) are counted once.
//
// Threads:  pure.
// Cost:     sorts the rows; a few words of memory for each.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "src/otlp/telemetry_fields.h"
#include "src/otlp/trace_id.h"

namespace tracekeeper::continuity {

/// One span as it came. Texts are numbers of the caller's own: equal texts have equal numbers.
struct SpanRow {
  otlp::TraceId trace;
  std::uint64_t id = 0;
  std::uint64_t parent = 0;  // 0: none
  std::uint64_t start = 0;   // nanoseconds since 1970
  std::uint64_t end = 0;
  std::uint32_t service = 0;
  std::uint32_t name = 0;
  otlp::SpanKind kind = otlp::SpanKind::kUnspecified;

  bool operator==(const SpanRow&) const = default;
};

inline constexpr std::size_t kSpanKinds = 6;
using CountByKind = std::array<std::uint64_t, kSpanKinds>;

struct Structure {
  std::uint64_t rows = 0;
  std::uint64_t repeats = 0;
  std::uint64_t spans = 0;
  std::uint64_t traces = 0;
  std::uint64_t roots = 0;                // without parent
  std::uint64_t orphans = 0;              // with a parent that no span of the trace is
  std::uint64_t missing_parents = 0;      // distinct absent parents
  std::uint64_t missing_root_ids = 0;     // of these, equal to the low half of the trace id
  std::uint64_t fragments = 0;            // pieces: a root, or the orphans of one absent parent
  std::uint64_t complete = 0;             // traces of one root and no orphan
  std::uint64_t rootless = 0;             // traces
  std::uint64_t multiroot = 0;            // traces
  std::uint64_t single_span = 0;          // traces
  std::uint64_t id_shared_rpc = 0;        // ids of exactly one CLIENT and one SERVER span
  std::uint64_t id_collision = 0;         // other ids of more than one span
  std::uint64_t ids_64bit = 0;            // traces whose id has an upper half of zeros
  std::uint64_t edges_cross_service = 0;  // children of a parent in another service
  std::uint64_t out_spans = 0;            // CLIENT and PRODUCER
  std::uint64_t out_leaf = 0;  // of these, without child and without a SERVER of their id
  std::uint64_t t_before = 0;  // children that start before their parent
  std::uint64_t t_after = 0;   // children that start after their parent's end
  std::uint64_t t_over = 0;    // children that end after their parent
  CountByKind root_kinds{};
  CountByKind orphan_kinds{};

  bool operator==(const Structure&) const = default;
};

/// Sorts `rows`.
Structure CountStructure(std::span<SpanRow> rows);

/// "CLIENT"; "UNSPEC" where a span says none.
std::string_view NameOf(otlp::SpanKind kind);

}  // namespace tracekeeper::continuity
