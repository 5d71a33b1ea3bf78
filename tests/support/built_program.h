#pragma once
// Finds the real servers and tools that tools/setup.sh built.
//
//   const auto otelcol = TRY(BuiltProgram("otelcol", "otelcol"));
//
// Threads:  any.
// Failure:  an Error that names the command to run when the program is not there.

#include <filesystem>
#include <string>

#include "src/base/result.h"

namespace tracekeeper::test_support {

/// `file` in the folder that `tools/setup.sh path NAME` prints; an empty `file` is what it prints.
Result<std::filesystem::path> BuiltProgram(const std::string& name, const std::string& file);

}  // namespace tracekeeper::test_support
