#include "src/continuity/pod_policies.h"

namespace tracekeeper::continuity {
namespace {

std::string KeyOf(std::string_view namespace_name, std::string_view name) {
  return std::string(namespace_name).append("/").append(name);
}

}  // namespace

PodPolicies::PolicyNumber PodPolicies::NumberOf(std::string_view policy) {
  const auto known = numbers_.find(policy);
  if (known != numbers_.end()) return known->second;
  const auto number = static_cast<PolicyNumber>(policies_.size());
  policies_.emplace_back(policy);
  numbers_.emplace(policy, number);
  return number;
}

void PodPolicies::Add(const Pod& pod, std::string_view policy) {
  const PolicyNumber number = NumberOf(policy);
  by_uid_.insert_or_assign(std::string(pod.uid), number);
  by_name_.insert_or_assign(KeyOf(pod.namespace_name, pod.name), number);
}

std::string_view PodPolicies::Find(const ByText<PolicyNumber>& pods, std::string_view key) const {
  const auto found = pods.find(key);
  return found == pods.end() ? std::string_view() : policies_[found->second];
}

std::string_view PodPolicies::PolicyOf(const otlp::ResourceFields& resource) const {
  if (!resource.pod_uid.empty()) return Find(by_uid_, resource.pod_uid);
  if (resource.pod_name.empty() || resource.pod_namespace.empty()) return {};
  return Find(by_name_, KeyOf(resource.pod_namespace, resource.pod_name));
}

}  // namespace tracekeeper::continuity
