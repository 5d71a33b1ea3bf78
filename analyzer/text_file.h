#pragma once
// Text files that users write: read whole, of bounded length.
//
// Threads:  any.
// Failure:  kInvalid; the sentence begins with the file's name.

#include <cstddef>
#include <string>
#include <vector>

#include "src/base/result.h"

namespace tracekeeper::analyzer {

inline constexpr std::size_t kMaxTextBytes = 8U << 20U;

Result<std::string> ReadTextFile(const std::string& file);

/// A file as it is; of a folder its .yaml, .yml and .json, by name. Entries that begin with a dot,
/// such as the links in a mounted ConfigMap, are left out.
Result<std::vector<std::string>> FilesOf(const std::string& file_or_folder);

}  // namespace tracekeeper::analyzer
