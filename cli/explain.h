#pragma once
// What `tracekeeper explain` says, as pure functions of a World, so that tests compare whole texts.
//
// Threads:  pure.
// Failure:  kNotFound when the World has no such pod or policy.

#include <string>

#include "cli/world.h"
#include "src/base/result.h"
#include "src/kube/meta.h"

namespace tracekeeper::cli {

/// Which policy wins for the pod, whether it is injected, why, and what to do.
Result<std::string> ExplainPod(const World& world, const kube::ObjectKey& key);

/// What the policy selects, what is true of it, and which of its pods are not injected and why.
Result<std::string> ExplainPolicy(const World& world, const kube::ObjectKey& key);

/// One reason of the table, or all of them when `name` is empty.
Result<std::string> ExplainReason(std::string_view name);

/// One cause of broken traces by name or class, or all of them when `name` is empty.
Result<std::string> ExplainCause(std::string_view name);

// Shared by the first three.

/// How `explain` sees one pod.
struct PodVerdict {
  const domain::CompiledPolicy* policy = nullptr;  // the winner
  std::vector<const domain::CompiledPolicy*> shadowed;
  bool carries_injection = false;
  std::string carried_policy;  // "shop/checkout"
  std::string carried_generation;
  domain::Outcome outcome = domain::Outcome::kSkipped;
  /// What the webhook says of the pod as its author wrote it; the first is the verdict.
  std::vector<domain::Finding> findings;
};
PodVerdict JudgePod(const World& world, const domain::PolicySnapshot& snapshot,
                    codec::JsonValue pod, const std::string& namespace_name);

/// "  env_kept_user_value: container app: OTEL_SERVICE_NAME" with sentence and advice below it.
void AppendFinding(std::string& text, const domain::Finding& finding);
void AppendNotes(std::string& text, const World& world);
/// Where each credential of the policy comes from, when it is replaced, and what is done then.
void AppendCredentials(std::string& text, const api::TracingPolicy& policy);

}  // namespace tracekeeper::cli
