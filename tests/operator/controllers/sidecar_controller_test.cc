#include "operator/controllers/sidecar_controller.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>
#include <mutex>

#include "operator/controllers/config_maps.h"
#include "tests/operator/controllers/controller_world.h"

namespace tracekeeper::controllers {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

const kube::ObjectKey kPolicy{"shop", "checkout"};
constexpr std::string_view kSpec = R"({"selector":{"matchLabels":{"app":"checkout"}}})";
constexpr std::string_view kOtherSpec =
    R"({"selector":{"matchLabels":{"app":"checkout"}},"sampling":{"sidecar":{"ratio":"0.5"}}})";

/// Sidecars by address; an address that is not there does not answer.
class Sidecars final : public SidecarReader {
 public:
  Result<std::string> Read(const std::string& address, const StopToken& /*stop*/) override {
    const std::scoped_lock lock(mutex_);
    ++asked_;
    const auto found = answers_.find(address);
    if (found == answers_.end()) return Fail(ErrorKind::kTimeout, "no answer");
    return found->second;
  }
  void Set(const std::string& address, std::string_view digest, std::string_view state = "current",
           std::string_view error = "") {
    const std::scoped_lock lock(mutex_);
    answers_[address] =
        fmt::format(R"({{"program":"tracekeeper-sidecar","configuration":{{"state":"{}",
            "digest":"{}","lastError":{{"message":"{}"}}}}}})",
                    state, digest, error);
  }
  std::size_t TakeAsked() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(asked_, 0);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> answers_;
  std::size_t asked_ = 0;
};

class SidecarControllerTest : public ControllerWorld {
 protected:
  SidecarControllerTest() {
    AddNamespace("shop");
    AddPolicy(kPolicy, kSpec);
  }

  void AddSidecar(int number) {
    server_.Put(kube::kPods, fmt::format(R"({{"metadata":{{"namespace":"shop","name":"web-{0}",
            "creationTimestamp":"2026-01-02T02:00:00Z","labels":{{"app":"checkout"}},
            "annotations":{{"tracekeeper.dev/policy":"shop/checkout","tracekeeper.dev/digest":"x"}}}},
            "spec":{{"initContainers":[{{"name":"tracekeeper-sidecar"}}],
            "containers":[{{"name":"app"}}]}},"status":{{"phase":"Running","podIP":"10.0.0.{0}",
            "conditions":[{{"type":"Ready","status":"True"}}]}}}})",
                                         number));
    SyncPods();
  }
  std::string Digest() const {
    const auto policy = policies_.Find(kPolicy);
    return domain::CompilePolicy(*policy, catalog_.options())->config_map.digest;
  }
  std::string ConditionAfterLook(SidecarController& controller) {
    auto context = Context();
    EXPECT_TRUE(controller.Reconcile(kPolicy, context));
    const auto sync = ledger_.Find(kPolicy);
    return sync ? domain::ConfigurationInSync(*sync, 1).reason : "not known yet";
  }
  std::string Look() { return ConditionAfterLook(controller_); }

  Sidecars sidecars_;
  SidecarLedger ledger_;
  SidecarController::Parts parts_{.policies = policies_,
                                  .pods = policy_pods_,
                                  .config_maps = config_maps_,
                                  .ledger = ledger_,
                                  .reader = sidecars_};
  SidecarController controller_{parts_, Nudge::kNo, client_};
};

TEST_F(SidecarControllerTest, AFleetInSyncIsAskedOnceAndNeverAgain) {
  for (int i = 1; i <= 20; ++i) {
    AddSidecar(i);
    sidecars_.Set(fmt::format("10.0.0.{}", i), Digest());
  }
  EXPECT_EQ(Look(), "AllSidecarsInSync");
  EXPECT_EQ(sidecars_.TakeAsked(), 20U);
  clock_.Advance(std::chrono::hours(1));
  EXPECT_EQ(Look(), "AllSidecarsInSync");
  EXPECT_EQ(sidecars_.TakeAsked(), 0U);
}

TEST_F(SidecarControllerTest, AnEditIsFollowedUntilTheLastSidecarHasIt) {
  AddSidecar(1);
  AddSidecar(2);
  const std::string before = Digest();
  sidecars_.Set("10.0.0.1", before);
  sidecars_.Set("10.0.0.2", before);
  ASSERT_EQ(Look(), "AllSidecarsInSync");

  AddPolicy(kPolicy, kOtherSpec);
  ASSERT_NE(Digest(), before);
  sidecars_.Set("10.0.0.1", Digest());
  EXPECT_EQ(Look(), "SidecarsBehind");
  EXPECT_EQ(ledger_.Find(kPolicy)->behind_example, "shop/web-2");
  EXPECT_EQ(ledger_.Find(kPolicy)->running.at(before), 1);
  sidecars_.TakeAsked();
  EXPECT_EQ(Look(), "SidecarsBehind");
  EXPECT_EQ(sidecars_.TakeAsked(), 0U) << "not before its time";

  sidecars_.Set("10.0.0.2", Digest());
  clock_.Advance(seconds(5));
  EXPECT_EQ(Look(), "AllSidecarsInSync");
  EXPECT_EQ(sidecars_.TakeAsked(), 1U) << "the one that was behind";
}

TEST_F(SidecarControllerTest, OneThatDoesNotAnswerTwiceIsUnknownAndAskedLessAndLess) {
  AddSidecar(1);
  EXPECT_EQ(Look(), "NoSidecars");
  clock_.Advance(seconds(5));
  EXPECT_EQ(Look(), "SidecarsNotReached");
  std::size_t asked = 0;
  sidecars_.TakeAsked();
  for (int i = 0; i < 720; ++i) {  // an hour
    clock_.Advance(seconds(5));
    Look();
    asked += sidecars_.TakeAsked();
  }
  EXPECT_LT(asked, 15U);
}

TEST_F(SidecarControllerTest, ShowsWhatASidecarRefused) {
  AddSidecar(1);
  sidecars_.Set("10.0.0.1", "sha256:old", "last_good", "export.endpoint is no URL");
  EXPECT_EQ(Look(), "ConfigurationRefused");
  EXPECT_EQ(ledger_.Find(kPolicy)->refusal, "shop/web-1: export.endpoint is no URL");
  EXPECT_EQ(ledger_.Find(kPolicy)->running.at("sha256:old"), 1);
}

TEST_F(SidecarControllerTest, NudgesThoseBehindOnceAndOnlyWhenTheirConfigMapIsThere) {
  AddSidecar(1);
  AddSidecar(2);
  sidecars_.Set("10.0.0.1", "sha256:old");
  sidecars_.Set("10.0.0.2", Digest());
  SidecarController nudging{parts_, Nudge::kYes, client_};
  server_.ForgetRequests();
  ConditionAfterLook(nudging);
  EXPECT_EQ(server_.CountWrites(), 0U) << "its ConfigMap is not written yet";

  ConfigMaps writer{client_, config_maps_, config_maps_by_policy_};
  ASSERT_TRUE(writer.Ensure(*domain::CompilePolicy(*policies_.Find(kPolicy), catalog_.options()),
                            "shop", {}));
  SyncConfigMaps();
  server_.ForgetRequests();
  ConditionAfterLook(nudging);
  ConditionAfterLook(nudging);
  EXPECT_EQ(server_.CountWrites(), 1U);
  EXPECT_THAT(Stored(kube::kPods, {"shop", "web-1"}), HasSubstr("tracekeeper.dev/nudged"));
  EXPECT_THAT(Stored(kube::kPods, {"shop", "web-2"}),
              testing::Not(HasSubstr("tracekeeper.dev/nudged")));
}

}  // namespace
}  // namespace tracekeeper::controllers
