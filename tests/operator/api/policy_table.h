#pragma once
// The tables of policies beside this file: what each row applies, and what must be answered.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace tracekeeper::api {

struct PolicyCase {
  std::string name;
  std::string object_name;        // metadata.name; by default the same
  std::string document;           // a whole TracingPolicy as JSON, in namespace "shop"
  std::vector<std::string> want;  // lines of the API server's refusal; empty: it is taken
};

/// `file_name` is one beside this file.
Result<std::vector<PolicyCase>> ReadPolicyTable(std::string_view file_name);

/// A file of the repository, or an error.
Result<std::string> ReadRepositoryFile(const std::filesystem::path& path);

}  // namespace tracekeeper::api
