#include "operator/controllers/replica_guard.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/operator/controllers/controller_world.h"

namespace tracekeeper::controllers {
namespace {

using testing::HasSubstr;

class ReplicaGuardTest : public ControllerWorld {
 protected:
  /// A replica as the API server shows it: on the server and in the cache.
  void AddReplica(std::string_view name, std::string_view address, std::string_view ready = "True",
                  std::string_view extra_metadata = "") {
    const std::string json =
        fmt::format(R"({{"metadata":{{"namespace":"{}","name":"{}"{}}},"status":{{"podIP":"{}",)"
                    R"("conditions":[{{"type":"Ready","status":"{}"}}]}}}})",
                    kOwnNamespace, name, extra_metadata, address, ready);
    server_.Put(kube::kPods, json);
    codec::JsonParser parser;
    replicas_.Upsert(
        *parser.Parse(*server_.Find(kube::kPods, {std::string(kOwnNamespace), std::string(name)})));
  }
  void Reconcile(int times = 1) {
    for (int i = 0; i < times; ++i) {
      auto context = Context();
      ASSERT_TRUE(guard_.Reconcile(ReplicaGuard::Key(), context));
      clock_.Advance(ReplicaGuard::kInterval);
    }
  }
  std::size_t Evictions() { return server_.CountRequests("/eviction"); }

  static constexpr int kEnough = domain::ReplicaWatch::kMisses + 1;
  std::set<std::string, std::less<>> silent_;
  std::vector<std::string> asked_;
  runtime::Store<ObservedReplica> replicas_{"replicas", ObservedReplica::From, logger_};
  ReplicaGuard guard_{{.own_name = "own",
                       .ask = [this](std::string_view address, const StopToken&) -> Status {
                         asked_.emplace_back(address);
                         if (!silent_.contains(address)) return {};
                         return Fail(ErrorKind::kTimeout, "no answer within 1 s");
                       }},
                      client_,
                      replicas_};
};

TEST_F(ReplicaGuardTest, EvictsAReplicaThatFellSilent) {
  AddReplica("own", "10.0.0.1");
  AddReplica("other", "10.0.0.2");
  Reconcile();
  silent_.insert("10.0.0.2");
  Reconcile(kEnough);
  EXPECT_EQ(Evictions(), 1U);
  EXPECT_EQ(server_.CountRequests("/pods/other/eviction"), 1U);
  EXPECT_THAT(
      server_.requests().back().body,
      HasSubstr(fmt::format(R"("preconditions":{{"uid":"{}"}})",
                            replicas_.Find({std::string(kOwnNamespace), "other"})->meta.uid)));
  EXPECT_THAT(LogText(), HasSubstr("does not answer any more"));
}

TEST_F(ReplicaGuardTest, NeverAsksItselfNorWhoIsNotServing) {
  AddReplica("own", "10.0.0.1");
  AddReplica("starting", "10.0.0.2", "False");
  AddReplica("ending", "10.0.0.3", "True", R"(,"deletionTimestamp":"2030-01-01T00:00:00Z")");
  Reconcile(kEnough);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(ReplicaGuardTest, LeavesAReplicaAloneThatNeverAnswered) {
  AddReplica("other", "10.0.0.2");
  silent_.insert("10.0.0.2");
  Reconcile(2 * kEnough);
  EXPECT_EQ(Evictions(), 0U);
}

TEST_F(ReplicaGuardTest, TriesAgainWhenTheDisruptionBudgetRefuses) {
  AddReplica("other", "10.0.0.2");
  Reconcile();
  silent_.insert("10.0.0.2");
  server_.FailNext({.method = "POST", .target_contains = "/eviction", .status = 429});
  Reconcile(kEnough + 1);
  EXPECT_EQ(Evictions(), 2U);
  EXPECT_THAT(LogText(), HasSubstr("Cannot evict the replica yet"));
}

}  // namespace
}  // namespace tracekeeper::controllers
