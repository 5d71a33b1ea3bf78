#include "operator/domain/rotation_failure.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "src/vault/failure.h"
#include "tests/support/folders.h"

namespace tracekeeper::domain {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RotationFailures, AreNamedOnceAndSayWhatToDo) {
  std::set<std::string_view> reasons;
  std::set<std::string_view> labels;
  for (const RotationFailure& row : RotationFailures()) {
    EXPECT_TRUE(reasons.insert(row.reason).second) << row.reason;
    EXPECT_TRUE(labels.insert(row.label).second) << row.label;
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(row.reason.front())) != 0) << row.reason;
    EXPECT_EQ(row.label.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos);
    EXPECT_FALSE(row.what.empty()) << row.reason;
    EXPECT_FALSE(row.remedy.empty()) << row.reason;
    EXPECT_FALSE(row.remedy.ends_with('.')) << row.reason << ": it stands within a sentence";
    EXPECT_EQ(FindRotationFailure(row.label), &row);
  }
  EXPECT_EQ(FindRotationFailure("no such"), nullptr);
}

struct RowCase {
  const char* name;
  ErrorKind kind;
  std::string_view reason;
  std::string_view want;
};

class Rows : public testing::TestWithParam<RowCase> {};

TEST_P(Rows, AreFoundByReasonElseByKind) {
  Error error{GetParam().kind, "text", std::nullopt};
  error.reason = GetParam().reason;
  EXPECT_EQ(RotationFailureOf(error).label, GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Rows,
    testing::Values(RowCase{"reason", ErrorKind::kUnavailable,
                            vault::RowOf(vault::Failure::kSealed).label, "sealed"},
                    RowCase{"foreign_reason", ErrorKind::kUnavailable, "no such row",
                            "cluster_unavailable"},
                    RowCase{"timeout", ErrorKind::kTimeout, "", "cluster_unavailable"},
                    RowCase{"too_many", ErrorKind::kTooManyRequests, "", "cluster_unavailable"},
                    RowCase{"unauthorized", ErrorKind::kUnauthorized, "", "login_refused"},
                    RowCase{"forbidden", ErrorKind::kForbidden, "", "target_forbidden"},
                    RowCase{"conflict", ErrorKind::kConflict, "", "fenced"},
                    RowCase{"cas", ErrorKind::kConflict,
                            vault::RowOf(vault::Failure::kCasConflict).label, "cas_conflict"},
                    RowCase{"html", ErrorKind::kDecode, "", "answer_not_vault"},
                    RowCase{"bug", ErrorKind::kInternal, "", "internal"}),
    [](const auto& param) { return param.param.name; });

TEST(RetryDelay, IsJitteredFullyFromOneSecondToSixty) {
  const RotationFailure& sealed = *FindRotationFailure(vault::RowOf(vault::Failure::kSealed).label);
  for (unsigned failures = 0; failures < 100; ++failures) {
    EXPECT_EQ(RetryDelay(sealed, failures, 0.0, {}), seconds(1));
    EXPECT_LE(RetryDelay(sealed, failures, 0.999, {}), seconds(60));
  }
  EXPECT_EQ(RetryDelay(sealed, 3, 0.5, {}), seconds(4));
  EXPECT_EQ(RetryDelay(sealed, 40, 0.5, {}), seconds(30));
  EXPECT_EQ(RetryDelay(sealed, 40, 7.0, {}), seconds(60)) << "a share out of range";
}

TEST(RetryDelay, NeverComesBeforeThePeerAsked) {
  const RotationFailure& limited =
      *FindRotationFailure(vault::RowOf(vault::Failure::kRateLimited).label);
  EXPECT_EQ(RetryDelay(limited, 1, 0.5, seconds(40)), seconds(40));
  EXPECT_EQ(RetryDelay(limited, 6, 1.0, milliseconds(10)), seconds(60));
  EXPECT_EQ(RetryDelay(limited, 1, 0.5, hours(700)), hours(1)) << "no peer stops a rotation";
}

TEST(RetryDelay, GrowsToFiveMinutesWhereAPersonMustAct) {
  const RotationFailure& refused =
      *FindRotationFailure(vault::RowOf(vault::Failure::kPermissionDenied).label);
  EXPECT_EQ(RetryDelay(refused, 2, 1.0, {}), seconds(4));
  EXPECT_EQ(RetryDelay(refused, 40, 1.0, {}), seconds(300));
}

TEST(RotationFailures, HoldEveryRowOfVault) {
  for (const vault::FailureRow& row : vault::kFailures) {
    const RotationFailure* found = FindRotationFailure(row.label);
    ASSERT_NE(found, nullptr) << row.label;
    EXPECT_EQ(found->reason, row.reason);
  }
}

TEST(RotationFailures, AreDocumentedAsTheyAre) {
  std::ifstream file(test_support::SourceFolder() / "docs/credentials.md");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  for (const RotationFailure& row : RotationFailures().subspan(vault::kFailures.size())) {
    const std::string line =
        fmt::format("| `{}` | `{}` | {} | {} |", row.reason, row.label, row.what, row.remedy);
    EXPECT_NE(page.find(line), std::string::npos) << line;
  }
}

TEST(RetryDelay, OfAConflictIsShort) {
  EXPECT_EQ(RetryDelay(*FindRotationFailure(failure::kFenced), 50, 1.0, {}), seconds(1));
}

}  // namespace
}  // namespace tracekeeper::domain
