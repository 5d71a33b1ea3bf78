#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "cli/explain.h"
#include "operator/domain/names.h"
#include "operator/domain/reasons.h"
#include "src/kube/timestamp.h"

namespace tracekeeper::cli {
namespace {

constexpr std::size_t kMostPodsNamed = 20;

template <typename... Args>
void Line(std::string& text, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
  text.push_back('\n');
}

void AppendSelection(std::string& text, const KnownPolicy& known) {
  if (!known.compiled) {
    Line(text, "Selects:    nothing, since it cannot be used: {}", known.error);
    return;
  }
  const domain::CompiledPolicy& policy = *known.compiled;
  const std::string pods = policy.selector.matches_everything()
                               ? "every pod"
                               : "pods with " + policy.selector.ToString();
  if (!policy.is_fleet()) {
    Line(text, "Selects:    {} in namespace {}.", pods, policy.key.namespace_name);
  } else if (policy.namespaces->matches_everything()) {
    Line(text, "Selects:    {} in every namespace that has no policy of its own for them.", pods);
  } else {
    Line(text, "Selects:    {} in namespaces with {}.", pods, policy.namespaces->ToString());
  }
}

std::string_view StateName(api::RenewalState state) {
  switch (state) {
    case api::RenewalState::kRenewing:
      return "Renewing";
    case api::RenewalState::kWaiting:
      return "Waiting";
    case api::RenewalState::kStuck:
      return "Stuck";
  }
  return "";
}

std::string_view PodsWord(std::int64_t count) { return count == 1 ? "pod" : "pods"; }

void AppendReasons(std::string& text, const std::vector<api::ReasonCount>& reasons) {
  if (reasons.empty()) return;
  Line(text, "Not injected as the policy says, by reason:");
  for (const api::ReasonCount& count : reasons) {
    Line(text, "  {} {}:", count.pods, PodsWord(count.pods));
    const auto reason = domain::ReasonFromName(count.reason);
    if (reason) {
      AppendFinding(text, {*reason, ""});
    } else {
      Line(text, "  {}: a reason of a newer operator; a newer tracekeeper explains it.",
           count.reason);
    }
  }
}

void AppendConfiguration(std::string& text, const api::TracingPolicyStatus& status) {
  if (!status.configuration) return;
  const api::ConfigurationStatus& configuration = *status.configuration;
  Line(text, "Configuration {}:", configuration.digest);
  for (const api::ConfigurationCount& count : configuration.running) {
    Line(text, "  {} {} with {}.", count.pods, PodsWord(count.pods),
         count.digest == configuration.digest ? "it" : "an older one, " + count.digest);
  }
  if (configuration.refused > 0) {
    Line(text, "  {} {} refused it and kept the last good one.", configuration.refused,
         PodsWord(configuration.refused));
  }
  if (configuration.unknown > 0) {
    Line(text, "  {} {} did not answer the operator.", configuration.unknown,
         PodsWord(configuration.unknown));
  }
}

void AppendRollout(std::string& text, const api::TracingPolicyStatus& status) {
  if (!status.rollout || status.rollout->workloads.empty()) return;
  Line(text, "Being renewed:");
  for (const api::WorkloadRenewal& renewal : status.rollout->workloads) {
    Line(text, "  {} ({}), since {}{}{}", renewal.workload, StateName(renewal.state),
         kube::FormatTimestamp(renewal.started), renewal.message.empty() ? "." : ": ",
         renewal.message);
  }
}

void AppendStatus(std::string& text, const api::TracingPolicy& policy) {
  const api::TracingPolicyStatus& status = policy.status;
  if (status.conditions.empty()) {
    // A manifest has none; an object of a cluster should.
    if (policy.metadata.uid.empty()) return;
    Line(text, "Status:     none yet: is the operator running? `tracekeeper doctor` says.");
    return;
  }
  if (status.observed_generation < policy.metadata.generation) {
    Line(text, "Status:     is about generation {}; the operator has not seen generation {} yet.",
         status.observed_generation, policy.metadata.generation);
  }
  Line(text, "Pods:       selected: {}, injected: {}, outdated: {}.", status.matched_pods,
       status.injected_pods, status.outdated_pods);
  Line(text, "Conditions:");
  for (const kube::Condition& condition : status.conditions) {
    Line(text, "  {:<12} {:<8} {}: {}", condition.type, kube::NameOf(condition.status),
         condition.reason, condition.message);
  }
  AppendReasons(text, status.reasons);
  AppendConfiguration(text, status);
  AppendRollout(text, status);
}

void AppendRemarks(std::string& text, const KnownPolicy& known) {
  const auto paused =
      known.policy.metadata.annotations.find(std::string(domain::kPausedAnnotation));
  const bool is_paused =
      paused != known.policy.metadata.annotations.end() && paused->second == "true";
  if (known.findings.empty() && !is_paused) return;
  Line(text, "Remarks:");
  if (is_paused) AppendFinding(text, {domain::Reason::kPolicyPaused, ""});
  for (const domain::Finding& finding : known.findings) AppendFinding(text, finding);
}

/// What the World's pods of one policy are, told apart by reason.
struct PodsOfPolicy {
  std::size_t selected = 0;
  std::size_t injected = 0;
  std::vector<std::pair<std::string, domain::Finding>> without;  // pod and why
  std::map<std::string, std::size_t> shadowed_by;                // other policy and pods
};

PodsOfPolicy CountPods(const World& world, const kube::ObjectKey& key) {
  PodsOfPolicy pods;
  const domain::PolicySnapshot snapshot = world.Snapshot();
  for (const kube::Document& pod : world.pods) {
    std::string namespace_name(pod["metadata"]["namespace"].StringOr(key.namespace_name));
    const PodVerdict verdict = JudgePod(world, snapshot, pod.root(), namespace_name);
    if (verdict.policy == nullptr) continue;
    if (verdict.policy->key != key) {
      const bool lost = std::any_of(verdict.shadowed.begin(), verdict.shadowed.end(),
                                    [&](const auto* other) { return other->key == key; });
      if (lost) ++pods.shadowed_by[verdict.policy->qualified_name];
      continue;
    }
    ++pods.selected;
    if (verdict.carries_injection) {
      ++pods.injected;
      continue;
    }
    const bool is_created = pod["metadata"]["creationTimestamp"].is_string();
    const bool is_missing = verdict.outcome == domain::Outcome::kInjected && is_created;
    pods.without.emplace_back(
        fmt::format("{}/{}", namespace_name, pod["metadata"]["name"].StringOr("")),
        is_missing || verdict.findings.empty()
            ? domain::Finding{domain::Reason::kMissingInjection, ""}
            : verdict.findings.front());
  }
  return pods;
}

void AppendPods(std::string& text, const World& world, const kube::ObjectKey& key) {
  if (world.pods.empty()) return;
  const PodsOfPolicy pods = CountPods(world, key);
  Line(text, "Seen now:   pods selected: {}, injected: {}.", pods.selected, pods.injected);
  for (const auto& [other, count] : pods.shadowed_by) {
    Line(text, "            {} wins for {} more.", other, count);
  }
  const std::size_t named = std::min(pods.without.size(), kMostPodsNamed);
  for (std::size_t i = 0; i < named; ++i) {
    Line(text, "  {} is not injected:", pods.without[i].first);
    AppendFinding(text, pods.without[i].second);
  }
  if (named < pods.without.size()) {
    Line(text, "  and {} more are not injected.", pods.without.size() - named);
  }
}

}  // namespace

Result<std::string> ExplainPolicy(const World& world, const kube::ObjectKey& key) {
  const KnownPolicy* known = world.FindPolicy(key);
  if (known == nullptr) {
    return Fail(ErrorKind::kNotFound, "there is no TracingPolicy {} in what was given",
                key.ToString());
  }
  std::string text;
  Line(text, "TracingPolicy {} (generation {})", key.ToString(), known->policy.metadata.generation);
  AppendSelection(text, *known);
  AppendStatus(text, known->policy);
  AppendCredentials(text, known->policy);
  AppendRemarks(text, *known);
  AppendPods(text, world, key);
  AppendNotes(text, world);
  return text;
}

Result<std::string> ExplainReason(std::string_view name) {
  std::string text;
  if (name.empty()) {
    for (std::size_t i = 0; i < domain::kReasonCount; ++i) {
      const auto reason = static_cast<domain::Reason>(i);
      Line(text, "{:<36} {}", domain::NameOf(reason), domain::SentenceOf(reason));
    }
    return text;
  }
  const auto reason = domain::ReasonFromName(name);
  if (!reason) {
    return Fail(ErrorKind::kNotFound,
                "there is no reason '{}': `tracekeeper explain reason` lists them all", name);
  }
  AppendFinding(text, {*reason, ""});
  return text;
}

}  // namespace tracekeeper::cli
