#pragma once
// PodInjector answers the pod webhook: which policy, then domain::Mutate. No I/O, no waiting: it
// reads the current snapshot and the namespace cache.
//
// Threads:  Review() from any thread at once.
// Owner:    wiring; catalog, namespaces and metrics outlive it.
// Failure:  never refuses a pod: whatever is wrong becomes a reason, a metric and at most a
//           warning to the client.
// Metrics:  tracekeeper_injections_total{policy,policy_namespace,outcome,reason}; dry runs are not
//           counted.

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "operator/controllers/policy_catalog.h"
#include "operator/domain/reasons.h"
#include "src/base/log.h"
#include "src/base/metrics.h"
#include "src/webhook/admission.h"

namespace tracekeeper::controllers {

/// injections_total by policy: children are made once and found again without building labels.
class InjectionMetrics {
 public:
  explicit InjectionMetrics(Metrics& metrics) : metrics_(metrics) {}

  /// `policy` null: no policy selected the pod.
  void Count(const domain::CompiledPolicy* policy, domain::Outcome outcome, domain::Reason reason);
  /// Makes a new policy's usual children at 0.
  void Born(const domain::CompiledPolicy& policy);

 private:
  struct Key {
    std::string policy;  // namespace/name
    domain::Outcome outcome;
    domain::Reason reason;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string>{}(key.policy) ^ (static_cast<std::size_t>(key.reason) << 8U) ^
             static_cast<std::size_t>(key.outcome);
    }
  };
  Counter& Child(const domain::CompiledPolicy* policy, domain::Outcome outcome,
                 domain::Reason reason);

  Metrics& metrics_;
  std::mutex mutex_;
  std::unordered_map<Key, Counter*, Hash> children_;
};

class PodInjector {
 public:
  PodInjector(const PolicyCatalog& catalog, const runtime::Store<kube::ObjectMeta>& namespaces,
              InjectionMetrics& metrics, Logger log)
      : catalog_(catalog), namespaces_(namespaces), metrics_(metrics), log_(std::move(log)) {}

  webhook::AdmissionResponse Review(const webhook::AdmissionRequest& request);

 private:
  const PolicyCatalog& catalog_;
  const runtime::Store<kube::ObjectMeta>& namespaces_;
  InjectionMetrics& metrics_;
  const Logger log_;
};

}  // namespace tracekeeper::controllers
