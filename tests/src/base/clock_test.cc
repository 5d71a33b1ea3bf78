#include "src/base/clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace tracekeeper {
namespace {

TEST(SystemClock, SleepEndsWithTrueWhenItsTimeIsOver) {
  const SystemClock clock;
  EXPECT_TRUE(clock.SleepFor(std::chrono::milliseconds(1), StopToken()));
}

TEST(SystemClock, AStopEndsALongSleepAtOnce) {
  const SystemClock clock;
  bool slept_on = true;
  std::jthread sleeper(
      [&](const StopToken& stop) { slept_on = clock.SleepFor(std::chrono::hours(1), stop); });
  sleeper.request_stop();
  sleeper.join();
  EXPECT_FALSE(slept_on);
}

TEST(SystemClock, AStopThatCameFirstMeansNoSleep) {
  const SystemClock clock;
  std::stop_source source;
  source.request_stop();
  EXPECT_FALSE(clock.SleepFor(std::chrono::hours(1), source.get_token()));
}

}  // namespace
}  // namespace tracekeeper
