// rbacgen FOLDER writes the operator's roles and their bindings, from the table in
// operator/domain/rights.cc, into FOLDER, laid out as the repository:
// charts/tracekeeper/templates/rbac.yaml. `tools/gen.sh` runs it.

#include <fmt/core.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "operator/domain/rights.h"

namespace {

using tracekeeper::domain::RightScope;
using tracekeeper::domain::RulesYaml;
using tracekeeper::domain::SwitchedRights;

constexpr std::string_view kName = R"({{ include "tracekeeper.operatorName" . }})";

// The helpers of charts/tracekeeper/templates/_names.tpl know names, labels and waves.
constexpr std::string_view kSecretsName =
    R"({{ printf "%s-secrets" (include "tracekeeper.operatorName" $) }})";

// Stands in a loop over rbac.secretAccess, where the chart's own values are `$`.
std::string ObjectOfSecretNamespace(std::string_view kind, std::string_view body) {
  return fmt::format(
      R"(---
apiVersion: rbac.authorization.k8s.io/v1
kind: {}
metadata:
  {{{{- include "tracekeeper.metadata" (dict "root" $ "name" (printf "%s-secrets" (include "tracekeeper.operatorName" $)) "namespaced" true "namespace" $namespace "wave" "-5") | nindent 2 }}}}
{})",
      kind, body);
}

std::string Object(std::string_view kind, RightScope scope, std::string_view body) {
  return fmt::format(
      R"(---
apiVersion: rbac.authorization.k8s.io/v1
kind: {}
metadata:
  {{{{- include "tracekeeper.metadata" (dict "root" . "name" (include "tracekeeper.operatorName" .) {}"wave" "-5") | nindent 2 }}}}
{})",
      kind, scope == RightScope::kOwnNamespace ? R"("namespaced" true )" : "", body);
}

// `root` is what holds the chart's values: "." or, in a loop, "$".
std::string Binding(std::string_view role_kind, std::string_view role_name, std::string_view root) {
  return fmt::format(R"(roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {}, name: {}}}
subjects:
  - kind: ServiceAccount
    name: {{{{ include "tracekeeper.serviceAccountName" {} }}}}
    namespace: {{{{ include "tracekeeper.namespace" {} }}}}
)",
                     role_kind, role_name, root, root);
}

std::string Template() {
  using enum RightScope;
  const auto rules = [](RightScope scope) {
    return RulesYaml(scope, kName, SwitchedRights::kTemplate);
  };
  return "{{- /* Generated from operator/domain/rights.cc by `make gen`: change it there. */}}\n"
         "{{- if .Values.rbac.create }}\n" +
         Object("ClusterRole", kCluster, rules(kCluster)) +
         Object("Role", kOwnNamespace, rules(kOwnNamespace)) +
         Object("ClusterRoleBinding", kCluster, Binding("ClusterRole", kName, ".")) +
         Object("RoleBinding", kOwnNamespace, Binding("Role", kName, ".")) +
         "{{- range $namespace := .Values.rbac.secretAccess }}\n" +
         ObjectOfSecretNamespace("Role", rules(kSecretNamespace)) +
         ObjectOfSecretNamespace("RoleBinding", Binding("Role", kSecretsName, "$")) +
         "{{- end }}\n{{- end }}\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: rbacgen FOLDER\n", stderr);
    return 2;
  }
  const auto path = std::filesystem::path(argv[1]) / "charts/tracekeeper/templates/rbac.yaml";
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << Template();
  file.close();
  if (!error && file) return 0;
  std::fprintf(stderr, "rbacgen: cannot write %s\n", path.c_str());
  return 1;
}
