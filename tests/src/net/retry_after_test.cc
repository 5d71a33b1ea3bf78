// Dates in headers, and how long a server asks its clients to wait.

#include "src/net/retry_after.h"

#include <gtest/gtest.h>

#include <optional>

namespace tracekeeper::net {
namespace {

using std::chrono::seconds;

constexpr Instant kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)};

TEST(RetryAfter, IsSecondsOrADate) {
  struct Case {
    const char* text;
    std::optional<Duration> want;
  };
  const Case cases[] = {
      {"0", seconds(0)},
      {"120", seconds(120)},
      {" 5 ", seconds(5)},
      {"99999999999999999999", std::chrono::hours(24 * 365)},
      {"Sun, 22 Nov 2026 00:00:30 GMT", seconds(30)},
      {"Sat, 21 Nov 2026 00:00:00 GMT", seconds(0)},
      {"", std::nullopt},
      {"-1", std::nullopt},
      {"1.5", std::nullopt},
      {"soon", std::nullopt},
      {"Sun, 32 Nov 2026 00:00:00 GMT", std::nullopt},
      {"Sun, 22 Foo 2026 00:00:00 GMT", std::nullopt},
      {"Sun, 22 Nov 2026 25:00:00 GMT", std::nullopt},
      {"Sun, 22 Nov 9999 00:00:00 GMT", std::nullopt},
      {"Sunday, 22-Nov-26 00:00:30 GMT", std::nullopt},
  };
  for (const Case& test : cases) EXPECT_EQ(ReadRetryAfter(test.text, kNow), test.want) << test.text;
}

TEST(HttpDate, IsAPointInTime) {
  EXPECT_EQ(ReadHttpDate("Sun, 22 Nov 2026 00:00:00 GMT"), kNow);
  EXPECT_EQ(ReadHttpDate("Sun, 22 Nov 2026 00:00:00 CET"), std::nullopt);
  EXPECT_EQ(ReadHttpDate("120"), std::nullopt);
}

}  // namespace
}  // namespace tracekeeper::net
