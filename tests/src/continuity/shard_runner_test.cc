#include "src/continuity/shard_runner.h"

#include <gtest/gtest.h>

#include <memory>

namespace tracekeeper::continuity {
namespace {

class ShardRunnerTest : public testing::TestWithParam<Running> {
 protected:
  ShardRunnerTest()
      : runner_(std::make_unique<StreamShard>(ShardOptions(), names_, shapes_,
                                              std::make_shared<const Epoch>()),
                GetParam()) {}

  void InsertSpans(std::uint64_t count, Tick now) {
    for (std::uint64_t i = 0; i < count; ++i) {
      ReadSpan read;
      read.trace = {1, ++last_id_};
      read.span.id = last_id_;
      read.is_valid = true;
      runner_.Insert(read, now);
    }
  }
  void InsertLogs(std::uint64_t count, Tick now) {
    for (std::uint64_t i = 0; i < count; ++i) runner_.Insert(ReadLog(), now);
  }

  Names names_;
  ShapeTable shapes_;
  ShardRunner runner_;
  std::uint64_t last_id_ = 0;
};

TEST_P(ShardRunnerTest, HasDoneAllAfterAWait) {
  InsertSpans(200'000, 1);  // more than may wait
  InsertSpans(3, 2);
  InsertLogs(5, 2);
  runner_.Do([](StreamShard& shard) { shard.Flush(); });
  runner_.Wait();
  EXPECT_EQ(runner_.shard().counts().spans, 200'003U);
  EXPECT_EQ(runner_.shard().counts().logs, 5U);
  EXPECT_EQ(runner_.shard().pending_spans(), 200'003U);
}

TEST_P(ShardRunnerTest, DoesATaskAfterWhatCameBeforeItAndBeforeWhatComesAfter) {
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  InsertSpans(10, 1);
  InsertLogs(2, 1);
  runner_.Do([&before](const StreamShard& shard) { before = shard.counts().spans; });
  InsertSpans(20, 1);
  runner_.Do([&after](const StreamShard& shard) { after = shard.counts().spans; });
  runner_.Wait();
  EXPECT_EQ(before, 10U);
  EXPECT_EQ(after, 30U);
}

TEST_P(ShardRunnerTest, DoesWhatWasToldBeforeItEnds) {
  auto is_done = std::make_shared<bool>(false);
  {
    ShardRunner runner(std::make_unique<StreamShard>(ShardOptions(), names_, shapes_,
                                                     std::make_shared<const Epoch>()),
                       GetParam());
    runner.Do([is_done](const StreamShard&) { *is_done = true; });
  }
  EXPECT_TRUE(*is_done);
}

INSTANTIATE_TEST_SUITE_P(Running, ShardRunnerTest,
                         testing::Values(Running::kAtOnce, Running::kInThread),
                         [](const auto& tested) {
                           return tested.param == Running::kAtOnce ? "AtOnce" : "InThread";
                         });

}  // namespace
}  // namespace tracekeeper::continuity
