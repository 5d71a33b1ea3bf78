#pragma once
// What the relay contributes to /status and /metrics.
//
// Threads:  pure functions of a report; counters are read as they are at that moment.
// Secrets:  names, versions and counts only.

#include <string>

#include "sidecar/relay_service.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::sidecar {

/// The value of "relay".
void WriteRelay(codec::JsonWriter& json, const RelayStatus& relay,
                const otlp::RelayCounters& counters);
/// The value of "credentials": versions, never values.
void WriteCredentials(codec::JsonWriter& json, const RelayStatus& relay);
/// tracekeeper_sidecar_* of the relay, every child from the first moment on.
void AppendRelayMetrics(std::string& out, const RelayStatus& relay,
                        const otlp::RelayCounters& counters);
/// Why the relay cannot take telemetry; empty when it can.
[[nodiscard]] std::string ListeningProblem(const RelayStatus& relay);

}  // namespace tracekeeper::sidecar
