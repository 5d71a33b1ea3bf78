// A file of audit records: never trusted, and whatever is found in it has a line and a sentence.
//
// DEPENDS: tracekeeper::operator_domain

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "operator/domain/audit_chain.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto verdict =
      tracekeeper::domain::VerifyAudit({reinterpret_cast<const char*>(data), size});
  if (verdict.fault && (verdict.fault->line == 0 || verdict.fault->sentence.empty())) std::abort();
  std::int64_t records = 0;
  for (const auto& chain : verdict.chains) records += chain.head.count;
  if (records != static_cast<std::int64_t>(verdict.records)) std::abort();
  return 0;
}
