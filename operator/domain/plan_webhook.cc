#include "operator/domain/plan_webhook.h"

#include <algorithm>
#include <array>

#include "operator/domain/names.h"
#include "operator/domain/select_policy.h"
#include "operator/domain/webhook_probe.h"
#include "src/codec/base64.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::domain {
namespace {

using codec::JsonWriter;

struct MatchCondition {
  std::string_view name;
  std::string_view expression;
};

// Constant text: each change of the object recompiles them while pods wait, so no policy is in
// them. They keep away what SkipRules would leave alone anyway, and what must never depend on us.
constexpr std::array<MatchCondition, 6> kMatchConditions = {{
    {"not-opted-out-by-label",
     R"(object.metadata.?labels[?"tracekeeper.dev/inject"].orValue("true") != "false")"},
    {"not-opted-out-by-annotation",
     R"(object.metadata.?annotations[?"tracekeeper.dev/inject"].orValue("true") != "false")"},
    {"not-on-host-network", "!object.spec.?hostNetwork.orValue(false)"},
    {"not-static", R"(!object.metadata.?annotations[?"kubernetes.io/config.mirror"].hasValue())"},
    {"not-windows-by-os", R"(object.spec.?os.?name.orValue("linux") != "windows")"},
    {"not-windows-by-node-selector",
     R"(object.spec.?nodeSelector[?"kubernetes.io/os"].orValue("linux") != "windows")"},
}};

bool IsOptedOut(LabelsView labels) { return FindLabel(labels, kInjectLabel) == "false"; }

/// Whether some policy of that mode may select pods of the namespace.
bool Needs(const PolicySnapshot& snapshot, const NamespaceView& view, InjectionMode mode) {
  const auto of_mode = [&](const PolicyPointer& policy) { return policy->mode == mode; };
  if (std::ranges::any_of(snapshot.Local(view.name), of_mode)) return true;
  return std::ranges::any_of(snapshot.Fleet(), [&](const PolicyPointer& policy) {
    return policy->mode == mode && policy->namespaces->Matches(view.labels);
  });
}

void WriteClientConfig(JsonWriter& json, const WebhookEndpoint& endpoint, std::string_view path) {
  json.Key("clientConfig").BeginObject();
  json.Member("caBundle", codec::EncodeBase64(endpoint.ca_bundle_pem));
  if (!endpoint.url.empty()) {
    std::string url = endpoint.url;
    while (url.ends_with('/')) url.pop_back();
    json.Member("url", url.append(path));
  } else {
    json.Key("service").BeginObject();
    json.Member("namespace", endpoint.service_namespace).Member("name", endpoint.service_name);
    json.Member("path", path).Key("port").Integer(endpoint.service_port).EndObject();
  }
  json.EndObject();
}

void WriteNamespaceSelector(JsonWriter& json, const std::vector<std::string>& namespaces) {
  json.Key("namespaceSelector").BeginObject().Key("matchExpressions").BeginArray().BeginObject();
  json.Member("key", "kubernetes.io/metadata.name").Member("operator", "In");
  json.Key("values").BeginArray();
  for (const std::string& name : namespaces) json.String(name);
  json.EndArray().EndObject().EndArray().EndObject();
}

void WriteRules(JsonWriter& json, std::string_view resource) {
  json.Key("rules").BeginArray().BeginObject();
  json.Key("operations").BeginArray().String("CREATE").EndArray();
  json.Key("apiGroups").BeginArray().String("").EndArray();
  json.Key("apiVersions").BeginArray().String("v1").EndArray();
  json.Key("resources").BeginArray().String(resource).EndArray();
  json.Member("scope", "Namespaced").EndObject().EndArray();
}

void WriteMatchConditions(JsonWriter& json) {
  json.Key("matchConditions").BeginArray();
  for (const MatchCondition& condition : kMatchConditions) {
    json.BeginObject().Member("name", condition.name);
    json.Member("expression", condition.expression).EndObject();
  }
  json.EndArray();
}

/// What all entries have alike, to the end of the entry.
void EndEntry(JsonWriter& json, std::string_view failure_policy, std::string_view reinvocation) {
  json.Member("matchPolicy", "Equivalent").Member("failurePolicy", failure_policy);
  json.Member("sideEffects", "None").Member("reinvocationPolicy", reinvocation);
  json.Key("timeoutSeconds").Integer(kWebhookTimeoutSeconds);
  json.Key("admissionReviewVersions").BeginArray().String("v1").EndArray();
  json.EndObject();
}

void WritePodEntry(JsonWriter& json, std::string_view name, std::string_view path,
                   std::string_view failure_policy, const std::vector<std::string>& namespaces,
                   const WebhookEndpoint& endpoint) {
  if (namespaces.empty()) return;
  json.BeginObject().Member("name", name);
  WriteClientConfig(json, endpoint, path);
  WriteRules(json, "pods");
  WriteNamespaceSelector(json, namespaces);
  json.Key("objectSelector").BeginObject().EndObject();
  WriteMatchConditions(json);
  EndEntry(json, failure_policy, "IfNeeded");
}

/// Under Fail, so that the API server's answer says why it cannot call us. It can stop nothing but
/// the probe itself.
void WriteProbeEntry(JsonWriter& json, std::string_view token, const WebhookEndpoint& endpoint) {
  json.BeginObject().Member("name", kProbeWebhook);
  WriteClientConfig(json, endpoint, kProbePath);
  WriteRules(json, "configmaps");
  WriteNamespaceSelector(json, {endpoint.service_namespace});
  json.Key("objectSelector").BeginObject().Key("matchLabels").BeginObject();
  json.Member(kProbeLabel, token).EndObject().EndObject();
  EndEntry(json, "Fail", "Never");
}

void WriteOwner(JsonWriter& json, const kube::OwnerReference& owner) {
  json.Key("ownerReferences").BeginArray().BeginObject();
  json.Member("apiVersion", owner.api_version).Member("kind", owner.kind);
  json.Member("name", owner.name).Member("uid", owner.uid).EndObject().EndArray();
}

std::string ConfigurationJson(const WebhookCoverage& coverage, const WebhookEndpoint& endpoint,
                              const std::optional<kube::OwnerReference>& owner,
                              std::string_view probe_token) {
  JsonWriter json;
  json.BeginObject().Member("apiVersion", "admissionregistration.k8s.io/v1");
  json.Member("kind", "MutatingWebhookConfiguration");
  json.Key("metadata").BeginObject().Member("name", kWebhookConfigurationName);
  json.Key("labels").BeginObject().Member(kManagedByLabel, kManagedByValue).EndObject();
  if (owner) WriteOwner(json, *owner);
  json.EndObject().Key("webhooks").BeginArray();
  WritePodEntry(json, kBestEffortWebhook, kBestEffortPath, "Ignore", coverage.best_effort,
                endpoint);
  WritePodEntry(json, kRequiredWebhook, kRequiredPath, "Fail", coverage.required, endpoint);
  WriteProbeEntry(json, probe_token, endpoint);
  json.EndArray().EndObject();
  return json.Take();
}

}  // namespace

bool WebhookCoverage::Covers(std::string_view namespace_name) const {
  return std::ranges::binary_search(best_effort, namespace_name) ||
         std::ranges::binary_search(required, namespace_name);
}

WebhookCoverage PlanCoverage(const PolicySnapshot& snapshot,
                             std::span<const NamespaceView> namespaces,
                             std::string_view operator_namespace) {
  WebhookCoverage coverage;
  for (const NamespaceView& view : namespaces) {
    if (IsExcludedNamespace(view.name, operator_namespace) || IsOptedOut(view.labels)) continue;
    if (Needs(snapshot, view, InjectionMode::kRequired)) {
      coverage.required.emplace_back(view.name);
    } else if (Needs(snapshot, view, InjectionMode::kBestEffort)) {
      coverage.best_effort.emplace_back(view.name);
    }
  }
  std::ranges::sort(coverage.best_effort);
  std::ranges::sort(coverage.required);
  return coverage;
}

WebhookConfiguration PlanWebhookConfiguration(const WebhookCoverage& coverage,
                                              const WebhookEndpoint& endpoint,
                                              const std::optional<kube::OwnerReference>& owner) {
  WebhookConfiguration result;
  result.probe_token = ProbeToken(ConfigurationJson(coverage, endpoint, owner, ""));
  result.json = ConfigurationJson(coverage, endpoint, owner, result.probe_token);
  return result;
}

std::optional<std::string> OtherInstallation(std::string_view service_namespace,
                                             const WebhookEndpoint& endpoint) {
  if (service_namespace.empty() || !endpoint.url.empty()) return std::nullopt;
  if (service_namespace == endpoint.service_namespace) return std::nullopt;
  return fmt::format(
      "Tracekeeper is already installed in namespace {0}: MutatingWebhookConfiguration {1} calls "
      "its Service, and a cluster has room for one. Uninstall this one (namespace {2}) or that "
      "one; if nothing is left in {0}, delete what it left: kubectl delete "
      "mutatingwebhookconfiguration {1}",
      service_namespace, kWebhookConfigurationName, endpoint.service_namespace);
}

}  // namespace tracekeeper::domain
