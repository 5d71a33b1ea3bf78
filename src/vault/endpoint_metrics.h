#pragma once
// EndpointMetrics counts what is asked of one Vault address: vault_requests_total,
// vault_circuit_state, vault_clock_skew_seconds.
//
// Threads:  safe from any thread.
// Owner:    the Endpoint; what it made is removed with it.

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "src/base/clock.h"
#include "src/base/metrics.h"
#include "src/vault/breaker.h"
#include "src/vault/operation.h"

namespace tracekeeper::vault {

class EndpointMetrics {
 public:
  /// `labels` stand on every series: who this address belongs to.
  EndpointMetrics(MetricLabels labels, Metrics& metrics);
  ~EndpointMetrics();
  EndpointMetrics(const EndpointMetrics&) = delete;
  EndpointMetrics& operator=(const EndpointMetrics&) = delete;

  /// One answer, or `code` 0 for none.
  void Count(Operation operation, int code);
  void SetCircuit(CircuitState state);
  void SetSkew(Duration skew);

 private:
  const MetricLabels labels_;
  Metrics& metrics_;
  Gauge& circuit_;
  Gauge& skew_;
  std::mutex mutex_;
  std::map<std::pair<Operation, int>, Counter*> requests_;
};

}  // namespace tracekeeper::vault
