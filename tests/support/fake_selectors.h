#pragma once
// Selectors of the fake API server: labelSelector and fieldSelector parameters against an object.
//
// Threads:  pure functions.

#include <string_view>

#include "src/codec/json_value.h"

namespace tracekeeper::test_support {

/// "app=web,tier!=db,env in (a, b),owner,!old"
bool MatchesLabels(std::string_view selector, codec::JsonValue object);

/// "metadata.name=web,spec.nodeName!=node-1"
bool MatchesFields(std::string_view selector, codec::JsonValue object);

}  // namespace tracekeeper::test_support
