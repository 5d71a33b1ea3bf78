#include "src/continuity/busy_times.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>

namespace tracekeeper::continuity {
namespace {

using Interval = std::pair<Microseconds, Microseconds>;

BusyTimes Of(const std::vector<Interval>& intervals) {
  BusyTimes busy;
  for (const auto& [start, end] : intervals) busy.Add(start, end);
  busy.Settle();
  return busy;
}

/// Settled after each of a few, as a stream is.
BusyTimes InPortions(const std::vector<Interval>& intervals, std::size_t portion) {
  BusyTimes busy;
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    busy.Add(intervals[i].first, intervals[i].second);
    if (i % portion == 0) busy.Settle();
  }
  busy.Settle();
  return busy;
}

TEST(BusyTimes, CoverTheirFirstAndTheirLastMoment) {
  const BusyTimes busy = Of({{10, 20}});
  EXPECT_FALSE(busy.Covers(9));
  EXPECT_TRUE(busy.Covers(10));
  EXPECT_TRUE(busy.Covers(20));
  EXPECT_FALSE(busy.Covers(21));
}

TEST(BusyTimes, AStartAloneCoversNothing) {
  BusyTimes busy;
  busy.AddStart(10);
  busy.Settle();
  EXPECT_FALSE(busy.Covers(10));
  EXPECT_EQ(busy.StartsBetween(9, 11), 1U);
  EXPECT_EQ(busy.StartsBetween(10, 11), 0U) << "neither end counts";
}

TEST(BusyTimesProperty, SayWhatALookAtEveryIntervalSays) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 200; ++round) {
    std::vector<Interval> intervals(random() % 12);
    for (Interval& interval : intervals) {
      interval.first = random() % 60;
      interval.second = interval.first + random() % 15;
    }
    const BusyTimes busy = round % 2 == 0 ? Of(intervals) : InPortions(intervals, random() % 4 + 1);
    Microseconds covered = 0;
    for (Microseconds time = 0; time < 80; ++time) {
      const auto is_open = [time](const Interval& i) {
        return i.first <= time && time <= i.second;
      };
      EXPECT_EQ(busy.Covers(time), std::ranges::any_of(intervals, is_open));
      const auto lasts = [time](const Interval& i) { return i.first <= time && time < i.second; };
      covered += std::ranges::any_of(intervals, lasts) ? 1 : 0;
      const auto starts = [time](const Interval& i) {
        return i.first > time && i.first < time + 9;
      };
      EXPECT_EQ(busy.StartsBetween(time, time + 9),
                static_cast<std::size_t>(std::ranges::count_if(intervals, starts)));
    }
    EXPECT_EQ(busy.BusyTime(), covered);
  }
}

TEST(BusyTimes, ForgetWhatBeganAndWhatEndedBefore) {
  BusyTimes busy = Of({{10, 20}, {30, 40}, {15, 17}});
  busy.Forget(16);
  EXPECT_EQ(busy.StartsBetween(0, 100), 1U);
  EXPECT_TRUE(busy.Covers(18)) << "was still open";
  busy.Add(35, 50);
  busy.Settle();
  busy.Forget(21);
  EXPECT_FALSE(busy.Covers(18));
  EXPECT_TRUE(busy.Covers(50));
  busy.Forget(51);
  EXPECT_TRUE(busy.is_empty());
}

}  // namespace
}  // namespace tracekeeper::continuity
