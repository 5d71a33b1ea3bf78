#pragma once
// The CustomResourceDefinition of a kind as YAML, for `kubectl apply` and as a chart template.
//
// Threads:  pure functions.

#include <string>

#include "src/base/result.h"
#include "tools/crdgen/custom_resource.h"

namespace tracekeeper::crdgen {

/// What the API server refuses to store as an annotation is far above; Argo CD and kubectl keep a
/// copy of the whole object in one.
inline constexpr std::size_t kMaxCrdBytes = 200U << 10U;

/// kInternal when a list, map or string has no bound, or the text is too large.
Result<std::string> CrdYaml(const CustomResource& resource);

/// The same as a Helm template: "keep" and labels from values, everything else as it is.
Result<std::string> CrdTemplate(const CustomResource& resource);

}  // namespace tracekeeper::crdgen
