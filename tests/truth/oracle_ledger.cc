#include "tests/truth/oracle_ledger.h"

namespace tracekeeper::truth {
namespace {

std::string Finding(const std::string& cause, const std::string& trace_id,
                    const std::string& span_id) {
  return cause + " " + Hex(trace_id) + " " + Hex(span_id);
}

}  // namespace

void OracleLedger::AddHop(const HopSides& sides, const Outcome& outcome, const OracleSpan& at) {
  ++verdicts_.units["hop " + outcome.Text()];
  ++verdicts_
        .hops[sides.client + " > " + sides.server + " " + sides.protocol + " " + outcome.Text()];
  Note(outcome, at);
}

void OracleLedger::AddInProcess(const Outcome& outcome, const OracleSpan& at) {
  ++verdicts_.units["in_process " + outcome.Text()];
  ++verdicts_.in_process[at.service + " " + outcome.Text()];
  Note(outcome, at);
}

void OracleLedger::AddRequest(const std::string& entry, const Outcome& outcome) {
  ++verdicts_.units["request " + outcome.Text()];
  ++verdicts_.requests[entry + " " + outcome.Text()];
}

void OracleLedger::AddLog(const std::string& service, const Outcome& outcome, const ModelLog& log) {
  ++verdicts_.units["log " + outcome.Text()];
  ++verdicts_.logs[service + " " + outcome.Text()];
  if (outcome.result != "bad") return;
  verdicts_.findings.insert(Finding(outcome.reason, log.trace_id, log.span_id));
}

void OracleLedger::AddBreak(const std::string& cause, const OracleSpan& at) {
  AddFinding(cause, at);
  notes_[at.judged_trace].breaks.push_back({cause, &at});
}

void OracleLedger::AddFinding(const std::string& cause, const OracleSpan& at) {
  verdicts_.findings.insert(Finding(cause, at.trace_id, at.span_id));
}

void OracleLedger::Note(const Outcome& outcome, const OracleSpan& at) {
  if (outcome.result == "bad") AddBreak(outcome.reason, at);
  if (outcome.result == "unknown") {
    notes_[at.judged_trace].unknowns.push_back({outcome.reason, &at});
  }
}

}  // namespace tracekeeper::truth
