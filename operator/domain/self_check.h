#pragma once
// SelfCheck reads a finished patch as the API server will, and looks for what would make it refuse
// the pod: an injector's mistake must never block a workload, so on doubt there is no patch.
//
//   - operations are `add`, or `replace` of an existing variable's value; never anything else
//   - each path can be added to: its parent is in the pod, or an earlier operation made it
//   - an `add` of a whole list does not hide one that has members
//   - containers and volumes that come have names that nobody has
//   - containers that come satisfy Pod Security "restricted" by themselves
//
// Threads:  one parser for each caller.
// Cost:     one pass over the patch; the pod is looked at only where paths lead.

#include <optional>
#include <string>
#include <string_view>

#include "operator/domain/pod_view.h"
#include "src/codec/json_value.h"

namespace tracekeeper::domain {

/// What is wrong with `patch` as a patch of `pod`, in a sentence; nothing where it is right.
std::optional<std::string> CheckPatch(const codec::JsonValue& pod_json, const PodView& pod,
                                      std::string_view patch, codec::JsonParser& parser);

}  // namespace tracekeeper::domain
