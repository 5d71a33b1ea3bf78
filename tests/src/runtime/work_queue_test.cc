#include "src/runtime/work_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "src/telemetry/prometheus_metrics.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::runtime {
namespace {

using namespace std::chrono_literals;
using kube::ObjectKey;
using test_support::ManualClock;
using testing::ElementsAre;
using testing::HasSubstr;

const ObjectKey kA{"shop", "a"};
const ObjectKey kB{"shop", "b"};
const ObjectKey kC{"shop", "c"};

class WorkQueueTest : public testing::Test {
 protected:
  // Takes and finishes all that is due.
  std::vector<std::string> TakeAll() {
    std::vector<std::string> names;
    while (const auto key = queue_.TryGet()) {
      names.push_back(key->name);
      queue_.Done(*key, Outcome::Succeeded());
    }
    return names;
  }

  ManualClock clock_;
  telemetry::PrometheusMetrics metrics_;
  WorkQueue queue_{{.name = "policy"}, clock_, metrics_};
};

TEST_F(WorkQueueTest, ManyAddsOfOneKeyAreOneRun) {
  for (int i = 0; i < 5; ++i) queue_.Add(kA);
  EXPECT_EQ(queue_.depth(), 1U);
  EXPECT_THAT(TakeAll(), ElementsAre("a"));
}

TEST_F(WorkQueueTest, KeysOfOnePriorityLeaveInTheOrderOfTheirFirstAdd) {
  queue_.Add(kB);
  queue_.Add(kA);
  queue_.Add(kC);
  queue_.Add(kB);
  EXPECT_THAT(TakeAll(), ElementsAre("b", "a", "c"));
}

TEST_F(WorkQueueTest, NewsLeavesBeforeTheInitialList) {
  queue_.Add(kA, Priority::kInitialList);
  queue_.Add(kB, Priority::kInitialList);
  queue_.Add(kC);
  EXPECT_THAT(TakeAll(), ElementsAre("c", "a", "b"));
}

TEST_F(WorkQueueTest, ARaisedKeyGoesToTheEndOfItsNewPriority) {
  queue_.Add(kA, Priority::kInitialList);
  queue_.Add(kB);
  queue_.Add(kA);
  EXPECT_THAT(TakeAll(), ElementsAre("b", "a"));
}

TEST_F(WorkQueueTest, AnAddWithALowerPriorityDoesNotLowerTheKey) {
  queue_.Add(kA);
  queue_.Add(kB, Priority::kInitialList);
  queue_.Add(kA, Priority::kInitialList);
  EXPECT_THAT(TakeAll(), ElementsAre("a", "b"));
}

TEST_F(WorkQueueTest, AKeyThatRunsIsNotHandedOutAgainUntilItIsDone) {
  queue_.Add(kA);
  ASSERT_EQ(queue_.TryGet(), kA);
  queue_.Add(kA);
  EXPECT_EQ(queue_.TryGet(), std::nullopt);
  queue_.Done(kA, Outcome::Succeeded());
  EXPECT_EQ(queue_.TryGet(), kA);
}

TEST_F(WorkQueueTest, AKeyThatRunsHoldsNoOtherKeyBack) {
  queue_.Add(kA);
  ASSERT_EQ(queue_.TryGet(), kA);
  queue_.Add(kA);
  queue_.Add(kB);
  EXPECT_EQ(queue_.TryGet(), kB);
}

TEST_F(WorkQueueTest, AKeyAddedWhileItRunsKeepsItsPlaceInTheOrder) {
  queue_.Add(kA);
  ASSERT_EQ(queue_.TryGet(), kA);
  queue_.Add(kA);
  queue_.Add(kB);
  queue_.Done(kA, Outcome::Succeeded());
  EXPECT_THAT(TakeAll(), ElementsAre("a", "b"));
}

TEST_F(WorkQueueTest, ADelayedKeyIsNotDueBeforeItsTime) {
  queue_.AddAfter(kA, 5s);
  EXPECT_EQ(queue_.TryGet(), std::nullopt);
  EXPECT_EQ(queue_.delayed(), 1U);
  clock_.Advance(4999ms);
  EXPECT_EQ(queue_.TryGet(), std::nullopt);
  clock_.Advance(1ms);
  EXPECT_EQ(queue_.TryGet(), kA);
}

TEST_F(WorkQueueTest, OfTwoDelaysTheEarlierCounts) {
  queue_.AddAfter(kA, 5s);
  queue_.AddAfter(kA, 60s);
  queue_.AddAfter(kB, 60s);
  queue_.AddAfter(kB, 5s);
  clock_.Advance(5s);
  EXPECT_THAT(TakeAll(), testing::UnorderedElementsAre("a", "b"));
  EXPECT_EQ(queue_.delayed(), 0U);
}

TEST_F(WorkQueueTest, AnAddWithoutDelayEndsTheWait) {
  queue_.AddAfter(kA, 5s);
  queue_.Add(kA);
  EXPECT_EQ(queue_.TryGet(), kA);
  queue_.Done(kA, Outcome::Succeeded());
  clock_.Advance(5s);
  EXPECT_EQ(queue_.TryGet(), std::nullopt) << "the delayed add was merged into the run";
}

TEST_F(WorkQueueTest, ADelayDoesNotHoldBackAKeyThatIsDue) {
  queue_.Add(kA);
  queue_.AddAfter(kA, 5s);
  EXPECT_EQ(queue_.TryGet(), kA);
}

TEST_F(WorkQueueTest, DelayedKeysAreOrderedByWhenTheyBecameDue) {
  queue_.AddAfter(kA, 2s);
  queue_.AddAfter(kB, 1s);
  clock_.Advance(1500ms);
  queue_.Add(kC);  // b has been due for half a second
  clock_.Advance(500ms);
  EXPECT_THAT(TakeAll(), ElementsAre("b", "c", "a"));
}

TEST_F(WorkQueueTest, RetriesWaitTwiceAsLongEachTimeAndSuccessStartsOver) {
  const std::vector<Duration> waits = {5ms, 10ms, 20ms, 40ms};
  queue_.Add(kA);
  for (const Duration wait : waits) {
    ASSERT_EQ(queue_.TryGet(), kA);
    queue_.Done(kA, Outcome::Retry());
    ASSERT_EQ(queue_.next_due(), clock_.Monotonic() + wait);
    clock_.Advance(wait);
  }
  ASSERT_EQ(queue_.TryGet(), kA);
  queue_.Done(kA, Outcome::Succeeded());
  queue_.Add(kA);
  ASSERT_EQ(queue_.TryGet(), kA);
  queue_.Done(kA, Outcome::Retry());
  EXPECT_EQ(queue_.next_due(), clock_.Monotonic() + 5ms);
}

TEST_F(WorkQueueTest, RetriesAreCappedAt1000Seconds) {
  queue_.Add(kA);
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(queue_.TryGet(), kA);
    queue_.Done(kA, Outcome::Retry());
    clock_.Advance(1000s);
  }
  ASSERT_EQ(queue_.TryGet(), kA);
  queue_.Done(kA, Outcome::Retry());
  EXPECT_EQ(queue_.next_due(), clock_.Monotonic() + 1000s);
}

TEST_F(WorkQueueTest, ARetryIsNotSoonerThanThePeerAskedFor) {
  queue_.Add(kA);
  ASSERT_EQ(queue_.TryGet(), kA);
  queue_.Done(kA, Outcome::RetryNotBefore(7s));
  EXPECT_EQ(queue_.next_due(), clock_.Monotonic() + 7s);
}

TEST_F(WorkQueueTest, RunAfterForgetsFailures) {
  queue_.Add(kA);
  ASSERT_EQ(queue_.TryGet(), kA);
  queue_.Done(kA, Outcome::Retry());
  clock_.Advance(5ms);
  ASSERT_EQ(queue_.TryGet(), kA);
  queue_.Done(kA, Outcome::RunAfter(1h));
  clock_.Advance(1h);
  ASSERT_EQ(queue_.TryGet(), kA);
  queue_.Done(kA, Outcome::Retry());
  EXPECT_EQ(queue_.next_due(), clock_.Monotonic() + 5ms);
}

TEST_F(WorkQueueTest, AGivenUpKeyComesBackOnlyWhenAddedAndRemembersItsFailures) {
  queue_.Add(kA);
  ASSERT_EQ(queue_.TryGet(), kA);
  queue_.Done(kA, Outcome::Retry());
  clock_.Advance(5ms);
  ASSERT_EQ(queue_.TryGet(), kA);
  queue_.Done(kA, Outcome::GivenUp());
  clock_.Advance(1h);
  EXPECT_EQ(queue_.TryGet(), std::nullopt);
  queue_.Add(kA);
  ASSERT_EQ(queue_.TryGet(), kA);
  queue_.Done(kA, Outcome::Retry());
  EXPECT_EQ(queue_.next_due(), clock_.Monotonic() + 10ms);
}

TEST_F(WorkQueueTest, ARetriedKeyKeepsThePriorityItRanWith) {
  queue_.Add(kA, Priority::kInitialList);
  ASSERT_EQ(queue_.TryGet(), kA);
  queue_.Done(kA, Outcome::Retry());
  clock_.Advance(5ms);
  queue_.Add(kB);
  EXPECT_THAT(TakeAll(), ElementsAre("b", "a"));
}

TEST_F(WorkQueueTest, AnAddDuringAFailingRunMakesItDueAtOnce) {
  queue_.Add(kA);
  ASSERT_EQ(queue_.TryGet(), kA);
  queue_.Add(kA);
  queue_.Done(kA, Outcome::Retry());
  EXPECT_EQ(queue_.TryGet(), kA);
}

TEST_F(WorkQueueTest, AfterStopNothingIsHandedOutOrTakenIn) {
  queue_.Add(kA);
  queue_.Stop();
  EXPECT_EQ(queue_.Get(), std::nullopt);
  queue_.Add(kB);
  EXPECT_EQ(queue_.depth(), 1U);
}

TEST_F(WorkQueueTest, StopWakesWorkersThatWait) {
  std::vector<std::jthread> workers;
  for (int i = 0; i < 3; ++i) {
    workers.emplace_back([this] { EXPECT_EQ(queue_.Get(), std::nullopt); });
  }
  ASSERT_TRUE(clock_.WaitForWaiters(3));
  queue_.Stop();
}

TEST_F(WorkQueueTest, AWorkerThatWaitsGetsADelayedKeyWhenItIsDue) {
  queue_.AddAfter(kA, 3s);
  std::optional<ObjectKey> got;
  std::jthread worker([&] { got = queue_.Get(); });
  while (clock_.next_deadline() != clock_.Monotonic() + 3s) std::this_thread::yield();
  clock_.Advance(3s);
  worker.join();
  EXPECT_EQ(got, kA);
}

TEST_F(WorkQueueTest, AnEarlierDelayShortensTheWaitOfAWorker) {
  queue_.AddAfter(kA, 9s);
  std::optional<ObjectKey> got;
  std::jthread worker([&] { got = queue_.Get(); });
  ASSERT_TRUE(clock_.WaitForWaiters(1));
  queue_.AddAfter(kB, 1s);
  while (clock_.next_deadline() != clock_.Monotonic() + 1s) std::this_thread::yield();
  clock_.Advance(1s);
  worker.join();
  EXPECT_EQ(got, kB);
}

TEST_F(WorkQueueTest, PublishesClientGosMetricsFromTheStart) {
  const std::string text = metrics_.Text();
  for (const char* line : {
           "workqueue_adds_total{controller=\"policy\",name=\"policy\"} 0",
           "workqueue_retries_total{controller=\"policy\",name=\"policy\"} 0",
           "workqueue_depth{controller=\"policy\",name=\"policy\",priority=\"0\"} 0",
           "workqueue_unfinished_work_seconds{controller=\"policy\",name=\"policy\"} 0",
           "workqueue_longest_running_processor_seconds{controller=\"policy\",name=\"policy\"} 0",
           "workqueue_queue_duration_seconds_count{controller=\"policy\",name=\"policy\"} 0",
           "workqueue_work_duration_seconds_count{controller=\"policy\",name=\"policy\"} 0",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(WorkQueueTest, CountsAddsDepthRetriesAndTimes) {
  queue_.Add(kA);
  queue_.Add(kA);
  queue_.Add(kB, Priority::kInitialList);
  clock_.Advance(2s);
  ASSERT_EQ(queue_.TryGet(), kA);
  clock_.Advance(3s);
  queue_.PublishRunning();
  EXPECT_EQ(queue_.longest_run(), 3s);
  const std::string during = metrics_.Text();
  queue_.Done(kA, Outcome::Retry());
  const std::string after = metrics_.Text();

  EXPECT_THAT(during, HasSubstr("workqueue_adds_total{controller=\"policy\",name=\"policy\"} 2"));
  EXPECT_THAT(during, HasSubstr("name=\"policy\",priority=\"0\"} 0"));
  EXPECT_THAT(during, HasSubstr("name=\"policy\",priority=\"-100\"} 1"));
  EXPECT_THAT(during, HasSubstr("workqueue_unfinished_work_seconds{controller=\"policy\",name="
                                "\"policy\"} 3"));
  EXPECT_THAT(during, HasSubstr("workqueue_queue_duration_seconds_sum{controller=\"policy\",name="
                                "\"policy\"} 2"));
  EXPECT_THAT(after, HasSubstr("workqueue_retries_total{controller=\"policy\",name=\"policy\"} 1"));
  EXPECT_THAT(after, HasSubstr("workqueue_work_duration_seconds_sum{controller=\"policy\",name="
                               "\"policy\"} 3"));
}

TEST_F(WorkQueueTest, DepthHasAtMost25PrioritiesAndARest) {
  for (int i = 0; i < 40; ++i) {
    queue_.Add({"shop", std::to_string(i)}, static_cast<Priority>(i));
  }
  const std::string text = metrics_.Text();
  std::size_t children = 0;
  for (std::size_t at = text.find("workqueue_depth{"); at != std::string::npos;
       at = text.find("workqueue_depth{", at + 1)) {
    ++children;
  }
  EXPECT_EQ(children, QueueMetrics::kMaxPriorities + 1);
  EXPECT_THAT(text, HasSubstr("priority=\"other\"} 15"));
}

}  // namespace
}  // namespace tracekeeper::runtime
