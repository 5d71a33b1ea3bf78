#include "cli/decision.h"

#include <fmt/core.h>

#include "operator/domain/select_policy.h"
#include "src/base/version.h"

namespace tracekeeper::cli {
namespace {

constexpr std::string_view kNamespaceNameLabel = "kubernetes.io/metadata.name";

domain::Mutation Skipped(domain::Reason reason, std::string detail) {
  return {.outcome = domain::Outcome::kSkipped,
          .reason = reason,
          .findings = {{reason, std::move(detail)}}};
}

}  // namespace

std::string DefaultSidecarImage() {
  return fmt::format("tracekeeper.dev/tracekeeper-sidecar:{}", kVersion);
}

Decision Decide(const codec::JsonValue& pod, const domain::PolicySnapshot& snapshot,
                const Surroundings& surroundings) {
  const std::string& name = surroundings.namespace_name;
  Decision decision;
  if (domain::IsExcludedNamespace(name, surroundings.operator_namespace)) {
    decision.mutation = Skipped(domain::Reason::kSkippedExcludedNamespace, "namespace " + name);
    return decision;
  }
  // The API server sets this label on every namespace; a file or a flag need not repeat it.
  kube::StringMap labels = surroundings.namespace_labels;
  labels.emplace(kNamespaceNameLabel, name);
  const std::vector<domain::Label> namespace_labels = domain::LabelsOf(labels);
  const std::vector<domain::Label> pod_labels = domain::LabelsOf(pod["metadata"]["labels"]);
  const auto candidates = domain::CandidatePolicies(snapshot, name, namespace_labels, pod_labels);
  if (candidates.empty()) {
    decision.mutation = Skipped(domain::Reason::kNoPolicy, "");
    return decision;
  }
  decision.policy = candidates.front();
  decision.shadowed.assign(candidates.begin() + 1, candidates.end());
  decision.mutation = domain::Mutate(
      pod, *decision.policy,
      {.namespace_name = name, .namespace_labels = namespace_labels, .nodes = surroundings.nodes});
  return decision;
}

Result<kube::StringMap> ParseLabels(std::string_view text) {
  kube::StringMap labels;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view pair = text.substr(0, comma);
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string_view::npos) {
      return Fail(ErrorKind::kInvalid, "'{}' is no label: write key=value,key=value", pair);
    }
    labels.emplace(pair.substr(0, equals), pair.substr(equals + 1));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return labels;
}

}  // namespace tracekeeper::cli
