#pragma once
// Times as the Kubernetes API writes them: RFC 3339 in UTC, whole seconds (metav1.Time) or
// microseconds (metav1.MicroTime, in Leases and Events).
//
// Threads:  pure functions.
// Failure:  text that is no RFC 3339 time is kDecode.

#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"

namespace tracekeeper::kube {

/// Reads "2026-01-02T03:04:05Z", also with a fraction and with an offset such as "+02:00".
Result<Instant> ParseTimestamp(std::string_view text);

/// "2026-01-02T03:04:05Z": for metav1.Time. The fraction is cut off.
std::string FormatTimestamp(Instant time);

/// "2026-01-02T03:04:05.678901Z": for metav1.MicroTime.
std::string FormatMicroTimestamp(Instant time);

}  // namespace tracekeeper::kube
