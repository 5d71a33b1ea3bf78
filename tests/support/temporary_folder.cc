#include "tests/support/temporary_folder.h"

#include <cstdio>
#include <cstdlib>

namespace tracekeeper::test_support {

TemporaryFolder::TemporaryFolder(std::string_view name) {
  std::string pattern = std::filesystem::temp_directory_path() / "tracekeeper-";
  pattern.append(name).append("-XXXXXX");
  if (::mkdtemp(pattern.data()) == nullptr) {
    std::perror(pattern.c_str());
    std::abort();
  }
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;  // what a dying child still writes is no failure of its test
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace tracekeeper::test_support
