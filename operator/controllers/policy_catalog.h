#pragma once
// PolicyCatalog compiles every TracingPolicy it is shown and publishes the result as one immutable
// snapshot. Every replica has one: the webhook answers from it, leader or not.
//
// Threads:  Rebuild() from one thread at a time (its controller has one worker); snapshot() and
//           node_capability() from any.
// Owner:    wiring; the stores outlive it.
// Failure:  a policy that does not compile keeps its last good compilation, if it had one; why is
//           the policy controller's to report.

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "operator/api/tracing_policy.h"
#include "operator/controllers/observed.h"
#include "operator/domain/compile_policy.h"
#include "operator/domain/node_capability.h"
#include "operator/domain/policy_snapshot.h"
#include "src/runtime/store.h"

namespace tracekeeper::controllers {

class PolicyCatalog {
 public:
  PolicyCatalog(domain::CompileOptions options, std::string server_version,
                const runtime::Store<api::TracingPolicy>& policies,
                const runtime::Store<ObservedNode>& nodes);

  /// Brings the snapshot up to what the stores hold now.
  void Rebuild();

  /// Whether Rebuild() has run: before that, an empty snapshot means nothing.
  [[nodiscard]] bool is_built() const;
  [[nodiscard]] std::shared_ptr<const domain::PolicySnapshot> snapshot() const;
  [[nodiscard]] domain::NodeCapability node_capability() const;
  [[nodiscard]] const domain::CompileOptions& options() const { return options_; }

 private:
  struct Compiled {
    std::string uid;
    std::int64_t generation = 0;
    domain::PolicyPointer policy;
  };
  domain::PolicyPointer CompileOrKeep(const api::TracingPolicy& policy);

  const domain::CompileOptions options_;
  const std::string server_version_;
  const runtime::Store<api::TracingPolicy>& policies_;
  const runtime::Store<ObservedNode>& nodes_;
  std::unordered_map<kube::ObjectKey, Compiled> compiled_;  // Rebuild's own

  mutable std::mutex mutex_;
  std::shared_ptr<const domain::PolicySnapshot> snapshot_;
  domain::NodeCapability capability_;
  bool is_built_ = false;
};

}  // namespace tracekeeper::controllers
