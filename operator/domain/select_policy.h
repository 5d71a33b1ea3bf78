#pragma once
// SelectPolicy finds the one policy of a pod: policies are not merged, the first that selects it
// wins, in the order of PolicySnapshot.
//
// Threads:  pure. The pointers live as long as the snapshot.

#include <string_view>
#include <vector>

#include "operator/domain/label_selector.h"
#include "operator/domain/policy_snapshot.h"

namespace tracekeeper::domain {

/// The policy of a pod with `pod_labels`, or null. No allocation: this is the admission path.
const CompiledPolicy* SelectPolicy(const PolicySnapshot& snapshot, std::string_view namespace_name,
                                   LabelsView namespace_labels, LabelsView pod_labels);

/// All policies that select the pod, the winner first: the others are shadowed for it.
std::vector<const CompiledPolicy*> CandidatePolicies(const PolicySnapshot& snapshot,
                                                     std::string_view namespace_name,
                                                     LabelsView namespace_labels,
                                                     LabelsView pod_labels);

/// Whether `policy` may select pods of that namespace at all.
bool AppliesToNamespace(const CompiledPolicy& policy, std::string_view namespace_name,
                        LabelsView namespace_labels);

/// Namespaces that are never injected: kube-system, kube-public, kube-node-lease, the operator's.
bool IsExcludedNamespace(std::string_view namespace_name, std::string_view operator_namespace);

}  // namespace tracekeeper::domain
