#pragma once
// A test's load on an AnalyzerProcess, and the memory that it may cost.
//
// Threads:  one thread; SendAll makes more while it sends.
// Owner:    the test; the process outlives it.

#include <cstddef>
#include <functional>
#include <string>

#include "tests/analyzer/analyzer_process.h"

namespace tracekeeper::analyzer {

/// Requests, by their answer.
struct Answers {
  std::size_t taken = 0;
  std::size_t pushed_back = 0;  // with a time to come again
  std::size_t other = 0;
};

/// What becomes of what is pushed back.
enum class PushedBack { kIsSentAgain, kIsDropped };

/// Sends what `make(n)` gives for each n below `requests` to OTLP/HTTP, over four connections as
/// fast as they go.
Answers SendAll(const AnalyzerProcess& analyzer, std::size_t requests, PushedBack pushed_back,
                const std::function<std::string(std::size_t)>& make);

/// The scrape when nothing waits any more. All scrapes until then add up, or the test fails.
analysis::Samples ScrapeWhenJudged(AnalyzerProcess& analyzer);

/// The most memory that the process ever had resident, in MiB.
double MostResidentMiB(AnalyzerProcess& analyzer);

}  // namespace tracekeeper::analyzer
