#pragma once
// Mutate says what injection adds to a pod. Webhook, `tracekeeper inject`, `tracekeeper explain`
// and the drift check call this one function.
//
//   const Mutation mutation = Mutate(pod, *policy, {.namespace_name = "shop", ...});
//   Answer(mutation.patch, mutation.Warnings());
//
// Laws, each a property test:
//   - it adds; nothing is removed. Only list-valued variables that the user set (such as
//     OTEL_RESOURCE_ATTRIBUTES, JAVA_TOOL_OPTIONS) grow at their end, by one `replace` each;
//   - mutating the result again gives no patch, except for containers that came later;
//   - Undo() (undo.h) of the result gives the pod back;
//   - a user's value is kept, and where it differs from ours a finding says so.
//
// Threads:  pure; no I/O, no clock.
// Failure:  none: a pod that is not injected has a reason, and no patch.
// Cost:     one pass over the pod, linear in its size; tests/bench/admission_bench.cc.

#include <string>
#include <string_view>
#include <vector>

#include "operator/domain/compiled_policy.h"
#include "operator/domain/label_selector.h"
#include "operator/domain/node_capability.h"
#include "operator/domain/reasons.h"
#include "src/codec/json_value.h"

namespace tracekeeper::domain {

/// What surrounds the pod. A pod template has no namespace of its own at admission: the request's.
struct MutateContext {
  std::string_view namespace_name;
  LabelsView namespace_labels;
  NodeCapability nodes;
};

struct Mutation {
  Outcome outcome = Outcome::kSkipped;
  Reason reason = Reason::kNoPolicy;
  /// JSON Patch as text; empty when there is nothing to add.
  std::string patch;
  /// Why, the first one repeating `reason`; remarks follow.
  std::vector<Finding> findings;

  /// Sentences for the client that created the pod: what it should know, nothing it asked for.
  [[nodiscard]] std::vector<std::string> Warnings() const;
};

Mutation Mutate(const codec::JsonValue& pod, const CompiledPolicy& policy,
                const MutateContext& context);

/// Why a pod is never injected, whatever its policy: opted out, host network, Windows, static.
std::optional<Reason> StaticSkipReason(const codec::JsonValue& pod);

}  // namespace tracekeeper::domain
