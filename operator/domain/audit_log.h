#pragma once
// AuditOfLog takes the records of the audit out of an operator's log, where each is one line:
//
//   time=... level=info msg="Rotation audit" ... record="{\"v\":1,...}"
//
// Threads:  pure function.
// Failure:  none. A line of the audit whose record does not end is kept as far as it goes, so that
//           the verifier names it.

#include <string>
#include <string_view>

namespace tracekeeper::domain {

/// One record a line, in the order of the log.
[[nodiscard]] std::string AuditOfLog(std::string_view log);

}  // namespace tracekeeper::domain
