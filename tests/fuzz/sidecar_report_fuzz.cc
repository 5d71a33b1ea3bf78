// What a pod answers on its status port: never trusted, and what is taken of it is short and
// printable.
//
// DEPENDS: tracekeeper::operator_domain

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "operator/domain/sidecar_report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto report = tracekeeper::domain::ParseSidecarReport(text);
  if (!report) return 0;
  if (report->digest.size() > 128 || report->refusal.size() > 300) std::abort();
  if (report->credential_version.value_or(1) < 1) std::abort();
  for (const char c : report->digest + report->refusal) {
    if (c < ' ' || c > '~') std::abort();
  }
  return 0;
}
