#include "tools/crdgen/custom_resource.h"

#include "operator/api/tracing_policy.h"
#include "operator/api/vault_connection.h"

namespace tracekeeper::crdgen {
namespace {

CustomResource TracingPolicy() {
  return {
      .group = api::kGroup,
      .version = api::kVersion,
      .kind = api::kTracingPolicyKind,
      .plural = api::kTracingPolicies.plural,
      .singular = "tracingpolicy",
      .short_names = {"tkp"},
      .categories = {"tracekeeper"},
      .doc =
          "TracingPolicy says which pods propagate trace context, in which formats, and where "
          "their spans go. A pod has exactly one policy: one of its own namespace comes before "
          "a default from the operator's namespace, then the higher priority wins, then the "
          "older policy, then the name. Policies are never merged.",
      .columns =
          {
              {"Ready", "string", R"(.status.conditions[?(@.type=="Ready")].status)",
               "Whether new pods are covered."},
              {"Pods", "integer", ".status.matchedPods", "Pods that this policy applies to."},
              {"Injected", "integer", ".status.injectedPods", "Of these, pods with the sidecar."},
              {"Reason", "string", R"(.status.conditions[?(@.type=="Ready")].reason)",
               "Why it is ready or not.", 1},
              {"Mode", "string", ".spec.injection.mode",
               "What happens to a new pod when the operator cannot answer.", 1},
              {"Age", "date", ".metadata.creationTimestamp", "Since when the policy exists."},
          },
      .selectable_fields = {".spec.injection.mode"},
      .initial_status = R"({"observedGeneration":-1})",
      .rules = {api::kTracingPolicyRules.begin(), api::kTracingPolicyRules.end()},
      .spec = codec::SchemaOf<api::TracingPolicySpec>(),
      .status = codec::SchemaOf<api::TracingPolicyStatus>(),
  };
}

CustomResource VaultConnection() {
  return {
      .group = api::kGroup,
      .version = api::kVersion,
      .kind = api::kVaultConnectionKind,
      .plural = api::kVaultConnections.plural,
      .singular = "vaultconnection",
      .short_names = {"tkvc"},
      .categories = {"tracekeeper"},
      .doc =
          "VaultConnection says where a Vault is, how the operator logs in to it, and which "
          "namespaces may use the connection. What the operator logs in with belongs to the "
          "connection's own namespace.",
      .columns =
          {
              {"Ready", "string", R"(.status.conditions[?(@.type=="Ready")].status)",
               "Whether the operator is logged in."},
              {"Reason", "string", R"(.status.conditions[?(@.type=="Ready")].reason)",
               "Why it is or is not."},
              {"Address", "string", ".spec.address", "Where Vault is.", 1},
              {"Age", "date", ".metadata.creationTimestamp", "Since when the connection exists."},
          },
      .selectable_fields = {},
      .initial_status = R"({"observedGeneration":-1})",
      .rules = {},
      .spec = codec::SchemaOf<api::VaultConnectionSpec>(),
      .status = codec::SchemaOf<api::VaultConnectionStatus>(),
  };
}

}  // namespace

std::string CustomResource::FullName() const {
  return std::string(plural).append(".").append(group);
}

std::vector<CustomResource> CustomResources() {
  std::vector<CustomResource> resources;
  resources.push_back(TracingPolicy());
  resources.push_back(VaultConnection());
  return resources;
}

}  // namespace tracekeeper::crdgen
