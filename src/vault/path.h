#pragma once
// Path makes the part of a URL below /v1/ from what people write: mounts, roles, paths of secrets.
// Whatever it lets through stays below its mount, so nobody reaches sys/ by way of "..".
//
// Threads:  pure functions.
// Failure:  kInvalid with what is wrong and the text, which is no secret: paths stand in audit
// logs.

#include <string>
#include <string_view>

#include "src/base/result.h"

namespace tracekeeper::vault {

inline constexpr std::size_t kLongestPath = 512;

/// Checks a path of one or more parts ("team-a/kv", "shop/otlp"): no empty part, no part "." or
/// "..", no slash at either end, no control character, no byte that is not UTF-8's.
Status CheckPath(std::string_view path);

/// The same for one part: a role, a key.
Status CheckName(std::string_view name);

/// A checked path with each part percent-encoded, the slashes kept.
Result<std::string> EncodePath(std::string_view path);

/// MOUNT/MIDDLE/PATH, each checked and encoded: JoinPath("kv", "data", "shop/otlp").
Result<std::string> JoinPath(std::string_view mount, std::string_view middle,
                             std::string_view path);

}  // namespace tracekeeper::vault
