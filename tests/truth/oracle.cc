#include "tests/truth/oracle.h"

#include "tests/truth/oracle_calls.h"
#include "tests/truth/oracle_contexts.h"
#include "tests/truth/oracle_ledger.h"
#include "tests/truth/oracle_links.h"
#include "tests/truth/oracle_requests.h"
#include "tests/truth/oracle_scene.h"
#include "tests/truth/oracle_traces.h"

namespace tracekeeper::truth {
namespace {

/// The breaks that are no unit of their own. What repeats a traceparent is remembered: it comes
/// before all units.
void JudgeWholeTrace(const OracleTrace& trace, OracleScene& scene, OracleLedger& ledger) {
  for (const OracleSpan* first : trace.collisions) ledger.AddBreak("span_id_collision", *first);
  const auto repeated = FindRepeatedTraceparents(trace, scene.profile.settle_window);
  scene.repeating.insert(repeated.entries.begin(), repeated.entries.end());
  for (const OracleSpan* second : repeated.second) ledger.AddBreak("mixed_traces", *second);
  const OracleSpan* const second_use = FindSecondUse(trace);
  if (second_use != nullptr) ledger.AddBreak("mixed_traces", *second_use);
}

Verdicts JudgeTraces(const OracleTraces& traces, const OracleProfile& profile,
                     std::span<const ModelLog> logs, const ModelPolicy& policy) {
  OracleScene scene{traces, profile, policy, FindEntries(traces), {}, {}, {}};
  OracleLedger ledger;
  scene.lost_with_batch = FindLostWithBatch(traces, profile);
  scene.matches = MatchCalls(scene);
  for (const OracleSpan& span : traces.all) {
    if (!span.has_valid_ids) ledger.AddInProcess(Bad("invalid_id"), span);
  }
  for (const auto& [id, trace] : traces.traces) {
    JudgeWholeTrace(trace, scene, ledger);
    for (const OracleSpan* span : trace.spans) {
      JudgeSpan(scene, trace, *span, ledger);
      if (span->is_out && !span->is_paired) JudgeCall(scene, *span, ledger);
    }
  }
  for (const auto& [id, trace] : traces.traces) JudgeRequest(scene, trace, ledger);
  for (const ModelLog& log : logs) JudgeLog(scene, log, ledger);
  return ledger.verdicts();
}

}  // namespace

Verdicts Judge(std::span<const ModelSpan> spans, std::span<const ModelLog> logs,
               const ModelPolicy& policy) {
  const OracleTraces traces = Assemble(spans);
  return JudgeTraces(traces, LearnProfile(traces), logs, policy);
}

Verdicts JudgeBy(const OracleProfile& profile, std::span<const ModelSpan> spans,
                 std::span<const ModelLog> logs, const ModelPolicy& policy) {
  return JudgeTraces(Assemble(spans), profile, logs, policy);
}

}  // namespace tracekeeper::truth
