#pragma once
// The oracle: docs/reference/verdicts.md once more, slow and simple, written from the page alone.
// Tests hold the engine against it, so nothing here may know the engine.
//
//   EXPECT_EQ(Difference(Judge(spans, logs, policy), what_the_engine_says), "");
//
// It is quadratic within one trace and nearly linear in the number of traces. Section 7 (streams)
// is not its business: it sees the whole input at once.
//
// Threads:  pure functions.
// Failure:  none: every input has a judgement.

#include <span>

#include "tests/truth/oracle_profile.h"
#include "tests/truth/telemetry_model.h"

namespace tracekeeper::truth {

/// Learns the profile from `spans`, then judges by it.
[[nodiscard]] Verdicts Judge(std::span<const ModelSpan> spans, std::span<const ModelLog> logs,
                             const ModelPolicy& policy);

/// Judges by a profile that the caller has: with another skew, or of other traffic.
[[nodiscard]] Verdicts JudgeBy(const OracleProfile& profile, std::span<const ModelSpan> spans,
                               std::span<const ModelLog> logs, const ModelPolicy& policy);

}  // namespace tracekeeper::truth
