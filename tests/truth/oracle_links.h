#pragma once
// What the place of each span in its trace says: the table of 3.1, orphans (3.2) and roots (3.5) of
// docs/reference/verdicts.md.
//
// Threads:  pure functions.

#include "tests/truth/oracle_ledger.h"
#include "tests/truth/oracle_scene.h"
#include "tests/truth/oracle_traces.h"

namespace tracekeeper::truth {

/// Counts the units of `span` as a child, and its findings that are no breaks (3.8).
void JudgeSpan(const OracleScene& scene, const OracleTrace& trace, const OracleSpan& span,
               OracleLedger& ledger);

}  // namespace tracekeeper::truth
