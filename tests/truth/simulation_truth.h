#pragma once
// What a perfect judge would report of what arrived, read off the ledger: it knows which span lost
// which parent, and why.
//
// Threads:  pure.

#include <vector>

#include "tests/truth/simulation.h"
#include "tests/truth/simulation_ledger.h"

namespace tracekeeper::truth {

/// In the order in which spans and logs were made, by kinds of break. Everything must have been
/// exported.
std::vector<SeededBreak> TruthOf(const Ledger& ledger, Sampling sampling);

}  // namespace tracekeeper::truth
