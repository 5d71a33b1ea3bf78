#pragma once
// The way out of a process: batch span processors, each with its own timer, their queues, the
// Collector behind them; and what arrives.
//
// Threads:  one thread.

#include <vector>

#include "tests/truth/simulation_runtime.h"

namespace tracekeeper::truth {

/// When each record of the ledger arrives; kNever for what does not.
struct Arrivals {
  std::vector<Moment> spans;
  std::vector<Moment> logs;
};

/// Lets all instances export what their programs have ended. A span that is lost on the way is
/// marked with its reason.
Arrivals Export(Runtime& runtime);

/// What arrived, in that order, and what is true of it. Takes the spans out of the ledger.
Simulated Collect(Runtime& runtime);

}  // namespace tracekeeper::truth
