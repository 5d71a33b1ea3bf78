#pragma once
// How well findings agree with seeded truth, cause by cause.
//
// A break and a finding agree where cause, trace id and span id do. Two causes are read wider,
// because what they say is not about one span: `fragments` agrees by its trace alone, and
// `truncated_id` by the lower half of the trace id, whichever of the two ids a judge reports it
// under. Equal findings are one: records without ids can be told apart by their number only.
//
// Threads:  pure.

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/truth/simulation.h"

namespace tracekeeper::truth {

/// "cause trace-id span-id" in hexadecimal, as in Verdicts::findings.
std::string FindingOf(const SeededBreak& seeded);

struct CauseScore {
  std::size_t seeded = 0;
  std::size_t reported = 0;
  std::size_t agreed = 0;

  [[nodiscard]] double precision() const;  // 1 where nothing was reported
  [[nodiscard]] double recall() const;     // 1 where nothing was seeded
};

struct Scores {
  std::map<std::string, CauseScore> causes;  // that were seeded or reported
  std::set<std::string> missed;              // findings that were seeded and not reported
  std::set<std::string> false_alarms;        // the other way round

  /// A line each cause, for people.
  [[nodiscard]] std::string Table() const;
};

Scores Score(const std::vector<SeededBreak>& truth, const std::set<std::string>& findings);

/// How many breaks of each cause were seeded; log records without ids count one by one.
std::map<std::string, std::size_t> CountByCause(const std::vector<SeededBreak>& truth);

}  // namespace tracekeeper::truth
