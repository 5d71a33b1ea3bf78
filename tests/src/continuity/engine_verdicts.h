#pragma once
// What the engine says of simulated telemetry, in the form in which the oracle says it.
//
// Threads:  pure.

#include <cstddef>
#include <span>
#include <vector>

#include "tests/truth/telemetry_model.h"

namespace tracekeeper::continuity {

/// Spans arrive in the order of `order`, which may name one several times; empty: as they stand.
/// Fails the test where the results of a family do not add up to what was seen.
truth::Verdicts JudgeByEngine(std::span<const truth::ModelSpan> spans,
                              std::span<const truth::ModelLog> logs,
                              const truth::ModelPolicy& policy,
                              std::span<const std::size_t> order = {});

}  // namespace tracekeeper::continuity
