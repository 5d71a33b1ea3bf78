#pragma once
// Analysis is all that `tracekeeper analyze` has to tell, and the three ways it tells it.
//
// Threads:  values and pure functions.

#include <cstddef>
#include <string>
#include <vector>

#include "src/continuity/profile.h"
#include "src/continuity/report.h"
#include "src/continuity/structure.h"
#include "src/otlp/telemetry_import.h"

namespace tracekeeper::cli {

struct AnalyzedInput {
  std::string file;
  otlp::TelemetryFormat format = otlp::TelemetryFormat::kOtlpJson;
  std::size_t rows = 0;  // spans and log records that were read
  std::vector<otlp::RejectedRecord> rejected;
};

struct Analysis {
  std::vector<AnalyzedInput> inputs;
  continuity::Structure structure;
  continuity::Report report;
  std::string profile;  // as ProfileJsonOf says it, where it was asked for
};

/// For a person at a terminal of `width` columns.
std::string TableOf(const Analysis& analysis);
/// As docs/reference/analyze.md describes it.
std::string JsonOf(const Analysis& analysis);
/// What was learned before anything was judged, as docs/reference/analyze.md describes it.
std::string ProfileJsonOf(const continuity::Profile& profile, const continuity::Names& names);
/// For the description of a pull request.
std::string MarkdownOf(const Analysis& analysis);

/// "98.2 %"; "-" where there is nothing to divide. Never 100.0 % with a break.
std::string PercentOf(const continuity::Ratio& ratio);
/// "12,345"
std::string Grouped(std::uint64_t number);
/// The edge with most breaks; null where none broke.
const continuity::EdgeReport* WorstEdge(const continuity::Report& report);

}  // namespace tracekeeper::cli
