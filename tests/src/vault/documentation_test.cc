// docs/reference/vault.md lists every row of the failure table as the code has it.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "src/vault/failure.h"
#include "tests/support/folders.h"

namespace tracekeeper::vault {
namespace {

TEST(VaultReference, ListsEveryFailureAsTheCodeSaysIt) {
  std::ifstream file(test_support::SourceFolder() / "docs/reference/vault.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const FailureRow& row : kFailures) {
    EXPECT_THAT(text, testing::HasSubstr(fmt::format("| `{}` | `{}` | {} | {} |\n", row.reason,
                                                     row.label, row.what, row.remedy)))
        << "the table lacks this row";
  }
}

}  // namespace
}  // namespace tracekeeper::vault
