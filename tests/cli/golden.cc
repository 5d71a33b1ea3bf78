#include "tests/cli/golden.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace tracekeeper::cli {

void ExpectGolden(const std::string& name, const std::string& text) {
  const std::filesystem::path file = std::filesystem::path(TRACEKEEPER_GOLDEN) / name;
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
