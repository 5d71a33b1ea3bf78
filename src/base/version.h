#pragma once
// The version of this build: what programs print, send as User-Agent and write into pods.

#include <string_view>

namespace tracekeeper {

/// "0.1.0"
extern const std::string_view kVersion;
/// Abbreviated commit, or empty outside a checkout.
extern const std::string_view kCommit;

}  // namespace tracekeeper
