#pragma once
// Holds an answer against its schema in the OpenAPI document: the part of JSON Schema that the
// document uses, and strictly: what it does not describe may not be there.
//
// Threads:  pure functions.

#include <string>

#include "tests/support/json_tree.h"

namespace tracekeeper::analysis {

/// Every difference, a line each; empty for none. `at` is the path of `value` in them.
std::string DifferenceFrom(const test_support::JsonTree& schema,
                           const test_support::JsonTree& value,
                           const test_support::JsonTree& document, const std::string& at);

}  // namespace tracekeeper::analysis
