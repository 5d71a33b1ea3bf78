// The runtime on a real API server: what only a real watch cache, a real restart and a real etcd
// can show.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "src/kube/connect.h"
#include "src/kube/lease.h"
#include "src/runtime/finalizer.h"
#include "src/runtime/informer.h"
#include "src/runtime/leader_elector.h"
#include "src/runtime/pod_store.h"
#include "tests/support/bed.h"
#include "tests/support/eventually.h"

namespace tracekeeper::runtime {
namespace {

using namespace std::chrono_literals;
using kube::kPods;
using kube::ObjectKey;
using test_support::Bed;
using test_support::BedPart;
using test_support::Eventually;

/// These share one control plane; each test's pods have names of their own.
class RealRuntime : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (Bed::WhyNot({})) return;
    bed_ = test_support::StartBed();
    // Pods need one, and no controller manager runs that would make it.
    if (bed_) bed_->RunKubectl({"create", "serviceaccount", "default"});
  }
  static void TearDownTestSuite() { bed_.reset(); }

  void SetUp() override {
    if (const auto why_not = Bed::WhyNot({})) GTEST_SKIP() << "left out, because " << *why_not;
    ASSERT_NE(bed_, nullptr);
    admin_ = Connect();
    ASSERT_NE(admin_, nullptr);
  }

  std::unique_ptr<kube::Connection> Connect(kube::Client::Options options = {}) {
    const auto config = kube::LoadConfig({.kubeconfig_flag = bed_->admin_kubeconfig()});
    EXPECT_TRUE(config) << config.error().message;
    if (!config) return nullptr;
    auto made = kube::Connection::Make(*config, std::move(options), kube::UnaryAdapter::kBeast,
                                       clock_, NoMetrics(), Logger(log_));
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::move(*made) : nullptr;
  }

  void CreatePod(const std::string& name) {
    const std::string json = fmt::format(
        R"({{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{}","labels":{{"app":"a"}}}},)"
        R"("spec":{{"automountServiceAccountToken":false,)"
        R"("containers":[{{"name":"app","image":"bed.local/none:1"}}]}}}})",
        name);
    const auto made =
        admin_->client().Create(kPods, "default", json, {.field_manager = "test"}, StopToken());
    ASSERT_TRUE(made) << made.error().message;
  }
  void CreateConfigMap(const std::string& name) {
    const std::string json =
        fmt::format(R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{}"}}}})", name);
    const auto made = admin_->client().Create(kube::kConfigMaps, "default", json,
                                              {.field_manager = "test"}, StopToken());
    ASSERT_TRUE(made) << made.error().message;
  }
  void DeletePod(const std::string& name) {
    const Status deleted = admin_->client().Delete(kPods, {"default", name}, {}, StopToken());
    ASSERT_TRUE(deleted) << deleted.error().message;
  }

  static inline std::unique_ptr<Bed> bed_;
  SystemClock clock_;
  Log log_{LogLevel::kInfo};
  std::unique_ptr<kube::Connection> admin_;
};

class RealInformer : public RealRuntime, public testing::WithParamInterface<WatchListMode> {
 protected:
  void SetUp() override {
    RealRuntime::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    pods_ = std::make_unique<Informer<Pod>>(
        ReflectorOptions{.resource = kPods, .watch_list = GetParam()}, PodProjection({}),
        admin_->client(), clock_, Logger(log_));
    prefix_ = GetParam() == WatchListMode::kAuto ? "watchlist" : "list";
  }
  [[nodiscard]] std::string Name(int number) const { return fmt::format("{}-{}", prefix_, number); }
  bool Sees(const std::string& name) {
    return Eventually([&] { return pods_->store().Find({"default", name}) != nullptr; }, 60s);
  }
  bool SeesNo(const std::string& name) {
    return Eventually([&] { return pods_->store().Find({"default", name}) == nullptr; }, 60s);
  }

  std::unique_ptr<Informer<Pod>> pods_;
  std::string prefix_;
};

TEST_P(RealInformer, SurvivesARestartOfTheServerAndCompactionOfItsHistory) {
  ASSERT_NO_FATAL_FAILURE(CreatePod(Name(1)));
  ASSERT_NO_FATAL_FAILURE(CreatePod(Name(2)));
  ASSERT_TRUE(pods_->Start());
  ASSERT_TRUE(pods_->WaitUntilReady(StopToken()));
  ASSERT_TRUE(Sees(Name(1)));

  ASSERT_NO_FATAL_FAILURE(CreatePod(Name(3)));
  EXPECT_TRUE(Sees(Name(3)));
  ASSERT_NO_FATAL_FAILURE(DeletePod(Name(2)));
  EXPECT_TRUE(SeesNo(Name(2)));

  // The cluster goes on, only not with pods: the informer's place is an old one. Then history is
  // gone, and so is the server's memory of it.
  for (int i = 0; i < 5; ++i) ASSERT_NO_FATAL_FAILURE(CreateConfigMap(Name(i)));
  ASSERT_TRUE(bed_->Compact());
  const Status restarted = bed_->Restart(BedPart::kApiServer);
  ASSERT_TRUE(restarted) << restarted.error().message;
  ASSERT_NO_FATAL_FAILURE(CreatePod(Name(4)));
  ASSERT_NO_FATAL_FAILURE(DeletePod(Name(1)));
  EXPECT_TRUE(Sees(Name(4)));
  EXPECT_TRUE(SeesNo(Name(1)));
  EXPECT_NE(pods_->store().Find({"default", Name(3)}), nullptr);
  EXPECT_TRUE(Eventually([&] { return pods_->status().syncs >= 2; }, 10s))
      << "the old place is refused, and all is read again";
  pods_->Stop();
}

TEST_P(RealInformer, ComesBackAfterTheServerWasGoneForAWhile) {
  ASSERT_NO_FATAL_FAILURE(CreatePod(Name(5)));
  ASSERT_TRUE(pods_->Start());
  ASSERT_TRUE(pods_->WaitUntilReady(StopToken()));
  ASSERT_TRUE(Sees(Name(5)));
  ASSERT_TRUE(bed_->Kill(BedPart::kApiServer));
  ASSERT_TRUE(Eventually([&] { return pods_->status().failures >= 2; }, 60s));
  EXPECT_TRUE(pods_->Check()) << "what it knew is still of use";
  ASSERT_TRUE(bed_->StartPart(BedPart::kApiServer));
  ASSERT_NO_FATAL_FAILURE(CreatePod(Name(6)));
  EXPECT_TRUE(Sees(Name(6)));
}

INSTANTIATE_TEST_SUITE_P(Modes, RealInformer,
                         testing::Values(WatchListMode::kAuto, WatchListMode::kOff),
                         [](const auto& mode) {
                           return mode.param == WatchListMode::kAuto ? "WatchList" : "List";
                         });

class RealElection : public RealRuntime {
 protected:
  // One replica: a connection of its own, as a program has.
  struct Replica {
    Replica(RealElection& test, const std::string& identity, const ObjectKey& lease)
        : options{.lease = lease, .identity = identity},
          connection(test.Connect({.deadline = CallDeadline(options)})),
          elector(options, connection->client(), test.clock_, NoMetrics(), Logger(test.log_)) {}
    void Start() {
      ASSERT_TRUE(elector.Start({.on_elected = [] {}, .on_lost = [](const Error&) {}}));
    }

    LeaderElectionOptions options;
    std::unique_ptr<kube::Connection> connection;
    LeaderElector elector;
  };
};

// A lease that is not given back lasts 15 s.
TEST_F(RealElection, AGracefulHandoverDoesNotWaitForTheLeaseToEnd) {
  const ObjectKey lease{"default", "handover"};
  Replica first(*this, "first", lease);
  Replica second(*this, "second", lease);
  first.Start();
  ASSERT_TRUE(Eventually([&] { return first.elector.is_leader(); }, 20s));
  second.Start();
  ASSERT_TRUE(Eventually([&] { return second.elector.leader() == "first"; }, 20s));
  EXPECT_FALSE(second.elector.is_leader());
  first.elector.Stop();
  EXPECT_TRUE(Eventually([&] { return second.elector.is_leader(); }, 10s));
  const auto record = kube::GetLease(admin_->client(), lease, StopToken());
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->record.holder_identity, "second");
  EXPECT_EQ(record->record.lease_transitions, 1);
}

TEST_F(RealElection, ACrashedLeaderIsReplacedWhenItsLeaseEnds) {
  const ObjectKey lease{"default", "crash"};
  const auto dead = kube::CreateLease(admin_->client(), lease,
                                      {.holder_identity = "dead",
                                       .lease_duration_seconds = 15,
                                       .acquire_time = clock_.Now(),
                                       .renew_time = clock_.Now()},
                                      StopToken());
  ASSERT_TRUE(dead) << dead.error().message;
  Replica replica(*this, "replica", lease);
  replica.Start();
  ASSERT_TRUE(Eventually([&] { return replica.elector.leader() == "dead"; }, 20s));
  EXPECT_TRUE(Eventually([&] { return replica.elector.is_leader(); }, 30s));
}

TEST_F(RealRuntime, FinalizersAreAddedAndRemovedByTestedPatches) {
  ASSERT_NO_FATAL_FAILURE(CreatePod("finalized"));
  const ObjectKey key{"default", "finalized"};
  const FinalizerChange ours{"tracekeeper.dev/cleanup", "test"};
  const auto read = [&] {
    const auto document = admin_->client().Get(kPods, key, StopToken());
    EXPECT_TRUE(document) << document.error().message;
    return kube::DecodeMeta(document->root()).value();
  };
  const kube::ObjectMeta before = read();
  const auto added = AddFinalizer(admin_->client(), kPods, before, ours, StopToken());
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_TRUE(read().HasFinalizer(ours.finalizer));

  const auto stale =
      AddFinalizer(admin_->client(), kPods, before, {"tracekeeper.dev/other", "test"}, StopToken());
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().kind, ErrorKind::kConflict) << stale.error().message;

  const auto removed = RemoveFinalizer(admin_->client(), kPods, read(), ours, StopToken());
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_FALSE(read().HasFinalizer(ours.finalizer));
}

}  // namespace
}  // namespace tracekeeper::runtime
