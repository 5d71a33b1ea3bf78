#pragma once
// AnalysisSettings are what a person sets of an analyzer, the same for the program of its own and
// for the one inside of the operator: numbers with their defaults, flags, and what they mean.
//
//   struct Options : AnalysisSettings { ... };
//   AddAnalysisFlags(app, options);
//   server.analysis = OptionsOf(options);
//
// Threads:  a value and pure functions.
// Failure:  a flag out of its bounds is refused by CLI11 with a sentence.

#include <cstdint>

#include "src/analysis/analysis.h"

namespace CLI {
class App;
}

namespace tracekeeper::analysis {

struct AnalysisSettings {
  std::int64_t memory_mib = 256;
  std::int64_t queue_mib = 64;
  std::int64_t max_edges = 2000;
  std::int64_t max_services = 2000;
  std::int64_t max_policies = 1000;
  double settle_seconds = 10;
  double join_seconds = 10;
  double repair_seconds = 600;
  double warm_up_seconds = 30;
  double learning_seconds = 60;

  bool operator==(const AnalysisSettings&) const = default;
};

void AddAnalysisFlags(CLI::App& app, AnalysisSettings& settings);

/// All else as it is by default.
AnalysisOptions OptionsOf(const AnalysisSettings& settings);

/// As the clock counts.
Duration DurationOfSeconds(double seconds);

}  // namespace tracekeeper::analysis
