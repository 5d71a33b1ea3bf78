#pragma once
// Contexts that were kept too long, and batches that were lost: 3.4 and 3.6 of
// docs/reference/verdicts.md.
//
// Threads:  pure functions.

#include <cstdint>
#include <set>
#include <vector>

#include "tests/truth/oracle_scene.h"
#include "tests/truth/oracle_traces.h"

namespace tracekeeper::truth {

/// Whether `span`, which has a local parent, was done by a worker that kept an old context.
[[nodiscard]] bool IsStaleWork(const OracleScene& scene, const OracleSpan& span);

struct RepeatedTraceparents {
  std::set<const OracleSpan*> entries;    // that repeat one
  std::vector<const OracleSpan*> second;  // for each repeated parent the second entry
};
[[nodiscard]] RepeatedTraceparents FindRepeatedTraceparents(const OracleTrace& trace,
                                                            std::int64_t settle_window);

/// The span that begins the second use of the trace's id; nullptr where it was used once.
[[nodiscard]] const OracleSpan* FindSecondUse(const OracleTrace& trace);

/// The orphans whose parents were lost with a batch.
[[nodiscard]] std::set<const OracleSpan*> FindLostWithBatch(const OracleTraces& traces,
                                                            const OracleProfile& profile);

}  // namespace tracekeeper::truth
