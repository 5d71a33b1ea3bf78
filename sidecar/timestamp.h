#pragma once
// Times as /status writes them.

#include <string>

#include "src/base/clock.h"

namespace tracekeeper::sidecar {

/// "2026-01-02T03:04:05Z"
[[nodiscard]] std::string Timestamp(Instant instant);

}  // namespace tracekeeper::sidecar
