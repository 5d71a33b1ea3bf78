#pragma once
// The bounds of one request that an application sends, on either protocol.

#include <cstddef>

namespace tracekeeper::otlp {

/// On the wire, and after decompression or out of JSON: what gRPC servers take by default.
inline constexpr std::size_t kMaxRequestBytes = 4U << 20U;
/// A receiver keeps its buffers up to this size for the next request.
inline constexpr std::size_t kKeptBufferBytes = 1U << 20U;

}  // namespace tracekeeper::otlp
