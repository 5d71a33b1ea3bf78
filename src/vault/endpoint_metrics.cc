#include "src/vault/endpoint_metrics.h"

namespace tracekeeper::vault {
namespace {

constexpr std::string_view kRequests = "tracekeeper_vault_requests_total";
constexpr std::string_view kCircuit = "tracekeeper_vault_circuit_state";
constexpr std::string_view kSkew = "tracekeeper_vault_clock_skew_seconds";

MetricLabels WithRequest(MetricLabels labels, Operation operation, int code) {
  labels.emplace_back("operation", RowOf(operation).label);
  labels.emplace_back("code", code == 0 ? "<error>" : std::to_string(code));
  return labels;
}

}  // namespace

EndpointMetrics::EndpointMetrics(MetricLabels labels, Metrics& metrics)
    : labels_(std::move(labels)),
      metrics_(metrics),
      circuit_(metrics.MakeGauge(
          kCircuit, "Circuit breaker of a Vault address: 0 closed, 1 half-open, 2 open.", labels_)),
      skew_(metrics.MakeGauge(kSkew, "By how many seconds Vault's clock is ahead of ours.",
                              labels_)) {}

EndpointMetrics::~EndpointMetrics() {
  for (const auto& [key, counter] : requests_) {
    metrics_.Remove(kRequests, WithRequest(labels_, key.first, key.second));
  }
  metrics_.Remove(kCircuit, labels_);
  metrics_.Remove(kSkew, labels_);
}

void EndpointMetrics::Count(Operation operation, int code) {
  const std::lock_guard lock(mutex_);
  Counter*& counter = requests_[{operation, code}];
  if (counter == nullptr) {
    counter = &metrics_.MakeCounter(kRequests, "Requests to Vault by operation and status code.",
                                    WithRequest(labels_, operation, code));
  }
  counter->Increment();
}

void EndpointMetrics::SetCircuit(CircuitState state) {
  circuit_.Set(static_cast<double>(static_cast<std::uint8_t>(state)));
}

void EndpointMetrics::SetSkew(Duration skew) {
  skew_.Set(std::chrono::duration<double>(skew).count());
}

}  // namespace tracekeeper::vault
