#pragma once
// Health is what sys/health says about one Vault node.
//
// Threads:  pure functions.
// Failure:  kAnswerNotVault, or the row of an answer that is no health.

#include <cstdint>
#include <optional>
#include <string>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/net/http.h"
#include "src/vault/failure.h"

namespace tracekeeper::vault {

enum class NodeState : std::uint8_t {
  kActive,
  kStandby,             // forwards to the active node
  kPerformanceStandby,  // reads by itself, forwards writes
  kDisasterRecovery,    // serves nothing
  kSealed,
  kNotInitialised,
};

struct Health {
  NodeState state = NodeState::kActive;
  std::string version;
};

/// Wipes nothing: health is public.
Result<Health> ReadHealth(const net::Response& response, Instant now);

/// Why a node in this state cannot be asked; nothing if it can.
[[nodiscard]] std::optional<Failure> WhyNotAsk(NodeState state);

}  // namespace tracekeeper::vault
