#include "src/analysis/request_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "tests/support/manual_clock.h"

namespace tracekeeper::analysis {
namespace {

class RequestQueueTest : public testing::Test {
 protected:
  static constexpr std::size_t kBudget = 1000;
  using Outcome = RequestQueue::Outcome;

  Outcome Push(std::size_t bytes, char letter = 'x') {
    return queue_.Push(otlp::Signal::kTraces, otlp::Ingress::kGrpc, std::string(bytes, letter));
  }
  RequestQueue::Work Take() { return queue_.TakeUntil(clock_.Monotonic()); }

  test_support::ManualClock clock_;
  RequestQueue queue_{kBudget, clock_};
};

TEST_F(RequestQueueTest, HandsOutWhatCameInItsOrder) {
  EXPECT_EQ(Push(10, 'a'), Outcome::kTaken);
  EXPECT_EQ(Push(20, 'b'), Outcome::kTaken);
  const auto work = Take();
  ASSERT_EQ(work.requests.size(), 2U);
  EXPECT_EQ(work.requests.front().bytes, std::string(10, 'a'));
  EXPECT_EQ(work.requests.back().bytes, std::string(20, 'b'));
  EXPECT_TRUE(Take().requests.empty());
}

TEST_F(RequestQueueTest, RefusesWhatFindsNoRoomUntilSomeIsDone) {
  EXPECT_EQ(Push(600), Outcome::kTaken);
  EXPECT_EQ(Push(600), Outcome::kFull);
  auto work = Take();
  EXPECT_EQ(Push(600), Outcome::kFull) << "what is handed out still takes room";
  queue_.Release(std::move(work.requests.front()));
  EXPECT_EQ(Push(600), Outcome::kTaken);
  EXPECT_EQ(queue_.bytes(), 600U);
}

TEST_F(RequestQueueTest, TakesOneThatIsLargerThanTheBudgetAlone) {
  EXPECT_EQ(Push(5 * kBudget), Outcome::kTaken);
  EXPECT_EQ(Push(1), Outcome::kFull);
}

TEST_F(RequestQueueTest, AnEarlierRequestLeavesItsMemoryToOneOfAboutItsSize) {
  Push(400, 'a');
  auto work = Take();
  const char* const memory = work.requests.front().bytes.data();
  queue_.Release(std::move(work.requests.front()));
  Push(100, 'b');
  EXPECT_NE(Take().requests.front().bytes.data(), memory) << "most of it would lie idle";
  Push(390, 'c');
  work = Take();
  EXPECT_EQ(work.requests.front().bytes.data(), memory);
  EXPECT_EQ(work.requests.front().bytes, std::string(390, 'c'));
}

TEST_F(RequestQueueTest, TakesNothingOnceItIsClosedAndHandsOutWhatWaits) {
  Push(1);
  queue_.Close();
  EXPECT_EQ(Push(1), Outcome::kClosed);
  EXPECT_FALSE(queue_.Post([] {}));
  const auto work = Take();
  EXPECT_EQ(work.requests.size(), 1U);
  EXPECT_TRUE(work.is_closed);
}

TEST_F(RequestQueueTest, WhatWasTakenIsHandedOutAlthoughItClosesMeanwhile) {
  for (int round = 0; round < 200; ++round) {
    RequestQueue queue(std::size_t{1} << 20U, clock_);
    std::size_t taken = 0;
    std::jthread sender([&] {
      const std::string bytes(1000, 'x');
      while (queue.Push(otlp::Signal::kLogs, otlp::Ingress::kGrpc, bytes) == Outcome::kTaken) {
        ++taken;
      }
    });
    std::size_t handed_out = 0;
    for (bool is_closed = false; !is_closed;) {
      auto work = queue.TakeUntil(clock_.Monotonic());
      handed_out += work.requests.size();
      for (QueuedRequest& request : work.requests) queue.Release(std::move(request));
      is_closed = work.is_closed;
      if (handed_out > 3) queue.Close();
    }
    sender.join();
    ASSERT_EQ(handed_out, taken);
  }
}

}  // namespace
}  // namespace tracekeeper::analysis
