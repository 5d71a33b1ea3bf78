#pragma once
// Undo takes our additions out of a pod again, by the record that injection left in the annotation
// tracekeeper.dev/injection. Used by `explain` (the pod as its author wrote it) and by the tests.
//
// Threads:  pure.
// Failure:  kNotFound: the pod carries no record; kDecode: the record cannot be read. Additions
//           that somebody removed since are passed over.

#include <string>

#include "src/base/result.h"
#include "src/codec/json_value.h"

namespace tracekeeper::domain {

/// The pod without what its record lists, as JSON.
Result<std::string> Undo(const codec::JsonValue& pod);

}  // namespace tracekeeper::domain
