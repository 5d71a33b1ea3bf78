#pragma once
// SidecarReport is what a sidecar says on /status about its configuration and its credential, as
// far as the operator needs it. It comes from a pod, so nothing of it is trusted: texts are cut and
// cleaned.
//
// Threads:  pure.
// Failure:  kDecode for anything that is no sidecar's answer.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace tracekeeper::domain {

struct SidecarReport {
  std::string digest;   // of the configuration in use; empty: none is
  std::string refusal;  // why a newer one was refused; empty: none was
  /// Number of the credential that it sends; nothing: it has none, or none that is rotated.
  std::optional<std::int64_t> credential_version;

  bool operator==(const SidecarReport&) const = default;
};

inline constexpr std::size_t kMostReportBytes = 64U << 10U;

Result<SidecarReport> ParseSidecarReport(std::string_view text);

}  // namespace tracekeeper::domain
