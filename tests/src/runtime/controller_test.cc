#include "src/runtime/controller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include "src/telemetry/prometheus_metrics.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::runtime {
namespace {

using namespace std::chrono_literals;
using kube::ObjectKey;
using test_support::ManualClock;
using testing::HasSubstr;

const ObjectKey kKey{"shop", "checkout"};

class ControllerTest : public testing::Test {
 protected:
  void Start(Reconcile reconcile, ControllerOptions options = {}) {
    options.name = "policy";
    controller_ =
        std::make_unique<Controller>(options, std::move(reconcile), clock_, metrics_, Logger(log_));
    ASSERT_TRUE(controller_->Start());
  }

  // Waits, in real time, until the metrics say `text`.
  bool Shows(const std::string& text) {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < limit) {
      if (metrics_.Text().find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(1ms);
    }
    ADD_FAILURE() << "never saw " << text << " in\n" << metrics_.Text();
    return false;
  }

  static std::string Total(std::string_view result, int count) {
    return fmt::format(
        "controller_runtime_reconcile_total{{controller=\"policy\",result=\"{}\"}} {}", result,
        count);
  }

  std::vector<std::string> Lines() {
    const std::scoped_lock lock(mutex_);
    return lines_;
  }

  ManualClock clock_;
  telemetry::PrometheusMetrics metrics_;
  std::mutex mutex_;
  std::vector<std::string> lines_;
  Log log_{LogLevel::kDebug, [this](LogLevel, std::string_view line) {
             const std::scoped_lock lock(mutex_);
             lines_.emplace_back(line);
           }};
  std::unique_ptr<Controller> controller_;
};

TEST_F(ControllerTest, PublishesControllerRuntimesMetricsAtZero) {
  Start([](const ObjectKey&, ReconcileContext&) { return Requeue::Never(); }, {.workers = 3});
  const std::string text = metrics_.Text();
  for (const char* result : {"success", "error", "requeue", "requeue_after"}) {
    EXPECT_THAT(text, HasSubstr(Total(result, 0)));
  }
  for (const char* line : {
           "controller_runtime_reconcile_errors_total{controller=\"policy\"} 0",
           "controller_runtime_terminal_reconcile_errors_total{controller=\"policy\"} 0",
           "controller_runtime_reconcile_panics_total{controller=\"policy\"} 0",
           "controller_runtime_reconcile_timeouts_total{controller=\"policy\"} 0",
           "controller_runtime_reconcile_time_seconds_count{controller=\"policy\"} 0",
           "controller_runtime_max_concurrent_reconciles{controller=\"policy\"} 3",
           "controller_runtime_active_workers{controller=\"policy\"} 0",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(ControllerTest, RunsAKeyThatIsAddedAndForgetsItOnSuccess) {
  std::promise<ObjectKey> ran;
  Start([&](const ObjectKey& key, ReconcileContext&) {
    ran.set_value(key);
    return Requeue::Never();
  });
  controller_->queue().Add(kKey);
  EXPECT_EQ(ran.get_future().get(), kKey);
  EXPECT_TRUE(Shows(Total("success", 1)));
}

TEST_F(ControllerTest, GivesEveryRunAnIdThatItsLogLinesCarry) {
  std::promise<std::string> id;
  Start([&](const ObjectKey&, ReconcileContext& context) {
    context.log.Info("Applied config map");
    id.set_value(context.reconcile_id);
    return Requeue::Never();
  });
  controller_->queue().Add(kKey);
  const std::string reconcile_id = id.get_future().get();
  EXPECT_EQ(reconcile_id.size(), 36U);
  EXPECT_THAT(Lines(),
              testing::Contains(testing::AllOf(
                  HasSubstr("msg=\"Applied config map\""), HasSubstr("controller=policy"),
                  HasSubstr("object=shop/checkout"), HasSubstr("reconcile=" + reconcile_id))));
}

TEST_F(ControllerTest, RetriesAnErrorWithTheKeysBackoff) {
  std::atomic<int> runs = 0;
  Start([&](const ObjectKey&, ReconcileContext&) -> Result<Requeue> {
    if (++runs == 1) return Fail(ErrorKind::kUnavailable, "no answer");
    return Requeue::Never();
  });
  controller_->queue().Add(kKey);
  ASSERT_TRUE(Shows(Total("error", 1)));
  while (controller_->queue().delayed() == 0) std::this_thread::yield();
  EXPECT_EQ(controller_->queue().next_due(), clock_.Monotonic() + 5ms);
  clock_.Advance(5ms);
  EXPECT_TRUE(Shows(Total("success", 1)));
  EXPECT_TRUE(Shows("controller_runtime_reconcile_errors_total{controller=\"policy\"} 1"));
}

TEST_F(ControllerTest, WaitsForAsLongAsThePeerAsked) {
  Start([&](const ObjectKey&, ReconcileContext&) -> Result<Requeue> {
    return Fail(Error{ErrorKind::kTooManyRequests, "slow down", 9s});
  });
  controller_->queue().Add(kKey);
  while (controller_->queue().delayed() == 0) std::this_thread::yield();
  EXPECT_EQ(controller_->queue().next_due(), clock_.Monotonic() + 9s);
}

TEST_F(ControllerTest, DoesNotRetryATerminalError) {
  Start([&](const ObjectKey&, ReconcileContext&) -> Result<Requeue> {
    return Fail(ErrorKind::kTerminal, "the selector is not valid");
  });
  controller_->queue().Add(kKey);
  EXPECT_TRUE(Shows("controller_runtime_terminal_reconcile_errors_total{controller=\"policy\"} 1"));
  EXPECT_TRUE(Shows(Total("error", 1)));
  EXPECT_EQ(controller_->queue().delayed() + controller_->queue().depth(), 0U);
}

TEST_F(ControllerTest, TurnsAnExceptionIntoACountedErrorAndWorksOn) {
  std::atomic<int> runs = 0;
  Start([&](const ObjectKey&, ReconcileContext&) -> Result<Requeue> {
    const int run = ++runs;
    if (run == 1) throw std::runtime_error("index out of range");
    if (run == 2) throw 42;
    return Requeue::Never();
  });
  controller_->queue().Add(kKey);
  ASSERT_TRUE(Shows("controller_runtime_reconcile_panics_total{controller=\"policy\"} 1"));
  EXPECT_TRUE(Shows(Total("error", 1)));
  clock_.Advance(5ms);
  ASSERT_TRUE(Shows("controller_runtime_reconcile_panics_total{controller=\"policy\"} 2"));
  clock_.Advance(10ms);
  EXPECT_TRUE(Shows(Total("success", 1)));
  EXPECT_THAT(Lines(), testing::Contains(HasSubstr("index out of range")));
}

TEST_F(ControllerTest, RequeuesAfterADelay) {
  Start([&](const ObjectKey&, ReconcileContext&) { return Requeue::After(30s); });
  controller_->queue().Add(kKey);
  ASSERT_TRUE(Shows(Total("requeue_after", 1)));
  while (controller_->queue().delayed() == 0) std::this_thread::yield();
  EXPECT_EQ(controller_->queue().next_due(), clock_.Monotonic() + 30s);
}

TEST_F(ControllerTest, RequeuesSoonWithTheKeysBackoff) {
  Start([&](const ObjectKey&, ReconcileContext&) { return Requeue::Soon(); });
  controller_->queue().Add(kKey);
  ASSERT_TRUE(Shows(Total("requeue", 1)));
  while (controller_->queue().delayed() == 0) std::this_thread::yield();
  EXPECT_EQ(controller_->queue().next_due(), clock_.Monotonic() + 5ms);
}

TEST_F(ControllerTest, LooksAgainEveryTenMinutesBecauseWallTimeCanJump) {
  const Instant due = clock_.Now() + std::chrono::hours(72);
  Start([&](const ObjectKey&, ReconcileContext& context) {
    return context.now >= due ? Requeue::Never() : Requeue::At(due);
  });
  controller_->queue().Add(kKey);
  ASSERT_TRUE(Shows(Total("requeue_after", 1)));
  while (controller_->queue().delayed() == 0) std::this_thread::yield();
  EXPECT_EQ(controller_->queue().next_due(), clock_.Monotonic() + 10min);

  clock_.JumpWallTime(std::chrono::hours(100));  // somebody set the clock right
  clock_.Advance(10min);
  EXPECT_TRUE(Shows(Total("success", 1)));
}

TEST_F(ControllerTest, StopsARunAtItsDeadlineAndCountsTheTimeout) {
  std::promise<void> began;
  Start(
      [&](const ObjectKey&, ReconcileContext& context) -> Result<Requeue> {
        began.set_value();
        clock_.SleepFor(1h, context.stop);
        return Fail(ErrorKind::kCancelled, "stopped");
      },
      {.reconcile_timeout = 20s});
  controller_->queue().Add(kKey);
  began.get_future().wait();
  clock_.Advance(20s);
  EXPECT_TRUE(Shows("controller_runtime_reconcile_timeouts_total{controller=\"policy\"} 1"));
  EXPECT_TRUE(Shows(Total("error", 1)));
}

TEST_F(ControllerTest, StopAsksRunsToEndAndWaitsForThem) {
  std::atomic<bool> ended = false;
  Start([&](const ObjectKey&, ReconcileContext& context) -> Result<Requeue> {
    clock_.SleepFor(1h, context.stop);
    ended = true;
    return Fail(ErrorKind::kCancelled, "stopped");
  });
  controller_->queue().Add(kKey);
  ASSERT_TRUE(Shows("controller_runtime_active_workers{controller=\"policy\"} 1"));
  controller_->Stop();
  EXPECT_TRUE(ended);
  EXPECT_THAT(metrics_.Text(), HasSubstr(Total("error", 0))) << "our own stop is no failure";
}

TEST_F(ControllerTest, RunsAtMostAsManyKeysAtOnceAsItHasWorkers) {
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  Start(
      [&](const ObjectKey&, ReconcileContext&) {
        const int now = ++inside;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        std::this_thread::yield();
        --inside;
        return Requeue::Never();
      },
      {.workers = 2});
  for (int i = 0; i < 200; ++i) controller_->queue().Add({"", std::to_string(i)});
  ASSERT_TRUE(Shows(Total("success", 200)));
  EXPECT_LE(most, 2);
}

TEST_F(ControllerTest, LivenessFailsWhileARunIsStuck) {
  std::stop_source go_on;
  Start(
      [&](const ObjectKey&, ReconcileContext&) {
        clock_.SleepFor(1h, go_on.get_token());
        return Requeue::Never();
      },
      {.stuck_after = 5min});
  controller_->queue().Add(kKey);
  ASSERT_TRUE(Shows("controller_runtime_active_workers{controller=\"policy\"} 1"));
  EXPECT_TRUE(controller_->Check());
  clock_.Advance(6min);
  const Status stuck = controller_->Check();
  ASSERT_FALSE(stuck);
  EXPECT_THAT(stuck.error().message, HasSubstr("stuck"));
  go_on.request_stop();
  ASSERT_TRUE(Shows(Total("success", 1)));
  while (!controller_->Check()) std::this_thread::yield();
}

TEST_F(ControllerTest, KeysThatGatherBeforeStartAreRunAfterIt) {
  std::atomic<int> runs = 0;
  Controller controller(
      {.name = "early"},
      [&](const ObjectKey&, ReconcileContext&) {
        ++runs;
        return Requeue::Never();
      },
      clock_, metrics_, Logger(log_));
  controller.queue().Add(kKey);
  EXPECT_EQ(runs, 0);
  ASSERT_TRUE(controller.Start());
  while (runs == 0) std::this_thread::yield();
}

}  // namespace
}  // namespace tracekeeper::runtime
