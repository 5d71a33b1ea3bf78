#include "tests/support/folders.h"

namespace tracekeeper::test_support {

const std::filesystem::path& SourceFolder() {
  static const std::filesystem::path folder = TRACEKEEPER_SOURCE_FOLDER;
  return folder;
}

const std::filesystem::path& BuildFolder() {
  static const std::filesystem::path folder = TRACEKEEPER_BUILD_FOLDER;
  return folder;
}

std::filesystem::path Program(const std::string& name) { return BuildFolder() / "bin" / name; }

}  // namespace tracekeeper::test_support
