#pragma once
// Calls without a partner: 3.3 of docs/reference/verdicts.md.
//
// Threads:  pure functions.

#include <map>
#include <string>

#include "tests/truth/oracle_ledger.h"
#include "tests/truth/oracle_scene.h"

namespace tracekeeper::truth {

/// The SERVER root that each call was matched with.
[[nodiscard]] std::map<const OracleSpan*, const OracleSpan*> MatchCalls(const OracleScene& scene);

/// Counts `call`, an out span that is not paired.
void JudgeCall(const OracleScene& scene, const OracleSpan& call, OracleLedger& ledger);

/// What a hop speaks; either side may be absent.
[[nodiscard]] std::string ProtocolOf(const OracleSpan* entry, const OracleSpan* out);

}  // namespace tracekeeper::truth
