#include "src/runtime/manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "src/runtime/leader_elector.h"
#include "tests/support/fake_api_server.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::runtime {
namespace {

using namespace std::chrono_literals;
using test_support::FakeApiServer;
using test_support::ManualClock;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ManagerTest : public testing::Test {
 protected:
  // Writes down what happens to it.
  class Part final : public Runnable {
   public:
    Part(ManagerTest& test, std::string name) : test_(test), name_(std::move(name)) {}
    [[nodiscard]] std::string_view name() const override { return name_; }
    Status Start() override {
      test_.Note("start " + name_);
      return start_status;
    }
    Status WaitUntilReady(const StopToken& stop) override {
      while (!ready && !stop.stop_requested()) std::this_thread::sleep_for(1ms);
      if (ready) return {};
      return Fail(ErrorKind::kTimeout, "the first list has not arrived yet");
    }
    void Stop() override {
      while (hangs) std::this_thread::sleep_for(1ms);
      test_.Note("stop " + name_);
    }

    Status start_status;
    std::atomic<bool> ready = true;
    std::atomic<bool> hangs = false;

   private:
    ManagerTest& test_;
    std::string name_;
  };

  void Note(std::string what) {
    const std::scoped_lock lock(mutex_);
    notes_.push_back(std::move(what));
  }
  std::vector<std::string> Notes() {
    const std::scoped_lock lock(mutex_);
    return notes_;
  }
  bool Noted(std::string_view what) {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < limit) {
      const auto notes = Notes();
      if (std::find(notes.begin(), notes.end(), what) != notes.end()) return true;
      std::this_thread::sleep_for(1ms);
    }
    ADD_FAILURE() << "never: " << what << " in " << testing::PrintToString(Notes());
    return false;
  }

  // Runs the manager until the test asks it to stop.
  void Run() {
    thread_ = std::jthread([this] {
      end_ = manager_.Run(stop_.get_token());
      Note("ended");
    });
  }
  Status End() {
    thread_.join();
    return end_;
  }

  ManualClock clock_;
  Log log_{LogLevel::kDebug, [](LogLevel, std::string_view) {}};
  std::mutex mutex_;
  std::vector<std::string> notes_;
  std::stop_source stop_;
  Manager manager_{
      {.on_grace_exceeded = [this](std::string_view part) { Note(fmt::format("hung {}", part)); }},
      clock_,
      Logger(log_)};
  Status end_;
  std::jthread thread_;

  Part http_{*this, "http"};
  Part webhook_{*this, "webhook"};
  Part cache_{*this, "cache"};
  Part always_{*this, "always"};
  Part leader_{*this, "leader"};

  void AddAll() {
    manager_.Add(Phase::kLeader, leader_);
    manager_.Add(Phase::kAlways, always_);
    manager_.Add(Phase::kCache, cache_);
    manager_.Add(Phase::kWebhook, webhook_);
    manager_.Add(Phase::kHttp, http_);
  }
};

TEST_F(ManagerTest, StartsAndStopsPhasesInTheirOrder) {
  AddAll();
  Run();
  ASSERT_TRUE(Noted("start leader"));
  stop_.request_stop();
  EXPECT_TRUE(End());
  EXPECT_THAT(Notes(), ElementsAre("start http", "start webhook", "start cache", "start always",
                                   "start leader", "stop always", "stop leader", "stop cache",
                                   "stop webhook", "stop http", "ended"));
}

TEST_F(ManagerTest, InsideAPhaseTheLastStartedIsTheFirstStopped) {
  Part second(*this, "second cache");
  manager_.Add(Phase::kCache, cache_);
  manager_.Add(Phase::kCache, second);
  manager_.Add(Phase::kAlways, always_);
  Run();
  ASSERT_TRUE(Noted("start always"));
  stop_.request_stop();
  EXPECT_TRUE(End());
  EXPECT_THAT(Notes(), ElementsAre("start cache", "start second cache", "start always",
                                   "stop always", "stop second cache", "stop cache", "ended"));
}

TEST_F(ManagerTest, WorkStartsOnlyWhenTheCachesAreSynced) {
  cache_.ready = false;
  AddAll();
  Run();
  ASSERT_TRUE(Noted("start cache"));
  EXPECT_THAT(Notes(), testing::Not(testing::Contains("start always")));
  cache_.ready = true;
  ASSERT_TRUE(Noted("start leader"));
  stop_.request_stop();
  EXPECT_TRUE(End());
}

TEST_F(ManagerTest, ACacheThatDoesNotSyncInTwoMinutesEndsTheProgram) {
  cache_.ready = false;
  AddAll();
  Run();
  ASSERT_TRUE(Noted("start cache"));
  ASSERT_TRUE(clock_.WaitForWaiters(1));
  clock_.Advance(2min);
  const Status end = End();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(end.error().message,
            "cache was not ready within 120 s: the first list has not arrived yet");
  EXPECT_THAT(Notes(), ElementsAre("start http", "start webhook", "start cache", "stop cache",
                                   "stop webhook", "stop http", "ended"));
}

TEST_F(ManagerTest, APartThatDoesNotStartEndsTheProgramAndNamesItself) {
  webhook_.start_status = Fail(ErrorKind::kUnavailable, "port 9443 is taken");
  AddAll();
  Run();
  const Status end = End();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().message, "start webhook: port 9443 is taken");
  EXPECT_THAT(Notes(), ElementsAre("start http", "start webhook", "stop http", "ended"));
}

TEST_F(ManagerTest, APartThatBreaksLaterEndsTheProgram) {
  AddAll();
  Run();
  ASSERT_TRUE(Noted("start leader"));
  manager_.Fail(Error{ErrorKind::kInternal, "the disk is gone", {}});
  manager_.Fail(Error{ErrorKind::kInternal, "a consequence", {}});
  const Status end = End();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().message, "the disk is gone");
  EXPECT_THAT(Notes(), testing::Contains("stop http"));
}

TEST_F(ManagerTest, AWishToStopWhileCachesSyncIsNoFailure) {
  cache_.ready = false;
  AddAll();
  Run();
  ASSERT_TRUE(Noted("start cache"));
  stop_.request_stop();
  EXPECT_TRUE(End());
  EXPECT_THAT(Notes(), testing::Contains("stop http"));
  EXPECT_THAT(Notes(), testing::Not(testing::Contains("start always")));
}

TEST_F(ManagerTest, APartThatDoesNotStopIsNamedAfterTheGrace) {
  AddAll();
  Run();
  ASSERT_TRUE(Noted("start leader"));
  leader_.hangs = true;
  stop_.request_stop();
  ASSERT_TRUE(Noted("stop always"));
  ASSERT_TRUE(clock_.WaitForWaiters(1));
  clock_.Advance(29s);
  EXPECT_THAT(Notes(), testing::Not(testing::Contains("hung leader")));
  ASSERT_TRUE(clock_.WaitForWaiters(1));
  clock_.Advance(1s);
  EXPECT_TRUE(Noted("hung leader"));
  leader_.hangs = false;
  EXPECT_TRUE(End());
}

// --- With leader election
// -------------------------------------------------------------------------

class ElectedManagerTest : public ManagerTest {
 protected:
  kube::LeaseRecord Lease() {
    const auto lease = kube::GetLease(client_, kLease, StopToken());
    return lease ? lease->record : kube::LeaseRecord{};
  }

  static inline const kube::ObjectKey kLease{"tracekeeper", "leader"};
  FakeApiServer server_{clock_};
  kube::Client client_{{.max_repeats = 0}, server_, server_, nullptr, clock_, NoMetrics()};
  LeaderElector elector_{
      {.lease = kLease, .identity = "me"}, client_, clock_, NoMetrics(), Logger(log_)};
};

TEST_F(ElectedManagerTest, StartsLeaderWorkWhenElectedAndGivesTheLeaseUpLast) {
  AddAll();
  manager_.UseLeaderElection(elector_);
  Run();
  ASSERT_TRUE(Noted("start leader"));
  EXPECT_EQ(Lease().holder_identity, "me");
  leader_.hangs = true;
  stop_.request_stop();
  ASSERT_TRUE(Noted("stop always"));
  EXPECT_EQ(Lease().holder_identity, "me") << "leader work has not ended";
  leader_.hangs = false;
  EXPECT_TRUE(End());
  EXPECT_EQ(Lease().holder_identity, "");
}

TEST_F(ElectedManagerTest, AReplicaThatDoesNotLeadRunsTheRest) {
  const auto other = kube::CreateLease(
      client_, kLease,
      {.holder_identity = "other", .lease_duration_seconds = 15, .renew_time = clock_.Now()},
      StopToken());
  ASSERT_TRUE(other);
  AddAll();
  manager_.UseLeaderElection(elector_);
  Run();
  ASSERT_TRUE(Noted("start always"));
  while (elector_.leader() != "other") std::this_thread::sleep_for(1ms);
  EXPECT_THAT(Notes(), testing::Not(testing::Contains("start leader")));
  stop_.request_stop();
  EXPECT_TRUE(End());
  EXPECT_EQ(Lease().holder_identity, "other");
}

TEST_F(ElectedManagerTest, ALostLeaseEndsTheProgramWithLeaderWorkFirst) {
  AddAll();
  manager_.UseLeaderElection(elector_);
  Run();
  ASSERT_TRUE(Noted("start leader"));
  auto seen = kube::GetLease(client_, kLease, StopToken());
  ASSERT_TRUE(seen);
  while (!kube::UpdateLease(
      client_, *seen, {.holder_identity = "thief", .lease_duration_seconds = 15}, StopToken())) {
    seen = kube::GetLease(client_, kLease, StopToken());
  }
  while (elector_.is_leader()) {
    clock_.Advance(1s);
    std::this_thread::sleep_for(1ms);
  }
  const Status end = End();
  ASSERT_FALSE(end);
  EXPECT_THAT(end.error().message, HasSubstr("taken by thief"));
  std::vector<std::string> stops = Notes();
  std::erase_if(stops, [](const std::string& note) { return !note.starts_with("stop"); });
  EXPECT_THAT(stops,
              ElementsAre("stop leader", "stop always", "stop cache", "stop webhook", "stop http"));
  EXPECT_EQ(Lease().holder_identity, "thief") << "not ours to give up";
}

}  // namespace
}  // namespace tracekeeper::runtime
