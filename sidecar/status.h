#pragma once
// StatusPages answers /healthz, /readyz, /status and /metrics from what the program knows. It
// holds no state of its own: each answer is a function of a ProgramState taken at that moment.
//
// Threads:  Handle is safe from any thread; so must be the function it asks.
// Owner:    Wiring; outlives the server.
// Secrets:  /status shows digests and versions, never a header value, endpoint password or token.

#include <functional>
#include <string>

#include "sidecar/config_state.h"
#include "sidecar/relay_service.h"
#include "src/base/clock.h"
#include "src/net/http.h"

namespace tracekeeper::sidecar {

struct ProgramState {
  std::string version;
  Instant started;
  Instant now;
  Duration uptime{};
  bool draining = false;
  ConfigState config;
  RelayStatus relay;
  const otlp::RelayCounters* counters = nullptr;  // never null; outlives the state
};

/// 200 once a configuration is in use; 503 and why before that and while draining.
[[nodiscard]] net::Response Readiness(const ProgramState& state);
/// The JSON that the operator reads: `configuration.digest` is what this process really uses.
[[nodiscard]] std::string StatusJson(const ProgramState& state);
/// tracekeeper_sidecar_* and the usual process_* in Prometheus' text format 0.0.4.
[[nodiscard]] std::string MetricsText(const ProgramState& state);

class StatusPages {
 public:
  explicit StatusPages(std::function<ProgramState()> observe) : observe_(std::move(observe)) {}

  [[nodiscard]] net::Response Handle(const net::Request& request) const;

 private:
  std::function<ProgramState()> observe_;
};

}  // namespace tracekeeper::sidecar
