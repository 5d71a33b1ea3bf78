#pragma once
// What the operator's MutatingWebhookConfiguration should say, from policies and namespaces: one
// entry for each injection mode, each listing exactly the namespaces whose pods can be selected,
// and one by which the operator proves that all this is in force.
//
//   const WebhookCoverage coverage = PlanCoverage(snapshot, namespaces, own_namespace);
//   client.Apply(..., PlanWebhookConfiguration(coverage, endpoint, owner).json);
//
// Threads:  pure. Output is sorted, so equal input gives equal bytes and an apply of it is a no-op.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "operator/domain/label_selector.h"
#include "operator/domain/policy_snapshot.h"
#include "src/kube/meta.h"

namespace tracekeeper::domain {

struct NamespaceView {
  std::string_view name;
  LabelsView labels;
};

/// Each namespace stands in one list only: two entries would mean two calls for a pod, and a
/// Required policy must not be weakened by a best-effort one beside it.
struct WebhookCoverage {
  std::vector<std::string> best_effort;  // sorted
  std::vector<std::string> required;     // sorted

  bool operator==(const WebhookCoverage&) const = default;
  [[nodiscard]] bool Covers(std::string_view namespace_name) const;
};

WebhookCoverage PlanCoverage(const PolicySnapshot& snapshot,
                             std::span<const NamespaceView> namespaces,
                             std::string_view operator_namespace);

/// Where the API server finds the webhook: `url` when it is set (https://host:port), else a
/// Service.
struct WebhookEndpoint {
  std::string url;
  std::string service_namespace;  // the operator's own, in either case
  std::string service_name;
  std::int32_t service_port = 443;
  std::string ca_bundle_pem;
};

inline constexpr std::string_view kWebhookConfigurationName = "tracekeeper";
inline constexpr std::string_view kBestEffortWebhook = "best-effort.inject.tracekeeper.dev";
inline constexpr std::string_view kRequiredWebhook = "required.inject.tracekeeper.dev";
/// The request paths by which the handler tells the two entries apart.
inline constexpr std::string_view kBestEffortPath = "/inject/best-effort";
inline constexpr std::string_view kRequiredPath = "/inject/required";
inline constexpr int kWebhookTimeoutSeconds = 2;

struct WebhookConfiguration {
  std::string json;         // the object as server-side apply wants it
  std::string probe_token;  // by which it can be proven in force (webhook_probe.h)

  bool operator==(const WebhookConfiguration&) const = default;
};

/// An entry without namespaces is left out (the API server refuses an empty In); the probe's entry
/// is always there. `owner`: the chart's ClusterRole, so that it goes with the chart.
WebhookConfiguration PlanWebhookConfiguration(const WebhookCoverage& coverage,
                                              const WebhookEndpoint& endpoint,
                                              const std::optional<kube::OwnerReference>& owner);

/// Why this operator must leave the webhook configuration alone: it calls the Service of another
/// installation, in `service_namespace`. Nothing when that is ours, when the configuration calls no
/// Service, or when this operator is called by URL.
std::optional<std::string> OtherInstallation(std::string_view service_namespace,
                                             const WebhookEndpoint& endpoint);

}  // namespace tracekeeper::domain
