#pragma once
// The bounds of one request that a receiver takes, on either protocol.

#include <cstddef>

#include "src/net/server_limits.h"

namespace tracekeeper::otlp {

/// What gRPC servers take by default.
inline constexpr std::size_t kMaxRequestBytes = 4U << 20U;

struct ReceiverLimits {
  /// On the wire, and after decompression or out of JSON.
  std::size_t request_bytes = kMaxRequestBytes;
  /// A receiver keeps its buffers up to this size for the next request.
  std::size_t kept_bytes = 1U << 20U;
};

/// For a program that takes the telemetry of many pods: Collectors send batches of any size.
inline constexpr ReceiverLimits kBulkLimits{.request_bytes = 64U << 20U, .kept_bytes = 4U << 20U};
/// The same for the HTTP server that stands before its receiver.
[[nodiscard]] net::ServerLimits BulkServerLimits();

}  // namespace tracekeeper::otlp
