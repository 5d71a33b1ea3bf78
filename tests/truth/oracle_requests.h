#pragma once
// Requests and logs: 3.7 and section 6 of docs/reference/verdicts.md.
//
// Threads:  pure functions.

#include "tests/truth/oracle_ledger.h"
#include "tests/truth/oracle_scene.h"
#include "tests/truth/oracle_traces.h"

namespace tracekeeper::truth {

/// Counts the request of `trace`, once all units of all traces are in the ledger.
void JudgeRequest(const OracleScene& scene, const OracleTrace& trace, OracleLedger& ledger);

void JudgeLog(const OracleScene& scene, const ModelLog& log, OracleLedger& ledger);

}  // namespace tracekeeper::truth
