#include "operator/controllers/policy_pods.h"

#include <algorithm>

#include "operator/domain/select_policy.h"

namespace tracekeeper::controllers {

std::vector<std::string> PolicyPods::NamespacesOf(const domain::CompiledPolicy& policy) const {
  const std::string& excluded = catalog_.options().operator_namespace;
  std::vector<std::string> result;
  for (const auto& meta : namespaces_.List()) {
    if (meta->IsBeingDeleted()) continue;
    const std::string& name = meta->key.name;
    if (domain::IsExcludedNamespace(name, excluded)) continue;
    if (domain::AppliesToNamespace(policy, name, domain::LabelsOf(meta->labels))) {
      result.push_back(name);
    }
  }
  // A policy may be seen before its namespace is: it proves that there is one.
  const std::string& own = policy.key.namespace_name;
  const bool is_new = !policy.is_fleet() && namespaces_.Find({"", own}) == nullptr;
  if (is_new && !domain::IsExcludedNamespace(own, excluded)) result.push_back(own);
  std::ranges::sort(result);
  return result;
}

void PolicyPods::ForEach(const domain::CompiledPolicy& policy,
                         const std::vector<std::string>& namespaces,
                         const std::function<void(const Found&)>& visit) const {
  const auto snapshot = catalog_.snapshot();
  const domain::NodeCapability nodes = catalog_.node_capability();
  for (const std::string& name : namespaces) {
    const auto meta = namespaces_.Find({"", name});
    std::vector<domain::Label> namespace_labels;
    if (meta != nullptr) namespace_labels = domain::LabelsOf(meta->labels);
    for (const auto& pod : pods_.Lookup(by_namespace_, name)) {
      const auto labels = pod->Labels();
      if (!policy.selector.Matches(labels)) continue;
      const domain::CompiledPolicy* winner =
          domain::SelectPolicy(*snapshot, name, namespace_labels, labels);
      if (winner == nullptr) continue;  // the snapshot is older than this policy
      visit({*pod, *winner, domain::DriftOf(pod->Injection(), *winner, nodes)});
    }
  }
}

}  // namespace tracekeeper::controllers
