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

/// Where a chart keeps what it lets users say about its CRDs.
struct CrdChart {
  std::string_view folder;     // below charts/
  std::string_view values;     // holds keep, labels and annotations
  std::string_view condition;  // installs the CRDs; empty: always
};
inline constexpr CrdChart kCrdsChart{"tracekeeper-crds/templates", ".Values", ""};
inline constexpr CrdChart kOperatorChart{"tracekeeper/templates/crds", ".Values.crds",
                                         ".Values.crds.install"};

/// The same as a Helm template: "keep" and labels from values, everything else as it is.
Result<std::string> CrdTemplate(const CustomResource& resource, const CrdChart& chart);

}  // namespace tracekeeper::crdgen
