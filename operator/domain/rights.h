#pragma once
// What the operator may do in a cluster: one table, from which come the chart's RBAC objects
// (tools/rbacgen), the questions of `tracekeeper doctor`, and the rights of the tests.
//
// Threads:  constants and pure functions.

#include <span>
#include <string>
#include <string_view>

namespace tracekeeper::domain {

enum class RightScope {
  kCluster,       // in a ClusterRole
  kOwnNamespace,  // in a Role of the operator's namespace
};

struct Right {
  RightScope scope;
  std::string_view group;     // empty for the core group
  std::string_view resource;  // "tracingpolicies/status"
  std::string_view verbs;     // "get list watch"
  std::string_view name;      // only this object; empty: all
  std::string_view why;       // completes "needed to ..."
};

std::span<const Right> OperatorRights();

/// ServiceAccount, ClusterRole, Role and their bindings as YAML. `names` is what they are called,
/// `namespace_name` where the operator runs; both may be template expressions.
std::string RightsYaml(std::string_view name, std::string_view namespace_name);

}  // namespace tracekeeper::domain
