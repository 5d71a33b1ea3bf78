#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/decision.h"
#include "cli/explain.h"
#include "operator/domain/names.h"
#include "operator/domain/undo.h"
#include "src/kube/timestamp.h"

namespace tracekeeper::cli {
namespace {

template <typename... Args>
void Line(std::string& text, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
  text.push_back('\n');
}

std::string_view ModeOf(const domain::CompiledPolicy& policy) {
  return policy.mode == domain::InjectionMode::kRequired ? "Required" : "BestEffort";
}

void AppendPolicies(std::string& text, const PodVerdict& verdict) {
  if (verdict.policy == nullptr) {
    Line(text, "Policy:     none selects it.");
    return;
  }
  const domain::CompiledPolicy& policy = *verdict.policy;
  Line(text, "Policy:     {} ({}{}, generation {}).", policy.qualified_name, ModeOf(policy),
       policy.is_fleet() ? ", a fleet default" : "", policy.generation);
  for (const domain::CompiledPolicy* other : verdict.shadowed) {
    const char* why = "it is younger, or later by name";
    if (other->is_fleet() && !policy.is_fleet()) {
      why = "a policy of the pod's own namespace comes before fleet defaults";
    } else if (other->priority < policy.priority) {
      why = "its priority is lower";
    }
    Line(text, "            {} selects it too and gives way: {}.", other->qualified_name, why);
  }
}

void AppendCarried(std::string& text, const PodVerdict& verdict) {
  Line(text, "Injection:  it carries the injection of {}, generation {}.", verdict.carried_policy,
       verdict.carried_generation);
  if (verdict.policy == nullptr) {
    Line(text, "            No policy selects it any more: its next pod comes without.");
  } else if (verdict.policy->qualified_name != verdict.carried_policy) {
    Line(text, "            {} has taken over since: restart its workload to have the pod renewed.",
         verdict.policy->qualified_name);
  } else if (verdict.policy->generation_text != verdict.carried_generation) {
    Line(text,
         "            The policy is at generation {} now. What the sidecar reads is reloaded\n"
         "            while it runs; if the pod itself must change, the policy's status counts it\n"
         "            as outdated, and a restart of its workload renews it.",
         verdict.policy->generation_text);
  } else {
    Line(text, "            That is what the policy says today.");
  }
}

void AppendMissing(std::string& text, const World& world, const PodVerdict& verdict,
                   codec::JsonValue pod, const std::string& namespace_name) {
  const auto created = kube::ParseTimestamp(pod["metadata"]["creationTimestamp"].StringOr(""));
  if (!created) {
    Line(text,
         "Injection:  not yet: this is a manifest. The webhook adds the sidecar when it is "
         "created.");
    return;
  }
  Line(text,
       "Injection:  none, although the policy selects the pod and nothing stands against it.");
  const auto& covered = world.covered_namespaces;
  if (covered && std::find(covered->begin(), covered->end(), namespace_name) == covered->end()) {
    Line(text,
         "            The admission webhook does not cover namespace {}: run `tracekeeper doctor`.",
         namespace_name);
  } else if (*created < verdict.policy->created) {
    Line(text, "            The pod is older than the policy.");
  } else {
    Line(text,
         "            When it was created the operator did not answer, the webhook did not cover\n"
         "            its namespace yet, or its labels were others.");
  }
  AppendFinding(text, {domain::Reason::kMissingInjection, ""});
}

/// How the kubelet sees our container; nothing for files and pods that never started.
void AppendSidecarState(std::string& text, codec::JsonValue pod) {
  for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
    for (const codec::JsonValue status : pod["status"][list].Elements()) {
      if (status["name"].StringOr("") != domain::kSidecarContainer) continue;
      const char* state = "not running";
      if (status["state"]["running"]) state = "running";
      if (status["state"]["waiting"]) state = "waiting";
      Line(text, "Sidecar:    {}, {}, {} restarts, image {}.", state,
           status["ready"].BoolOr(false) ? "ready" : "not ready",
           status["restartCount"].IntegerOr(0), status["image"].StringOr("unknown"));
      const std::string_view why = status["state"]["waiting"]["message"].StringOr(
          status["state"]["waiting"]["reason"].StringOr(""));
      if (!why.empty()) Line(text, "            {}", why);
    }
  }
}

}  // namespace

void AppendFinding(std::string& text, const domain::Finding& finding) {
  Line(text, "  {}", finding.ToString());
  Line(text, "      {}", domain::SentenceOf(finding.reason));
  const std::string_view advice = domain::AdviceOf(finding.reason);
  if (!advice.empty()) Line(text, "      {}", advice);
}

void AppendNotes(std::string& text, const World& world) {
  for (const std::string& note : world.notes) Line(text, "Note: {}.", note);
}

PodVerdict JudgePod(const World& world, const domain::PolicySnapshot& snapshot,
                    codec::JsonValue pod, const std::string& namespace_name) {
  PodVerdict verdict;
  const codec::JsonValue annotations = pod["metadata"]["annotations"];
  verdict.carries_injection = annotations[domain::kInjectionAnnotation].is_string();
  verdict.carried_policy = annotations[domain::kPolicyAnnotation].StringOr("");
  verdict.carried_generation = annotations[domain::kGenerationAnnotation].StringOr("");

  // The webhook is asked about the pod as its author wrote it.
  std::optional<kube::Document> original;
  if (verdict.carries_injection) {
    if (const auto undone = domain::Undo(pod)) {
      if (auto parsed = kube::Document::Parse(*undone)) original = *std::move(parsed);
    }
  }
  const auto labels = world.namespaces.find(namespace_name);
  const Surroundings surroundings{
      .namespace_name = namespace_name,
      .namespace_labels = labels == world.namespaces.end() ? kube::StringMap() : labels->second,
      .operator_namespace = world.operator_namespace,
      .nodes = world.nodes};
  Decision decision = Decide(original ? original->root() : pod, snapshot, surroundings);
  verdict.policy = decision.policy;
  verdict.shadowed = std::move(decision.shadowed);
  verdict.outcome = decision.mutation.outcome;
  verdict.findings = std::move(decision.mutation.findings);
  return verdict;
}

Result<std::string> ExplainPod(const World& world, const kube::ObjectKey& key) {
  const kube::Document* pod = world.FindPod(key);
  if (pod == nullptr) {
    return Fail(ErrorKind::kNotFound, "there is no pod {} in what was given", key.ToString());
  }
  const domain::PolicySnapshot snapshot = world.Snapshot();
  const PodVerdict verdict = JudgePod(world, snapshot, pod->root(), key.namespace_name);
  std::string text;
  Line(text, "Pod {}", key.ToString());
  AppendPolicies(text, verdict);
  const bool would_be_injected = verdict.outcome == domain::Outcome::kInjected;
  if (verdict.carries_injection) {
    AppendCarried(text, verdict);
  } else if (would_be_injected) {
    AppendMissing(text, world, verdict, pod->root(), key.namespace_name);
  } else {
    Line(text, "Injection:  none.");
  }
  AppendSidecarState(text, pod->root());

  // "injected" itself was said above in other words.
  const std::size_t first = would_be_injected ? 1 : 0;
  if (verdict.findings.size() > first) Line(text, "{}", would_be_injected ? "Remarks:" : "Why:");
  for (std::size_t i = first; i < verdict.findings.size(); ++i) {
    AppendFinding(text, verdict.findings[i]);
  }
  AppendNotes(text, world);
  return text;
}

}  // namespace tracekeeper::cli
