#include "operator/domain/audit_log.h"

#include <algorithm>

namespace tracekeeper::domain {
namespace {

constexpr std::string_view kMessage = " msg=\"Rotation audit\"";
constexpr std::string_view kRecord = " record=\"";

/// The text of a quoted value, up to its closing quote.
void AppendUnquoted(std::string_view quoted, std::string& out) {
  for (std::size_t at = 0; at < quoted.size() && quoted[at] != '"'; ++at) {
    if (quoted[at] == '\\' && at + 1 < quoted.size()) ++at;
    out.push_back(quoted[at]);
  }
}

}  // namespace

std::string AuditOfLog(std::string_view log) {
  std::string records;
  while (!log.empty()) {
    const std::size_t end = std::min(log.find('\n'), log.size());
    const std::string_view line = log.substr(0, end);
    log.remove_prefix(std::min(end + 1, log.size()));
    const std::size_t record = line.find(kRecord);
    const bool is_audit =
        record != std::string_view::npos && line.substr(0, record).find(kMessage) != line.npos;
    if (!is_audit) continue;
    AppendUnquoted(line.substr(record + kRecord.size()), records);
    records.push_back('\n');
  }
  return records;
}

}  // namespace tracekeeper::domain
