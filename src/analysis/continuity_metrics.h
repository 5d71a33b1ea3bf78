#pragma once
// WriteContinuityMetrics writes what scrapers get of an analysis: the names, labels and meanings of
// docs/reference/analyzer-metrics.md, which dashboards and rules rely on.
//
//   telemetry::Exposition text(telemetry::FormatFor(accept));
//   WriteContinuityMetrics(*analysis.TakeSnapshot(), text);
//
// All results of a series are there from its first scrape on, and all its repairs; a cause from its
// first break on, for good.
//
// Threads:  pure.

#include "src/analysis/snapshot.h"
#include "src/telemetry/exposition.h"

namespace tracekeeper::analysis {

void WriteContinuityMetrics(const Snapshot& snapshot, telemetry::Exposition& text);

}  // namespace tracekeeper::analysis
