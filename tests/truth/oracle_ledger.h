#pragma once
// OracleLedger counts what the rules decide, and remembers of each trace what its request needs to
// know of it.
//
// Threads:  one thread.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/truth/oracle_span.h"
#include "tests/truth/telemetry_model.h"

namespace tracekeeper::truth {

struct Outcome {
  std::string result;  // good, bad, excluded, unknown
  std::string reason;  // the cause of bad; empty for good

  [[nodiscard]] std::string Text() const { return reason.empty() ? result : result + " " + reason; }
};

[[nodiscard]] inline Outcome Good() { return {"good", ""}; }
[[nodiscard]] inline Outcome Bad(std::string cause) { return {"bad", std::move(cause)}; }
[[nodiscard]] inline Outcome Excluded(std::string reason) {
  return {"excluded", std::move(reason)};
}
[[nodiscard]] inline Outcome Unknown(std::string reason) { return {"unknown", std::move(reason)}; }

struct HopSides {
  std::string client;
  std::string server;
  std::string protocol;
};

/// What the units of one trace say about its request.
struct TraceNotes {
  struct Note {
    std::string reason;  // or cause
    const OracleSpan* at = nullptr;
  };
  std::vector<Note> breaks;
  std::vector<Note> unknowns;
  std::vector<const OracleSpan*> foreign_roots;  // orphans that the request counts as rooted at
  std::set<const OracleSpan*> continued_roots;   // that a call of another trace was matched with
};

class OracleLedger {
 public:
  void AddHop(const HopSides& sides, const Outcome& outcome, const OracleSpan& at);
  void AddInProcess(const Outcome& outcome, const OracleSpan& at);
  void AddRequest(const std::string& entry, const Outcome& outcome);
  void AddLog(const std::string& service, const Outcome& outcome, const ModelLog& log);
  /// A break that is no unit of its own: it makes the request bad.
  void AddBreak(const std::string& cause, const OracleSpan& at);
  /// A finding that makes nothing bad.
  void AddFinding(const std::string& cause, const OracleSpan& at);

  /// The notes of a trace, by the id that it is judged under.
  TraceNotes& NotesOf(const std::string& trace_id) { return notes_[trace_id]; }

  [[nodiscard]] const Verdicts& verdicts() const { return verdicts_; }

 private:
  void Note(const Outcome& outcome, const OracleSpan& at);

  Verdicts verdicts_;
  std::map<std::string, TraceNotes> notes_;
};

}  // namespace tracekeeper::truth
