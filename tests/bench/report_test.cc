#include "tests/bench/report.h"

#include <gtest/gtest.h>

#include <array>

namespace tracekeeper::bench {
namespace {

TEST(Median, IsTheMiddleOfTheSortedSamples) {
  EXPECT_EQ(Median(std::array{9.0, 1.0, 5.0}), 5.0);
  EXPECT_EQ(Median(std::array{4.0, 1.0, 2.0, 100.0}), 3.0);
  EXPECT_EQ(Median(std::array{7.0}), 7.0);
}

TEST(Percentile, IsTheNearestRank) {
  std::vector<double> hundred;
  for (int value = 100; value >= 1; --value) hundred.push_back(value);
  EXPECT_EQ(Percentile(hundred, 99), 99.0);
  EXPECT_EQ(Percentile(hundred, 100), 100.0);
  EXPECT_EQ(Percentile(hundred, 50), 50.0);
  EXPECT_EQ(Percentile(std::array{3.0}, 1), 3.0);
}

TEST(Report, WritesTheRowsThatTheContractNames) {
  Report report("admission");
  report.Add(
      {.name = "pod", .metric = "p99", .unit = "us", .samples = {30, 10, 20}, .goal = AtMost(20)});
  EXPECT_EQ(report.ToJson(),
            R"([{"bench":"admission","case":"pod","metric":"p99","value":20.0,"unit":"us","n":3,)"
            R"("min":10.0,"max":30.0,"goal":"<= 20","met":true}])");
}

struct RatioCase {
  Better better;
  double value, peer, ratio;
};

TEST(Report, ARatioAboveOneMeansBetterThanThePeer) {
  for (const RatioCase& it : {RatioCase{Better::kLower, 5, 100, 20},
                              {Better::kHigher, 100, 50, 2},
                              {Better::kLower, 10, 5, 0.5}}) {
    Report report("webhook");
    report.Add({.name = "a",
                .metric = "b",
                .unit = "c",
                .samples = {it.value},
                .better = it.better,
                .peer = Peer{"go", it.peer},
                .goal = RatioAtLeast(2)});
    const std::string json = report.ToJson();
    EXPECT_NE(json.find(R"("peer":"go")"), std::string::npos) << json;
    EXPECT_NE(json.find(it.ratio >= 2 ? R"("goal":"ratio >= 2","met":true)"
                                      : R"("goal":"ratio >= 2","met":false)"),
              std::string::npos)
        << json;
  }
}

TEST(Report, AMissedGoalIsToldAndIsNoError) {
  Report report("runtime");
  report.Add({.name = "a", .metric = "b", .unit = "s", .samples = {2}, .goal = AtMost(1)});
  EXPECT_NE(report.ToJson().find(R"("met":false)"), std::string::npos);
  EXPECT_EQ(report.Write(), 0);
}

TEST(Cpu, TimeMovesWithWork) {
  const double process = ProcessCpuSeconds();
  const double thread = ThreadCpuSeconds();
  double sum = 0;
  while (ThreadCpuSeconds() - thread < 0.01) Keep(sum += 1);
  EXPECT_GE(ProcessCpuSeconds() - process, 0.01);
  EXPECT_GT(ResidentBytes(), 0U);
  EXPECT_GE(PeakResidentBytes(), ResidentBytes() / 2);
}

}  // namespace
}  // namespace tracekeeper::bench
