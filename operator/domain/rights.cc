#include "operator/domain/rights.h"

#include <fmt/format.h>

#include <algorithm>

namespace tracekeeper::domain {
namespace {

constexpr auto kCluster = RightScope::kCluster;
constexpr auto kOwn = RightScope::kOwnNamespace;
constexpr auto kSecret = RightScope::kSecretNamespace;

constexpr Right kRights[] = {
    {kCluster, "tracekeeper.dev", "tracingpolicies", "get list watch patch", "",
     "read policies, and to put a finalizer on those that write into other namespaces"},
    {kCluster, "tracekeeper.dev", "tracingpolicies/status", "get patch", "",
     "say in a policy's status what is true of it"},
    {kCluster, "tracekeeper.dev", "tracingpolicies/finalizers", "update", "",
     "own the ConfigMaps of a policy where owner references are checked"},
    {kCluster, "tracekeeper.dev", "vaultconnections", "get list watch", "",
     "know from which Vault credentials come"},
    {kCluster, "tracekeeper.dev", "vaultconnections/status", "get patch", "",
     "say in a connection's status whether it works"},
    {kCluster, "", "namespaces", "get list watch", "", "match namespaceSelector"},
    {kCluster, "", "nodes", "get list watch", "", "know whether nodes run native sidecars"},
    {kCluster, "", "pods", "get list watch", "", "count which pods are injected"},
    {kCluster, "", "pods", "patch", "",
     "annotate a pod, so that its kubelet reads changed configuration at once",
     "liveConfiguration.nudge"},
    {kCluster, "", "pods/eviction", "create", "",
     "renew pods where a policy's rollout strategy is Evict, and replace a replica of its own that "
     "is lost"},
    {kCluster, "policy", "poddisruptionbudgets", "list watch", "",
     "renew no pod that a disruption budget holds"},
    {kCluster, "apps", "replicasets", "get", "",
     "find the Deployment of a pod where a policy's rollout strategy is Template, or a credential "
     "is taken by a restart",
     "rollout.template"},
    {kCluster, "apps", "deployments", "get patch", "",
     "restart Deployments where a policy's rollout strategy is Template, or a credential is taken "
     "by a restart",
     "rollout.template"},
    {kCluster, "apps", "statefulsets", "get patch", "",
     "restart StatefulSets where a policy's rollout strategy is Template, or a credential is taken "
     "by a restart",
     "rollout.template"},
    {kCluster, "apps", "daemonsets", "get patch", "",
     "restart DaemonSets where a policy's rollout strategy is Template, or a credential is taken "
     "by a restart",
     "rollout.template"},
    {kCluster, "argoproj.io", "rollouts", "get patch", "",
     "restart Argo Rollouts where a policy's rollout strategy is Template, or a credential is "
     "taken by a restart",
     "rollout.template"},
    {kCluster, "", "configmaps", "get list watch create patch delete", "",
     "write the sidecar's configuration into the pods' namespaces"},
    {kCluster, "events.k8s.io", "events", "create patch", "", "tell users what happened"},
    {kCluster, "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "list watch create",
     "", "make its own webhook configuration and notice when it is gone"},
    {kCluster, "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "get patch delete",
     "tracekeeper", "keep its own webhook configuration, and no other"},
    {kCluster, "rbac.authorization.k8s.io", "clusterroles", "get", kOperatorClusterRole,
     "make the webhook configuration go when the chart goes"},
    {kOwn, "", "secrets", "create", "", "store the webhook's certificate"},
    {kOwn, "", "secrets", "get list watch patch", "tracekeeper-webhook-tls",
     "keep the webhook's certificate, and no other Secret"},
    {kOwn, "coordination.k8s.io", "leases", "create", "", "elect a leader"},
    {kOwn, "coordination.k8s.io", "leases", "get patch", "tracekeeper-operator", "elect a leader"},
    {kOwn, "discovery.k8s.io", "endpointslices", "get create patch delete", "tracekeeper-otlp",
     "send spans to the replica that leads, and to no other"},
    {kSecret, "", "secrets", "get list watch create patch", "",
     "read what a VaultConnection logs in with, and write the Secrets of credentials"},
    {kSecret, "", "serviceaccounts/token", "create", "",
     "log in to Vault as the ServiceAccount that a VaultConnection names"},
};

std::string QuotedList(std::string_view words) {
  std::string result = "[";
  while (!words.empty()) {
    const std::size_t end = words.find(' ');
    const std::string_view word = words.substr(0, end);
    fmt::format_to(std::back_inserter(result), "{}\"{}\"", result.size() > 1 ? ", " : "", word);
    words.remove_prefix(end == std::string_view::npos ? words.size() : end + 1);
  }
  return result + "]";
}

void AppendRule(std::string& yaml, const Right& right, std::string_view name) {
  fmt::format_to(std::back_inserter(yaml),
                 "  # to {}\n  - apiGroups: [\"{}\"]\n    resources: [\"{}\"]\n", right.why,
                 right.group, right.resource);
  if (!name.empty()) {
    fmt::format_to(std::back_inserter(yaml), "    resourceNames: [\"{}\"]\n", name);
  }
  fmt::format_to(std::back_inserter(yaml), "    verbs: {}\n", QuotedList(right.verbs));
}

struct RoleYaml {
  std::string_view kind;
  std::string name;
  std::string namespace_name;  // empty for a ClusterRole
  std::string rules;

  [[nodiscard]] std::string Metadata() const {
    if (namespace_name.empty()) return fmt::format("{{name: {}}}", name);
    return fmt::format("{{name: {}, namespace: {}}}", name, namespace_name);
  }
};

void AppendRole(std::string& yaml, const RoleYaml& role) {
  fmt::format_to(std::back_inserter(yaml),
                 "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {}\nmetadata: {}\n{}",
                 role.kind, role.Metadata(), role.rules);
}

void AppendBinding(std::string& yaml, const RoleYaml& role, std::string_view account) {
  fmt::format_to(std::back_inserter(yaml),
                 "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {}Binding\nmetadata: {}\n"
                 "roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {}, name: {}}}\n"
                 "subjects: [{{kind: ServiceAccount, {}}}]\n",
                 role.kind, role.Metadata(), role.kind, role.name, account);
}

}  // namespace

std::span<const Right> OperatorRights() { return kRights; }

std::vector<std::string_view> VerbsOf(const Right& right) {
  std::vector<std::string_view> verbs;
  std::string_view rest = right.verbs;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    verbs.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return verbs;
}

std::pair<std::string_view, std::string_view> PartsOf(const Right& right) {
  const std::size_t slash = right.resource.find('/');
  if (slash == std::string_view::npos) return {right.resource, {}};
  return {right.resource.substr(0, slash), right.resource.substr(slash + 1)};
}

std::string Describe(const Right& right, std::string_view verb) {
  return fmt::format("{} {}{}{}{}{} (to {})", verb, right.resource, right.group.empty() ? "" : ".",
                     right.group, right.name.empty() ? "" : " ", right.name, right.why);
}

std::string RulesYaml(RightScope scope, std::string_view cluster_role, SwitchedRights switched) {
  std::string yaml = "rules:\n";
  for (const Right& right : kRights) {
    const bool is_switched = !right.value.empty();
    if (right.scope != scope) continue;
    if (is_switched && switched == SwitchedRights::kLeftOut) continue;
    const bool is_template = is_switched && switched == SwitchedRights::kTemplate;
    if (is_template) {
      fmt::format_to(std::back_inserter(yaml), "  {{{{- if .Values.{} }}}}\n", right.value);
    }
    const bool is_own_role = right.resource == "clusterroles" && right.name == kOperatorClusterRole;
    AppendRule(yaml, right, is_own_role ? cluster_role : right.name);
    if (is_template) yaml += "  {{- end }}\n";
  }
  return yaml;
}

std::string RightsYaml(std::string_view name, std::string_view namespace_name,
                       SwitchedRights switched, const std::vector<std::string>& secret_namespaces) {
  const std::string own(name);
  std::vector<RoleYaml> roles = {
      {"ClusterRole", own, "", RulesYaml(kCluster, name, switched)},
      {"Role", own, std::string(namespace_name), RulesYaml(kOwn, name, switched)}};
  for (const std::string& each : secret_namespaces) {
    roles.push_back({"Role", own + "-secrets", each, RulesYaml(kSecret, name, switched)});
  }
  std::string yaml =
      fmt::format("apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {}, namespace: {}}}\n",
                  name, namespace_name);
  for (const RoleYaml& role : roles) AppendRole(yaml, role);
  const std::string account = fmt::format("name: {}, namespace: {}", name, namespace_name);
  for (const RoleYaml& role : roles) AppendBinding(yaml, role, account);
  return yaml;
}

}  // namespace tracekeeper::domain
