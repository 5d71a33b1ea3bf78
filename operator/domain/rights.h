#pragma once
// What the operator may do in a cluster: one table, from which come the chart's RBAC objects
// (tools/rbacgen), the questions of `tracekeeper doctor`, and the rights of the tests.
//
// Threads:  constants and pure functions.

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tracekeeper::domain {

enum class RightScope {
  kCluster,          // in a ClusterRole
  kOwnNamespace,     // in a Role of the operator's namespace
  kSecretNamespace,  // in a Role of each namespace that the chart's rbac.secretAccess lists
};

struct Right {
  RightScope scope;
  std::string_view group;     // empty for the core group
  std::string_view resource;  // "tracingpolicies/status"
  std::string_view verbs;     // "get list watch"
  std::string_view name;      // only this object; empty: all
  std::string_view why;       // completes "needed to ..."
  /// The chart value that switches it, such as "liveConfiguration.nudge". Empty: always there.
  std::string_view value = "";
};

std::span<const Right> OperatorRights();

/// "get list watch" as words.
std::vector<std::string_view> VerbsOf(const Right& right);

/// "pods/eviction" as pods and eviction; without a sub-resource the second is empty.
std::pair<std::string_view, std::string_view> PartsOf(const Right& right);

/// "create pods/eviction (to renew pods ...)": how a missing right is named, with its API group,
/// the one object it is about, and its purpose.
std::string Describe(const Right& right, std::string_view verb);

/// What the ClusterRole is called where nobody chose another name.
inline constexpr std::string_view kOperatorClusterRole = "tracekeeper-operator";

/// What becomes of rights that a chart value switches.
enum class SwitchedRights {
  kLeftOut,   // as with the chart's own values
  kGranted,   // as with every such value true
  kTemplate,  // each between {{- if }} and {{- end }} of its value
};

/// "rules:" of the ClusterRole or the Role, as YAML. `cluster_role` stands where the table names
/// kOperatorClusterRole, and may be a template expression.
std::string RulesYaml(RightScope scope, std::string_view cluster_role, SwitchedRights switched);

/// ServiceAccount, ClusterRole, Roles and their bindings as YAML, all called `name`: what the chart
/// makes (tests/charts compares). `secret_namespaces`, as in the chart's rbac.secretAccess, get a
/// Role called NAME-secrets each.
std::string RightsYaml(std::string_view name, std::string_view namespace_name,
                       SwitchedRights switched = SwitchedRights::kLeftOut,
                       const std::vector<std::string>& secret_namespaces = {});

}  // namespace tracekeeper::domain
