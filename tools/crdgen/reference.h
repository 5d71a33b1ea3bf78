#pragma once
// The reference page of a kind: every field with type, default and bounds, and what is refused at
// apply, as Markdown.
//
// Threads:  a pure function.

#include <string>

#include "tools/crdgen/custom_resource.h"

namespace tracekeeper::crdgen {

std::string ReferencePage(const CustomResource& resource, std::string_view example_yaml);

}  // namespace tracekeeper::crdgen
