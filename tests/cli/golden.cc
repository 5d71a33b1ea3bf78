#include "tests/cli/golden.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/folders.h"

namespace tracekeeper::cli {

void ExpectGolden(const std::string& name, const std::string& text) {
  const std::filesystem::path file = test_support::SourceFolder() / "tests/cli/golden" / name;
  if (std::getenv("TRACEKEEPER_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(file, std::ios::binary) << text;
    return;
  }
  std::ifstream in(file, std::ios::binary);
  std::stringstream want;
  want << in.rdbuf();
  EXPECT_EQ(text, want.str()) << "differs from " << file
                              << "; TRACEKEEPER_UPDATE_GOLDEN=1 writes it anew";
}

}  // namespace tracekeeper::cli
