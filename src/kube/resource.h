#pragma once
// Resource names one kind of the Kubernetes API and builds the paths under which it is served.
//
// Threads:  plain values.
// Owner:    the texts are views of constants, or of strings that outlive the Resource.

#include <string>
#include <string_view>

#include "src/kube/meta.h"

namespace tracekeeper::kube {

enum class Scope { kNamespaced, kCluster };

struct Resource {
  std::string_view group;  // empty for the core group
  std::string_view version;
  std::string_view plural;
  std::string_view kind;
  Scope scope = Scope::kNamespaced;

  bool operator==(const Resource&) const = default;

  /// What objects carry as apiVersion: "v1", "apps/v1".
  [[nodiscard]] std::string ApiVersion() const;
  /// For people and logs: "pods", "deployments.apps".
  [[nodiscard]] std::string QualifiedName() const;
  /// "/apis/apps/v1/namespaces/shop/deployments"; without a namespace, the collection of all.
  [[nodiscard]] std::string CollectionPath(std::string_view namespace_name = {}) const;
  /// "/api/v1/namespaces/shop/pods/web-1/status"; the sub-resource may be empty.
  [[nodiscard]] std::string ObjectPath(const ObjectKey& key,
                                       std::string_view subresource = {}) const;
};

inline constexpr Resource kPods{"", "v1", "pods", "Pod"};
inline constexpr Resource kNamespaces{"", "v1", "namespaces", "Namespace", Scope::kCluster};
inline constexpr Resource kNodes{"", "v1", "nodes", "Node", Scope::kCluster};
inline constexpr Resource kServices{"", "v1", "services", "Service"};
inline constexpr Resource kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
inline constexpr Resource kSecrets{"", "v1", "secrets", "Secret"};
inline constexpr Resource kServiceAccounts{"", "v1", "serviceaccounts", "ServiceAccount"};
inline constexpr Resource kDeployments{"apps", "v1", "deployments", "Deployment"};
inline constexpr Resource kReplicaSets{"apps", "v1", "replicasets", "ReplicaSet"};
inline constexpr Resource kStatefulSets{"apps", "v1", "statefulsets", "StatefulSet"};
inline constexpr Resource kDaemonSets{"apps", "v1", "daemonsets", "DaemonSet"};
inline constexpr Resource kJobs{"batch", "v1", "jobs", "Job"};
inline constexpr Resource kLeases{"coordination.k8s.io", "v1", "leases", "Lease"};
inline constexpr Resource kEvents{"events.k8s.io", "v1", "events", "Event"};
inline constexpr Resource kClusterRoles{"rbac.authorization.k8s.io", "v1", "clusterroles",
                                        "ClusterRole", Scope::kCluster};
inline constexpr Resource kMutatingWebhookConfigurations{
    "admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations",
    "MutatingWebhookConfiguration", Scope::kCluster};
inline constexpr Resource kCustomResourceDefinitions{"apiextensions.k8s.io", "v1",
                                                     "customresourcedefinitions",
                                                     "CustomResourceDefinition", Scope::kCluster};
inline constexpr Resource kSelfSubjectAccessReviews{"authorization.k8s.io", "v1",
                                                    "selfsubjectaccessreviews",
                                                    "SelfSubjectAccessReview", Scope::kCluster};

}  // namespace tracekeeper::kube
