#pragma once
// Snapshot is all that an Analysis has to tell at one moment, as a value: metrics and API are
// functions of it. Its sums are those of one moment too, because the engine's own thread makes it.
//
// Threads:  immutable; any number may read one.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "src/analysis/series.h"
#include "src/base/clock.h"
#include "src/continuity/cause.h"
#include "src/continuity/stream_shard.h"
#include "src/otlp/intake.h"

namespace tracekeeper::analysis {

/// Where breaks show, and how often.
struct BreakPlace {
  continuity::Cause cause = continuity::Cause::kUnknownCause;
  PolicyLabels policy;
  std::string service;
  std::string peer;
  std::string scope;
  std::string span_name;
  std::uint64_t count = 0;                          // net of repairs
  std::uint64_t error = 0;                          // the count is at most so much over the truth
  std::vector<continuity::SpanReference> examples;  // latest first
};

/// Breaks and findings of one cause at one service, net of repairs.
struct ServiceCause {
  continuity::Cause cause = continuity::Cause::kUnknownCause;
  std::string service;
  std::uint64_t count = 0;
};

struct ShardState {
  std::uint64_t pending_spans = 0;
  std::uint64_t table_bytes = 0;
  std::uint64_t budget_bytes = 0;
};

/// What came in and was not judged, and why.
struct IntakeCounts {
  std::array<std::uint64_t, otlp::kIngresses.size()> spans{};
  std::array<std::uint64_t, otlp::kIngresses.size()> logs{};
  std::array<std::uint64_t, otlp::kRefuseReasons.size()> refused{};  // requests
  std::uint64_t metrics_requests = 0;                                // taken, and of no use here
  std::uint64_t queued_bytes = 0;
  std::uint64_t queue_budget_bytes = 0;
};

struct Snapshot {
  Instant taken;
  std::uint64_t start = 0;  // of the process, in nanoseconds since 1970: tokens name it
  std::uint64_t epochs = 0;
  /// A profile of the services was learned, or given. Before that nothing is judged.
  bool is_learned = false;
  bool is_draining = false;
  /// After such a pause a trace is judged now.
  continuity::Microseconds settle_window = 0;
  SeriesTable series;
  /// Most first.
  std::vector<BreakPlace> breaks;
  /// What is not in `breaks` was counted at most so often.
  std::uint64_t breaks_floor = 0;
  /// Findings that are no unit's own.
  std::vector<ServiceCause> findings;
  continuity::ShardCounts counts;
  std::vector<ShardState> shards;
  IntakeCounts intake;
};

}  // namespace tracekeeper::analysis
