#include "src/runtime/leader_elector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "src/telemetry/prometheus_metrics.h"
#include "tests/support/fake_api_server.h"
#include "tests/support/manual_clock.h"
#include "tests/support/quiescence.h"

namespace tracekeeper::runtime {
namespace {

using namespace std::chrono_literals;
using test_support::FakeApiServer;
using test_support::ManualClock;
using testing::HasSubstr;

const kube::ObjectKey kLease{"tracekeeper", "leader"};

class LeaderElectorTest : public testing::Test {
 protected:
  // One replica with a connection of its own.
  struct Replica {
    Replica(LeaderElectorTest& test, const std::string& identity)
        : client({.max_repeats = 0}, test.server_, test.server_, nullptr, test.clock_, NoMetrics()),
          elector({.lease = kLease, .identity = identity}, client, test.clock_, metrics,
                  Logger(test.log_)) {}

    void Start() {
      ASSERT_TRUE(elector.Start({.on_elected = [this] { ++elected; },
                                 .on_lost =
                                     [this](const Error& error) {
                                       loss = error.message;
                                       ++lost;
                                     }}));
    }

    telemetry::PrometheusMetrics metrics;
    kube::Client client;
    LeaderElector elector;
    std::atomic<int> elected = 0;
    std::atomic<int> lost = 0;
    std::string loss;  // read after `lost`
  };

  static bool Eventually(const std::function<bool()>& condition) {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > limit) return false;
      std::this_thread::sleep_for(1ms);
    }
    return true;
  }
  // Lets time go by in small steps, so that every thread can act in between.
  bool PassTimeUntil(const std::function<bool()>& condition, Duration limit) {
    for (Duration passed{}; passed < limit; passed += 100ms) {
      if (condition()) return true;
      test_support::StepClock(clock_, 100ms);
    }
    return Eventually(condition);
  }

  kube::Lease Read() {
    Replica reader(*this, "reader");
    return kube::GetLease(reader.client, kLease, StopToken()).value();
  }
  void WriteLease(const kube::LeaseRecord& record) {
    Replica writer(*this, "writer");
    const auto seen = kube::GetLease(writer.client, kLease, StopToken());
    const auto written = seen ? kube::UpdateLease(writer.client, *seen, record, StopToken())
                              : kube::CreateLease(writer.client, kLease, record, StopToken());
    ASSERT_TRUE(written) << written.error().message;
  }

  ManualClock clock_;
  FakeApiServer server_{clock_};
  Log log_{LogLevel::kDebug, [](LogLevel, std::string_view) {}};
};

TEST_F(LeaderElectorTest, TakesALeaseThatDoesNotExist) {
  Replica replica(*this, "a");
  EXPECT_THAT(replica.metrics.Text(),
              HasSubstr("leader_election_master_status{name=\"leader\"} 0"));
  replica.Start();
  ASSERT_TRUE(Eventually([&] { return replica.elected == 1; }));
  EXPECT_TRUE(replica.elector.is_leader());
  EXPECT_EQ(replica.elector.leader(), "a");
  EXPECT_THAT(replica.metrics.Text(),
              HasSubstr("leader_election_master_status{name=\"leader\"} 1"));
  const kube::LeaseRecord record = Read().record;
  EXPECT_EQ(record.holder_identity, "a");
  EXPECT_EQ(record.lease_duration_seconds, 15);
  EXPECT_EQ(record.lease_transitions, 0);
  replica.elector.Stop();
  EXPECT_THAT(replica.metrics.Text(),
              HasSubstr("leader_election_master_status{name=\"leader\"} 0"));
}

TEST_F(LeaderElectorTest, RenewsEveryTwoSecondsWithoutReading) {
  Replica replica(*this, "a");
  replica.Start();
  ASSERT_TRUE(Eventually([&] { return replica.elected == 1; }));
  server_.ForgetRequests();
  ASSERT_TRUE(PassTimeUntil([&] { return server_.CountRequests("PATCH") >= 5; }, 30s));
  EXPECT_EQ(server_.CountRequests("GET"), 0U);
  EXPECT_EQ(replica.lost, 0);
}

TEST_F(LeaderElectorTest, ALeaseThatIsGivenUpIsTakenWithinOneRetry) {
  Replica first(*this, "a");
  Replica second(*this, "b");
  first.Start();
  ASSERT_TRUE(Eventually([&] { return first.elected == 1; }));
  second.Start();
  ASSERT_TRUE(Eventually([&] { return second.elector.leader() == "a"; }));
  first.elector.Stop();
  const kube::LeaseRecord given_up = Read().record;
  EXPECT_EQ(given_up.holder_identity, "");
  EXPECT_EQ(given_up.lease_duration_seconds, 1);
  EXPECT_FALSE(first.elector.is_leader());
  const MonotonicTime before = clock_.Monotonic();
  ASSERT_TRUE(PassTimeUntil([&] { return second.elected == 1; }, 60s));
  EXPECT_LE(clock_.Monotonic() - before, 5s);
  EXPECT_EQ(Read().record.lease_transitions, 1);
}

TEST_F(LeaderElectorTest, ACrashedLeadersLeaseIsTakenAfterItsDurationAndNotBefore) {
  WriteLease({.holder_identity = "dead", .lease_duration_seconds = 15, .renew_time = clock_.Now()});
  Replica replica(*this, "b");
  replica.Start();
  ASSERT_TRUE(Eventually([&] { return replica.elector.leader() == "dead"; }));
  const MonotonicTime seen = clock_.Monotonic();
  ASSERT_TRUE(PassTimeUntil([&] { return replica.elected == 1; }, 60s));
  EXPECT_GE(clock_.Monotonic() - seen, 15s);
  EXPECT_LE(clock_.Monotonic() - seen, 20s);
}

TEST_F(LeaderElectorTest, TheClockOfTheOtherMachineIsNotBelieved) {
  // Written "an hour ago" by a machine whose clock is wrong, and renewed every few seconds.
  const Instant wrong = clock_.Now() - 1h;
  WriteLease({.holder_identity = "other", .lease_duration_seconds = 15, .renew_time = wrong});
  Replica replica(*this, "b");
  replica.Start();
  for (int i = 1; i <= 20; ++i) {
    WriteLease({.holder_identity = "other",
                .lease_duration_seconds = 15,
                .renew_time = wrong + std::chrono::seconds(i)});
    for (int step = 0; step < 50; ++step) {
      test_support::StepClock(clock_, 100ms);
    }
  }
  EXPECT_EQ(replica.elected, 0);
}

TEST_F(LeaderElectorTest, AnUnreachableServerCostsTheLeaseAfterTheRenewDeadline) {
  Replica replica(*this, "a");
  replica.Start();
  ASSERT_TRUE(Eventually([&] { return replica.elected == 1; }));
  const MonotonicTime renewed = clock_.Monotonic();
  server_.FailNext({.target_contains = "/leases",
                    .times = 1000,
                    .error = Error{ErrorKind::kUnavailable, "connection refused", {}}});
  ASSERT_TRUE(PassTimeUntil([&] { return replica.lost == 1; }, 60s));
  EXPECT_GE(clock_.Monotonic() - renewed, 10s);
  EXPECT_LT(clock_.Monotonic() - renewed, 15s) << "before another can lead";
  EXPECT_FALSE(replica.elector.is_leader());
  EXPECT_THAT(replica.loss, HasSubstr("connection refused"));
}

TEST_F(LeaderElectorTest, AShortOutageDoesNotCostTheLease) {
  Replica replica(*this, "a");
  replica.Start();
  ASSERT_TRUE(Eventually([&] { return replica.elected == 1; }));
  server_.FailNext({.target_contains = "/leases", .times = 3, .status = 500});
  server_.ForgetRequests();
  ASSERT_TRUE(PassTimeUntil([&] { return server_.CountRequests("/leases") >= 6; }, 60s));
  EXPECT_EQ(replica.lost, 0);
  EXPECT_TRUE(replica.elector.is_leader());
}

TEST_F(LeaderElectorTest, AnEditOfTheLeaseByAnotherDoesNotCostIt) {
  Replica replica(*this, "a");
  replica.Start();
  ASSERT_TRUE(Eventually([&] { return replica.elected == 1; }));
  kube::LeaseRecord record = Read().record;
  record.lease_duration_seconds = 14;  // somebody's kubectl edit: our version is stale now
  WriteLease(record);
  ASSERT_TRUE(PassTimeUntil([&] { return Read().record.lease_duration_seconds == 15; }, 60s));
  EXPECT_EQ(replica.lost, 0);
}

TEST_F(LeaderElectorTest, ADeletedLeaseIsMadeAgain) {
  Replica replica(*this, "a");
  replica.Start();
  ASSERT_TRUE(Eventually([&] { return replica.elected == 1; }));
  ASSERT_TRUE(server_.Remove(kube::kLeases, kLease));
  ASSERT_TRUE(PassTimeUntil([&] { return server_.Find(kube::kLeases, kLease).has_value(); }, 60s));
  EXPECT_EQ(replica.lost, 0);
}

TEST_F(LeaderElectorTest, OfManyCandidatesOneLeads) {
  std::vector<std::unique_ptr<Replica>> replicas;
  for (const char* name : {"a", "b", "c", "d"}) {
    replicas.push_back(std::make_unique<Replica>(*this, name));
    replicas.back()->Start();
  }
  const auto leaders = [&] {
    int count = 0;
    for (const auto& replica : replicas) count += replica->elector.is_leader() ? 1 : 0;
    return count;
  };
  ASSERT_TRUE(PassTimeUntil([&] { return leaders() == 1; }, 60s));
  for (int i = 0; i < 300; ++i) {
    test_support::StepClock(clock_, 100ms);
    ASSERT_LE(leaders(), 1);
  }
}

TEST_F(LeaderElectorTest, GivingUpSurvivesAConflict) {
  Replica replica(*this, "a");
  replica.Start();
  ASSERT_TRUE(Eventually([&] { return replica.elected == 1; }));
  server_.FailNext({.method = "PATCH", .target_contains = "/leases", .status = 409});
  replica.elector.Stop();
  EXPECT_EQ(Read().record.holder_identity, "");
}

TEST_F(LeaderElectorTest, LivenessFailsWhenALeadersThreadHangs) {
  std::atomic<bool> hangs = true;  // outlives the replica, whose thread reads it
  Replica replica(*this, "a");
  replica.Start();
  ASSERT_TRUE(Eventually([&] { return replica.elected == 1; }));
  server_.FailNext({.method = "PATCH", .target_contains = "/leases", .status = 500, .before = [&] {
                      while (hangs) std::this_thread::sleep_for(1ms);
                    }});
  server_.ForgetRequests();
  EXPECT_TRUE(replica.elector.Check());
  ASSERT_TRUE(PassTimeUntil([&] { return !replica.elector.Check(); }, 60s));
  EXPECT_THAT(replica.elector.Check().error().message, HasSubstr("stuck"));
  hangs = false;
}

struct OptionsCase {
  std::string_view name;
  LeaderElectionOptions options;
  std::string_view complaint;
};

TEST(LeaderElectionOptions, TimesThatAreNotSafeAreRefused) {
  const OptionsCase cases[] = {
      {"defaults", {.identity = "a"}, ""},
      {"no identity", {}, "identity"},
      {"lease not longer than renew", {.identity = "a", .lease_duration = 10s}, "lease duration"},
      {"renew not longer than retries", {.identity = "a", .renew_deadline = 2s}, "retry periods"},
      {"below a second", {.identity = "a", .retry_period = 100ms}, "at least 1 s"},
  };
  for (const OptionsCase& test : cases) {
    SCOPED_TRACE(test.name);
    const Status status = Validate(test.options);
    EXPECT_EQ(status.has_value(), test.complaint.empty());
    if (!status) {
      EXPECT_THAT(status.error().message, HasSubstr(test.complaint));
    }
  }
}

TEST(LeaderElectionOptions, OneCallMayTakeHalfTheRenewDeadline) {
  EXPECT_EQ(CallDeadline({}), 5s);
  EXPECT_EQ(CallDeadline({.renew_deadline = 1s}), 1s);
}

TEST(LeaderElectionOptions, AnIdentityIsNeverTheSame) {
  EXPECT_NE(MakeIdentity(), MakeIdentity());
  EXPECT_THAT(MakeIdentity(), HasSubstr("_"));
}

}  // namespace
}  // namespace tracekeeper::runtime
