#include "src/runtime/informer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "src/runtime/pod_store.h"
#include "tests/support/fake_api_server.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::runtime {
namespace {

using namespace std::chrono_literals;
using test_support::FakeApiServer;
using test_support::ManualClock;
using testing::HasSubstr;

std::string PodJson(int number) {
  return fmt::format(
      R"({{"metadata":{{"namespace":"shop","name":"pod-{}","labels":{{"app":"a"}}}},)"
      R"("spec":{{"nodeName":"node-{}"}},"status":{{"phase":"Running"}}}})",
      number, number % 3);
}

class InformerTest : public testing::Test {
 protected:
  ManualClock clock_;
  FakeApiServer server_{clock_};
  kube::Client client_{{}, server_, server_, nullptr, clock_, NoMetrics()};
  Log log_{LogLevel::kDebug, [](LogLevel, std::string_view) {}};
  Informer<Pod> pods_{{.resource = kube::kPods}, PodProjection({}), client_, clock_, Logger(log_)};
};

TEST_F(InformerTest, IsReadyWhenEveryPodIsInTheStore) {
  for (int i = 0; i < 1200; ++i) server_.Put(kube::kPods, PodJson(i));
  const PodIndexes indexes = AddPodIndexes(pods_.store());
  EXPECT_EQ(pods_.name(), "informer-pods");
  EXPECT_THAT(pods_.Check().error().message, HasSubstr("has not arrived"));
  ASSERT_TRUE(pods_.Start());
  ASSERT_TRUE(pods_.WaitUntilReady(StopToken()));
  EXPECT_TRUE(pods_.Check());
  EXPECT_EQ(pods_.store().size(), 1200U);
  EXPECT_EQ(pods_.store().Count(indexes.by_node, "node-1"), 400U);
  pods_.Stop();
}

TEST_F(InformerTest, HandlersFillAQueueBeforeAnybodyWorksOnIt) {
  for (int i = 0; i < 10; ++i) server_.Put(kube::kPods, PodJson(i));
  WorkQueue queue({.name = "warm"}, clock_, NoMetrics());
  pods_.store().AddHandler(EnqueueKey<Pod>(queue));
  ASSERT_TRUE(pods_.Start());
  ASSERT_TRUE(pods_.WaitUntilReady(StopToken()));
  EXPECT_EQ(queue.depth(), 10U);
}

TEST_F(InformerTest, SaysWhyItIsNotReady) {
  server_.FailNext({.times = 1000, .status = 403, .reason = "Forbidden"});
  ASSERT_TRUE(pods_.Start());
  while (pods_.status().failures == 0) std::this_thread::sleep_for(1ms);
  std::stop_source stop;
  stop.request_stop();
  const Status status = pods_.WaitUntilReady(stop.get_token());
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("the first list has not arrived yet"));
  EXPECT_THAT(status.error().message, HasSubstr("pods"));
}

TEST_F(InformerTest, IsStoppedByItsDestructor) {
  Informer<Pod> other({.resource = kube::kPods}, PodProjection({}), client_, clock_, Logger(log_));
  ASSERT_TRUE(other.Start());
  ASSERT_TRUE(other.WaitUntilReady(StopToken()));
}

}  // namespace
}  // namespace tracekeeper::runtime
