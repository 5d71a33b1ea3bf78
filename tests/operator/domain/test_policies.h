#pragma once
// Policies and pods for the tests of operator/domain, written as users write them.

#include <string>
#include <string_view>

#include "operator/domain/compile_policy.h"
#include "operator/domain/mutate.h"
#include "src/kube/document.h"

namespace tracekeeper::domain {

inline constexpr std::string_view kOperatorNamespace = "tracekeeper-system";

CompileOptions TestOptions();

/// Compiles a policy "shop/checkout" with this spec (JSON); fails the test when it does not.
PolicyCompilation CompileSpec(std::string_view spec_json, std::string_view name = "shop/checkout",
                              std::string_view more_metadata = "");
/// Its policy alone.
PolicyPointer PolicyWith(std::string_view spec_json, std::string_view name = "shop/checkout");

/// Parses JSON that a test is sure of.
kube::Document Json(std::string_view text);

/// A pod of one container "app" with these members (JSON, comma first): `,"env":[...]`.
std::string PodWithContainer(std::string_view container_members);

/// Mutates in namespace "shop" on nodes with native sidecars.
Mutation MutateText(std::string_view pod_json, const CompiledPolicy& policy,
                    MutateContext context = {.namespace_name = "shop"});
/// The pod after its own mutation; the pod itself where there was none.
std::string Injected(std::string_view pod_json, const CompiledPolicy& policy,
                     MutateContext context = {.namespace_name = "shop"});

/// The container of that name, also among init containers.
codec::JsonValue ContainerOf(const codec::JsonValue& pod, std::string_view name);
/// What a container's env says of a variable: "=value", "<-{...}" for valueFrom, "absent".
std::string VariableOf(const codec::JsonValue& pod, std::string_view container,
                       std::string_view variable);

std::string Canonical(std::string_view json);

}  // namespace tracekeeper::domain
