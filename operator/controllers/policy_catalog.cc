#include "operator/controllers/policy_catalog.h"

namespace tracekeeper::controllers {

PolicyCatalog::PolicyCatalog(domain::CompileOptions options, std::string server_version,
                             const runtime::Store<api::TracingPolicy>& policies,
                             const runtime::Store<ObservedNode>& nodes)
    : options_(std::move(options)),
      server_version_(std::move(server_version)),
      policies_(policies),
      nodes_(nodes),
      snapshot_(std::make_shared<const domain::PolicySnapshot>()) {}

void PolicyCatalog::Rebuild() {
  std::vector<domain::PolicyPointer> policies;
  std::unordered_map<kube::ObjectKey, Compiled> kept;
  for (const auto& policy : policies_.List()) {
    if (policy->metadata.IsBeingDeleted()) continue;
    domain::PolicyPointer compiled = CompileOrKeep(*policy);
    if (compiled == nullptr) continue;
    kept[policy->metadata.key] = {policy->metadata.uid, policy->metadata.generation, compiled};
    policies.push_back(std::move(compiled));
  }
  compiled_ = std::move(kept);

  const auto nodes = nodes_.List();
  std::vector<std::string_view> versions;
  versions.reserve(nodes.size());
  for (const auto& node : nodes) versions.emplace_back(node->kubelet_version);

  auto snapshot = std::make_shared<const domain::PolicySnapshot>(std::move(policies));
  const domain::NodeCapability capability = domain::CapabilityOf(server_version_, versions);
  const std::scoped_lock lock(mutex_);
  snapshot_ = std::move(snapshot);
  capability_ = capability;
  is_built_ = true;
}

domain::PolicyPointer PolicyCatalog::CompileOrKeep(const api::TracingPolicy& policy) {
  const auto known = compiled_.find(policy.metadata.key);
  const bool same_object = known != compiled_.end() && known->second.uid == policy.metadata.uid;
  if (same_object && known->second.generation == policy.metadata.generation) {
    return known->second.policy;
  }
  auto compilation = domain::CompilePolicy(policy, options_);
  if (compilation) return compilation->policy;
  return same_object ? known->second.policy : nullptr;
}

std::shared_ptr<const domain::PolicySnapshot> PolicyCatalog::snapshot() const {
  const std::scoped_lock lock(mutex_);
  return snapshot_;
}

bool PolicyCatalog::is_built() const {
  const std::scoped_lock lock(mutex_);
  return is_built_;
}

domain::NodeCapability PolicyCatalog::node_capability() const {
  const std::scoped_lock lock(mutex_);
  return capability_;
}

}  // namespace tracekeeper::controllers
