#pragma once
// All that the rules of one judgement look at, and what was found across traces before the first
// unit is decided.
//
// Threads:  a value; it points at what the caller owns.

#include <map>
#include <set>

#include "tests/truth/oracle_profile.h"
#include "tests/truth/oracle_traces.h"
#include "tests/truth/telemetry_model.h"

namespace tracekeeper::truth {

struct OracleScene {
  const OracleTraces& traces;
  const OracleProfile& profile;
  const ModelPolicy& policy;
  Entries entries;

  std::set<const OracleSpan*> repeating;                   // a traceparent (3.4)
  std::set<const OracleSpan*> lost_with_batch;             // orphans (3.6)
  std::map<const OracleSpan*, const OracleSpan*> matches;  // of a call: the SERVER root (3.3)
};

}  // namespace tracekeeper::truth
