#pragma once
// PolicyPods finds the pods of a policy in the cache: those that it selects and wins, with how each
// stands with injection. Counting, renewing and asking sidecars all walk the same pods.
//
// Threads:  safe from any thread; stores and catalog outlive it.
// Cost:     one look at each pod of the policy's namespaces.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "operator/controllers/observed.h"
#include "operator/controllers/policy_catalog.h"
#include "operator/domain/drift.h"
#include "src/runtime/store.h"

namespace tracekeeper::controllers {

class PolicyPods {
 public:
  using Namespaces = runtime::Store<kube::ObjectMeta>;
  using Pods = runtime::Store<ObservedPod>;

  PolicyPods(const Namespaces& namespaces, const Pods& pods, runtime::IndexId pods_by_namespace,
             const PolicyCatalog& catalog)
      : namespaces_(namespaces), pods_(pods), by_namespace_(pods_by_namespace), catalog_(catalog) {}

  /// Namespaces in which the policy may select pods, sorted.
  [[nodiscard]] std::vector<std::string> NamespacesOf(const domain::CompiledPolicy& policy) const;

  struct Found {
    const ObservedPod& pod;
    /// The policy that wins the pod; `policy` itself, or the one that shadows it.
    const domain::CompiledPolicy& winner;
    domain::Drift drift;  // against the winner
  };
  /// Calls `visit` for every pod that the policy selects, won or not.
  void ForEach(const domain::CompiledPolicy& policy, const std::vector<std::string>& namespaces,
               const std::function<void(const Found&)>& visit) const;

  [[nodiscard]] const PolicyCatalog& catalog() const { return catalog_; }

 private:
  const Namespaces& namespaces_;
  const Pods& pods_;
  const runtime::IndexId by_namespace_;
  const PolicyCatalog& catalog_;
};

}  // namespace tracekeeper::controllers
