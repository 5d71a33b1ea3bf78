#pragma once
// The tables of objects beside this file: what each row applies, and what must be answered.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace tracekeeper::api {

struct ObjectCase {
  std::string name;
  std::string object_name;        // metadata.name; by default the same
  std::string document;           // a whole object as JSON, in namespace "shop"
  std::vector<std::string> want;  // lines of the API server's refusal; empty: it is taken
};

/// Objects of `kind`; `file_name` is one beside this file.
Result<std::vector<ObjectCase>> ReadObjectTable(std::string_view kind, std::string_view file_name);

/// A file of the repository, or an error.
Result<std::string> ReadRepositoryFile(const std::filesystem::path& path);

}  // namespace tracekeeper::api
