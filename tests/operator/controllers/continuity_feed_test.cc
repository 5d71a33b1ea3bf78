#include "operator/controllers/continuity_feed.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/operator/controllers/controller_world.h"

namespace tracekeeper::controllers {
namespace {

class ContinuityFeedTest : public ControllerWorld {
 protected:
  ContinuityFeedTest() {
    feed_.SetTarget({.use_rules = [this](auto rules) { rules_.push_back(std::move(rules)); },
                     .use_pods = [this](auto pods) { told_pods_.push_back(std::move(pods)); }});
  }
  void Reconcile(const kube::ObjectKey& key) {
    auto context = Context();
    ASSERT_TRUE(feed_.Reconcile(key, context));
  }
  void TellPolicies() { Reconcile(ContinuityFeed::PoliciesKey()); }
  [[nodiscard]] const continuity::Rules& RulesOf(std::string_view policy) {
    return rules_.back().Of(continuity::Shape{.policy = names_.Intern(policy)}, names_);
  }

  ContinuityFeed feed_{policies_, pods_};
  std::vector<continuity::PolicyRules> rules_;
  std::vector<std::shared_ptr<const continuity::PodPolicies>> told_pods_;
  continuity::Names names_;
};

TEST_F(ContinuityFeedTest, TellsTheRulesOfEachPolicy) {
  AddPolicy({"shop", "checkout"}, R"({"selector":{},"slo":{"entrypoints":["web"]}})");
  AddPolicy({"bank", "ledger"}, R"({"selector":{},"slo":{"exclude":{"services":["night"]}}})");
  TellPolicies();
  ASSERT_EQ(rules_.size(), 1U);
  EXPECT_TRUE(RulesOf("shop/checkout").entrypoints.Has("web"));
  EXPECT_TRUE(RulesOf("bank/ledger").excluded_services.Has("night"));
  EXPECT_FALSE(RulesOf("bank/ledger").entrypoints.Has("web"));
}

TEST_F(ContinuityFeedTest, TellsRulesOnlyWhenTheyChanged) {
  AddPolicy({"shop", "checkout"}, R"({"selector":{},"slo":{"entrypoints":["web"]}})");
  TellPolicies();
  AddPolicy({"shop", "checkout"},
            R"({"selector":{"matchLabels":{"app":"a"}},"slo":{"entrypoints":["web"]}})");
  TellPolicies();
  EXPECT_EQ(rules_.size(), 1U);
  AddPolicy({"shop", "checkout"}, R"({"selector":{},"slo":{"entrypoints":["web","app"]}})");
  TellPolicies();
  ASSERT_EQ(rules_.size(), 2U);
  EXPECT_TRUE(RulesOf("shop/checkout").entrypoints.Has("app"));
}

TEST_F(ContinuityFeedTest, ForgetsAPolicyThatIsGoing) {
  AddPolicy({"shop", "checkout"}, R"({"selector":{},"slo":{"entrypoints":["web"]}})");
  TellPolicies();
  AddPolicy({"shop", "checkout"}, R"({"selector":{},"slo":{"entrypoints":["web"]}})",
            R"(,"deletionTimestamp":"2030-01-01T00:00:00Z")");
  TellPolicies();
  ASSERT_EQ(rules_.size(), 2U);
  EXPECT_FALSE(RulesOf("shop/checkout").entrypoints.Has("web"));
}

TEST_F(ContinuityFeedTest, APodBelongsToThePolicyByWhichItWasInjected) {
  AddInjectedPod("web-1", "d1");
  AddPod("shop", "other", R"("labels":{"app":"checkout"})");
  Reconcile(ContinuityFeed::PodsKey());
  ASSERT_EQ(told_pods_.size(), 1U);
  const auto pod = pods_.Find({"shop", "web-1"});
  ASSERT_NE(pod, nullptr);
  const std::string uid = pod->UidText();
  otlp::ResourceFields resource;
  resource.pod_uid = uid;
  EXPECT_EQ(told_pods_.back()->PolicyOf(resource), "shop/checkout");
  const auto other = pods_.Find({"shop", "other"});
  const std::string other_uid = other->UidText();
  resource.pod_uid = other_uid;
  EXPECT_EQ(told_pods_.back()->PolicyOf(resource), "");
}

TEST_F(ContinuityFeedTest, IsDueWhenAPolicyOrAnInjectedPodChanges) {
  runtime::WorkQueue queue({.name = "feed"}, clock_, NoMetrics());
  ContinuityFeed::Follow(policies_, pods_, queue);
  AddPod("shop", "other", R"("labels":{"app":"checkout"})");
  EXPECT_EQ(queue.depth() + queue.delayed(), 0U);
  AddPolicy({"shop", "checkout"}, R"({"selector":{},"slo":{"entrypoints":["web"]}})");
  EXPECT_EQ(queue.TryGet(), ContinuityFeed::PoliciesKey());
  AddInjectedPod("web-1", "d1");
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(queue.TryGet(), ContinuityFeed::PodsKey());
}

TEST_F(ContinuityFeedTest, ANewDigestChangesNothingForTheAnalyzer) {
  AddInjectedPod("web-1", "d1");
  const auto before = pods_.Find({"shop", "web-1"});
  AddInjectedPod("web-1", "d2");
  const auto after = pods_.Find({"shop", "web-1"});
  EXPECT_TRUE(ContinuityFeed::IsSame(*before, *after));
  AddPod("shop", "web-1", R"("labels":{"app":"checkout"})");
  EXPECT_FALSE(ContinuityFeed::IsSame(*after, *pods_.Find({"shop", "web-1"})));
}

}  // namespace
}  // namespace tracekeeper::controllers
