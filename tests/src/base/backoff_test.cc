#include "src/base/backoff.h"

#include <gtest/gtest.h>

namespace tracekeeper {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct WaitCase {
  const char* name;
  Backoff backoff;
  unsigned attempt;
  double random;
  Duration want;
};

class BackoffWait : public testing::TestWithParam<WaitCase> {};

TEST_P(BackoffWait, GrowsToItsCapAndNoFurther) {
  const WaitCase& c = GetParam();
  EXPECT_EQ(c.backoff.Wait(c.attempt, c.random), c.want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BackoffWait,
    testing::Values(WaitCase{"first", Backoff::PerKey(), 0, 0.9, milliseconds(5)},
                    WaitCase{"doubles", Backoff::PerKey(), 3, 0.9, milliseconds(40)},
                    WaitCase{"capped", Backoff::PerKey(), 18, 0.0, seconds(1000)},
                    WaitCase{"far_beyond_64_bits", Backoff::PerKey(), 4000, 0.0, seconds(1000)},
                    WaitCase{"no_jitter", Backoff::Watch(), 0, 0.0, milliseconds(800)},
                    WaitCase{"half_jitter", Backoff::Watch(), 0, 0.5, milliseconds(1200)},
                    WaitCase{"jitter_after_cap", Backoff::Watch(), 30, 0.5, seconds(45)}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace tracekeeper
