#pragma once
// Dates as HTTP writes them (RFC 9110 5.6.7), and Retry-After (10.2.3), which is one or seconds.
//
// Threads:  pure.

#include <optional>
#include <string_view>

#include "src/base/clock.h"

namespace tracekeeper::net {

/// "Sun, 06 Nov 1994 08:49:37 GMT", the one format that senders must use; nothing for other text.
[[nodiscard]] std::optional<Instant> ReadHttpDate(std::string_view text);

/// How long after `now`; zero for a date that has passed, nothing for text that is neither.
[[nodiscard]] std::optional<Duration> ReadRetryAfter(std::string_view text, Instant now);

}  // namespace tracekeeper::net
