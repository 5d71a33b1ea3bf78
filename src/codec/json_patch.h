#pragma once
// JSON Patch (RFC 6902) and JSON Pointer (RFC 6901), as the API server applies them to what a
// webhook answers: an operation that does not fit fails the whole patch. Of the operations those
// that we write: add, remove, replace, test. (copy could double a document with each step.)
//
//   const std::string pod = TRY(ApplyJsonPatch(pod_json, patch_json));
//
// Threads:  pure functions.
// Failure:  kInvalid names the operation and its path, and what was found there; kDecode where the
//           document or the patch is no JSON, or an operation is none.
// Limits:   depth as JsonValue, also of a path; kMaxPatchOperations.

#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/codec/json_value.h"

namespace tracekeeper::codec {

inline constexpr std::size_t kMaxPatchOperations = 10'000;

/// Appends `token` as one step of a JSON Pointer: "/" and the token with ~ and / escaped.
void AppendPointerToken(std::string& pointer, std::string_view token);

/// The unescaped tokens of a pointer; none for "". kInvalid for text that is no pointer.
Result<std::vector<std::string>> ParsePointer(std::string_view pointer);

/// The value at `pointer`, or a missing one.
JsonValue FindPointer(JsonValue document, std::string_view pointer);

/// `document` after all operations of `patch`, as JSON
/// with members in their order; new members stand at the end.
Result<std::string> ApplyJsonPatch(std::string_view document, std::string_view patch);
Result<std::string> ApplyJsonPatch(JsonValue document, JsonValue patch);

}  // namespace tracekeeper::codec
