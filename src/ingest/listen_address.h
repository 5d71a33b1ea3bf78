#pragma once
// An address to listen on, in gRPC's spelling, and why listening on it failed: gRPC tells only that
// it did.
//
// Threads:  pure, and one that asks the kernel.

#include <cstdint>
#include <string>

#include "src/base/result.h"

namespace tracekeeper::ingest {

/// "127.0.0.1:4317", "[::]:4317".
[[nodiscard]] Result<std::string> ListenTarget(const std::string& address, std::uint16_t port);

/// What the kernel says when asked for the same.
[[nodiscard]] Error WhyNotListening(const std::string& address, std::uint16_t port);

}  // namespace tracekeeper::ingest
