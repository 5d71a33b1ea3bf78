#pragma once
// Retry-After as RFC 9110 10.2.3 has it: seconds, or a date in the format that HTTP prescribes.
//
// Threads:  pure.

#include <optional>
#include <string_view>

#include "src/base/clock.h"

namespace tracekeeper::otlp {

/// How long after `now`; zero for a date that has passed, nothing for text that is neither.
[[nodiscard]] std::optional<Duration> ReadRetryAfter(std::string_view text, Instant now);

}  // namespace tracekeeper::otlp
