#pragma once
// SHA-256 for content addresses: configuration hashes, certificate fingerprints, Lease identities.
//
// Threads:  pure functions.

#include <string>
#include <string_view>

namespace tracekeeper::crypto {

/// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string Sha256Hex(std::string_view bytes);

}  // namespace tracekeeper::crypto
