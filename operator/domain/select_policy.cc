#include "operator/domain/select_policy.h"

#include <algorithm>
#include <array>

namespace tracekeeper::domain {
namespace {

constexpr std::array<std::string_view, 3> kSystemNamespaces = {"kube-system", "kube-public",
                                                               "kube-node-lease"};

}  // namespace

const CompiledPolicy* SelectPolicy(const PolicySnapshot& snapshot, std::string_view namespace_name,
                                   LabelsView namespace_labels, LabelsView pod_labels) {
  for (const PolicyPointer& policy : snapshot.Local(namespace_name)) {
    if (policy->selector.Matches(pod_labels)) return policy.get();
  }
  for (const PolicyPointer& policy : snapshot.Fleet()) {
    if (policy->namespaces->Matches(namespace_labels) && policy->selector.Matches(pod_labels)) {
      return policy.get();
    }
  }
  return nullptr;
}

std::vector<const CompiledPolicy*> CandidatePolicies(const PolicySnapshot& snapshot,
                                                     std::string_view namespace_name,
                                                     LabelsView namespace_labels,
                                                     LabelsView pod_labels) {
  std::vector<const CompiledPolicy*> candidates;
  for (const PolicyPointer& policy : snapshot.Local(namespace_name)) {
    if (policy->selector.Matches(pod_labels)) candidates.push_back(policy.get());
  }
  for (const PolicyPointer& policy : snapshot.Fleet()) {
    if (policy->namespaces->Matches(namespace_labels) && policy->selector.Matches(pod_labels)) {
      candidates.push_back(policy.get());
    }
  }
  return candidates;
}

bool AppliesToNamespace(const CompiledPolicy& policy, std::string_view namespace_name,
                        LabelsView namespace_labels) {
  if (policy.is_fleet()) return policy.namespaces->Matches(namespace_labels);
  return policy.key.namespace_name == namespace_name;
}

bool IsExcludedNamespace(std::string_view namespace_name, std::string_view operator_namespace) {
  return namespace_name == operator_namespace ||
         std::ranges::count(kSystemNamespaces, namespace_name) > 0;
}

}  // namespace tracekeeper::domain
