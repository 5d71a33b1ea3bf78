#pragma once
// Golden files: whole outputs, compared byte by byte. TRACEKEEPER_UPDATE_GOLDEN=1 writes them
// anew; the change is then reviewed like any other.
//
// Threads:  one thread at a time.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace tracekeeper::cli {

/// Compares `text` with tests/cli/golden/NAME.
inline void ExpectGolden(const std::string& name, const std::string& text) {
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
