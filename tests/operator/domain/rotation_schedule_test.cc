#include "operator/domain/rotation_schedule.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace tracekeeper::domain {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

const Instant kBegun{hours(24 * 365 * 55)};

TEST(SplayShare, IsTheSameAfterARestartAndInRange) {
  // Fixed values: a new build must not move every rotation.
  EXPECT_DOUBLE_EQ(SplayShare("uid", "otlp", 1), SplayShare("uid", "otlp", 1));
  EXPECT_NE(SplayShare("uid", "otlp", 1), SplayShare("uid", "otlp", 2));
  EXPECT_NE(SplayShare("uid", "otlp", 1), SplayShare("other", "otlp", 1));
  for (int i = 0; i < 10000; ++i) {
    const double share = SplayShare(fmt::format("uid-{}", i), "otlp", i);
    ASSERT_GE(share, 0.0);
    ASSERT_LT(share, 1.0);
  }
}

TEST(SplayShare, SpreadsEvenly) {
  std::array<int, 10> tenths{};
  constexpr int kObjects = 10000;
  for (int i = 0; i < kObjects; ++i) {
    ++tenths[static_cast<std::size_t>(10 * SplayShare(fmt::format("uid-{}", i), "otlp", 1))];
  }
  for (const int tenth : tenths) {
    EXPECT_GT(tenth, kObjects / 10 * 85 / 100);
    EXPECT_LT(tenth, kObjects / 10 * 115 / 100);
  }
}

TEST(RotationDue, IsEarlyByAtMostATenthAndNeverLate) {
  EXPECT_EQ(RotationDue(kBegun, hours(72), 0.0), kBegun + hours(72));
  EXPECT_EQ(RotationDue(kBegun, hours(72), 1.0), kBegun + hours(72) - minutes(432));
  for (int i = 0; i < 1000; ++i) {
    const double share = SplayShare("uid", fmt::format("c{}", i), i);
    for (const Duration every : {Duration(seconds(1)), Duration(minutes(10)), Duration(hours(72)),
                                 Duration(hours(24 * 365))}) {
      const Instant due = RotationDue(kBegun, every, share);
      ASSERT_LE(due, kBegun + every);
      ASSERT_GE(due, kBegun + every - every / 10);
      ASSERT_FALSE(IsOverdue(kBegun, every, due));
    }
  }
}

struct BoundCase {
  const char* name;
  Duration every;
  Duration want;
};

class PeriodBounds : public testing::TestWithParam<BoundCase> {};

TEST_P(PeriodBounds, AreKept) {
  EXPECT_EQ(RotationDue(kBegun, GetParam().every, 0.0), kBegun + GetParam().want);
  EXPECT_FALSE(IsOverdue(kBegun, GetParam().every, kBegun + GetParam().want));
  EXPECT_TRUE(IsOverdue(kBegun, GetParam().every, kBegun + GetParam().want + nanoseconds(1)));
}

INSTANTIATE_TEST_SUITE_P(Table, PeriodBounds,
                         testing::Values(BoundCase{"usual", hours(72), hours(72)},
                                         BoundCase{"zero", Duration::zero(), kShortestPeriod},
                                         BoundCase{"negative", -hours(1), kShortestPeriod},
                                         BoundCase{"endless", Duration::max(), kLongestPeriod}),
                         [](const auto& param) { return param.param.name; });

TEST(RotationDue, AShareOutOfRangeIsBroughtIntoIt) {
  EXPECT_EQ(RotationDue(kBegun, hours(72), -3.0), RotationDue(kBegun, hours(72), 0.0));
  EXPECT_EQ(RotationDue(kBegun, hours(72), 17.0), RotationDue(kBegun, hours(72), 1.0));
}

TEST(RenewalDue, LeavesAtLeastAThirdOfTheLife) {
  const Validity lease{kBegun, kBegun + hours(3)};
  EXPECT_NEAR(static_cast<double>((RenewalDue(lease, 0.0) - kBegun).count()), 7200e9, 1e6);
  for (int i = 0; i < 1000; ++i) {
    const Instant due = RenewalDue(lease, SplayShare("uid", "db", i));
    ASSERT_GE(lease.until - due, hours(1) - std::chrono::milliseconds(1));
    ASSERT_GE(due - kBegun, minutes(100));
  }
}

TEST(RenewalDue, OfWhatEndsBeforeItBeginsIsAtOnce) {
  EXPECT_EQ(RenewalDue({kBegun, kBegun - hours(1)}, 0.5), kBegun);
}

}  // namespace
}  // namespace tracekeeper::domain
