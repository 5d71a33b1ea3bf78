#include "operator/domain/policy_snapshot.h"

#include <algorithm>
#include <utility>

namespace tracekeeper::domain {
namespace {

void SortForSelection(std::vector<PolicyPointer>& policies) {
  std::ranges::sort(
      policies, [](const PolicyPointer& a, const PolicyPointer& b) { return ComesBefore(*a, *b); });
}

}  // namespace

bool ComesBefore(const CompiledPolicy& a, const CompiledPolicy& b) {
  if (a.priority != b.priority) return a.priority > b.priority;
  if (a.created != b.created) return a.created < b.created;
  return std::tie(a.key.name, a.key.namespace_name) < std::tie(b.key.name, b.key.namespace_name);
}

PolicySnapshot::PolicySnapshot(std::vector<PolicyPointer> policies) : all_(std::move(policies)) {
  std::ranges::sort(all_,
                    [](const PolicyPointer& a, const PolicyPointer& b) { return a->key < b->key; });
  for (const PolicyPointer& policy : all_) {
    if (policy->is_fleet()) {
      fleet_.push_back(policy);
    } else {
      local_[policy->key.namespace_name].push_back(policy);
    }
  }
  SortForSelection(fleet_);
  for (auto& [name, local] : local_) SortForSelection(local);
}

std::span<const PolicyPointer> PolicySnapshot::Local(std::string_view namespace_name) const {
  const auto found = local_.find(namespace_name);
  if (found == local_.end()) return {};
  return found->second;
}

const CompiledPolicy* PolicySnapshot::Find(const kube::ObjectKey& key) const {
  const auto found = std::ranges::lower_bound(
      all_, key, {},
      [](const PolicyPointer& policy) -> const kube::ObjectKey& { return policy->key; });
  if (found == all_.end() || (*found)->key != key) return nullptr;
  return found->get();
}

}  // namespace tracekeeper::domain
