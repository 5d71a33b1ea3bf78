#include "src/vault/retry.h"

#include <gtest/gtest.h>

#include "src/vault/failure.h"

namespace tracekeeper::vault {
namespace {

using namespace std::chrono_literals;

TEST(FullJitter, DoublesFromTwoSecondsToAMinute) {
  const Duration caps[] = {2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s};
  for (unsigned attempt = 0; attempt < std::size(caps); ++attempt) {
    EXPECT_EQ(FullJitter(attempt, 0), Duration(1s));
    EXPECT_EQ(FullJitter(attempt, 1), caps[attempt]);
    EXPECT_EQ(FullJitter(attempt, 0.5), (caps[attempt] + 1s) / 2);
  }
  EXPECT_EQ(FullJitter(4'000'000'000U, 1), Duration(60s));
}

TEST(WaitBeforeRetry, IsWhatEachRowMeans) {
  for (const FailureRow& row : kFailures) {
    SCOPED_TRACE(std::string(row.label));
    Error error = MakeError(row.failure, "read");
    error.retry_after = 3s;
    const auto least = WaitBeforeRetry(error, 0, 0);
    const auto most = WaitBeforeRetry(error, 0, 1);
    if (row.retry == Retry::kNever) {
      EXPECT_EQ(least, std::nullopt);
      continue;
    }
    ASSERT_TRUE(least && most);
    EXPECT_GE(*least, Duration(3s));
    EXPECT_GE(*most, Duration(3s));
    if (row.retry == Retry::kSlow) {
      EXPECT_EQ(*least, Duration(5min));
      EXPECT_EQ(*most, Duration(4min));
    } else {
      // Whatever passes by itself is tried again soon enough to recover within 15 s.
      EXPECT_LE(*least, Duration(10s));
      EXPECT_LE(*most, Duration(10s));
    }
  }
}

TEST(WaitBeforeRetry, SpreadsThoseWhoWaitForAProbe) {
  Error error = MakeError(Failure::kSealed, "read");
  error.retry_after = 5s;
  EXPECT_EQ(WaitBeforeRetry(error, 9, 0), Duration(5s));
  EXPECT_EQ(WaitBeforeRetry(error, 9, 1), Duration(10s));
}

TEST(WaitBeforeRetry, OfAnErrorWithoutARowIsSoonAndOfAStopNever) {
  EXPECT_EQ(WaitBeforeRetry(Error{.kind = ErrorKind::kInvalid}, 0, 0), Duration(1s));
  EXPECT_EQ(WaitBeforeRetry(Error{.kind = ErrorKind::kCancelled}, 0, 0), std::nullopt);
}

}  // namespace
}  // namespace tracekeeper::vault
