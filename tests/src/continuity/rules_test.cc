#include "src/continuity/rules.h"

#include <gtest/gtest.h>

namespace tracekeeper::continuity {
namespace {

TEST(NameList, HasATextOrTheBeginningOfOne) {
  const NameList list({"cart", "GET /health*"});
  EXPECT_TRUE(list.Has("cart"));
  EXPECT_TRUE(list.Has("GET /health"));
  EXPECT_TRUE(list.Has("GET /healthz"));
  EXPECT_FALSE(list.Has("cart-2"));
  EXPECT_FALSE(list.Has("GET /"));
  EXPECT_FALSE(NameList().Has(""));
}

class PolicyRulesTest : public testing::Test {
 protected:
  [[nodiscard]] Shape ShapeOf(std::string_view policy, std::string_view service) {
    return {.service = names_.Intern(service), .policy = names_.Intern(policy)};
  }

  Names names_;
};

TEST_F(PolicyRulesTest, HoldForTheSpansOfTheirPolicyAlone) {
  PolicyRules rules(Rules{.excluded_services = {{"legacy"}}});
  rules.Add("shop/checkout", {.entrypoints = {{"web"}}, .excluded_services = {{"probe*"}}});
  rules.Add("shop/mail", {.excluded_services = {{"web"}}});
  EXPECT_TRUE(rules.Excludes(ShapeOf("shop/checkout", "prober"), names_));
  EXPECT_FALSE(rules.Excludes(ShapeOf("shop/mail", "prober"), names_));
  EXPECT_TRUE(rules.Excludes(ShapeOf("shop/mail", "web"), names_));
  EXPECT_FALSE(rules.Excludes(ShapeOf("shop/checkout", "web"), names_));
  EXPECT_TRUE(rules.Of(ShapeOf("shop/checkout", "web"), names_).entrypoints.Has("web"));
  EXPECT_FALSE(rules.Of(ShapeOf("shop/mail", "web"), names_).entrypoints.Has("web"));
}

TEST_F(PolicyRulesTest, OfOthersHoldForSpansOfNoPolicyAndOfUnknownOnes) {
  PolicyRules rules(Rules{.excluded_services = {{"legacy"}}});
  rules.Add("shop/checkout", {});
  for (const std::string_view policy : {"", "shop/gone"}) {
    EXPECT_TRUE(rules.Excludes(ShapeOf(policy, "legacy"), names_)) << policy;
  }
  EXPECT_FALSE(rules.Excludes(ShapeOf("shop/checkout", "legacy"), names_));
}

TEST_F(PolicyRulesTest, OfAPolicyThatIsAddedAgainAreTheNewOnes) {
  PolicyRules rules;
  rules.Add("shop/checkout", {.excluded_services = {{"old"}}});
  rules.Add("shop/checkout", {.excluded_services = {{"new"}}});
  EXPECT_FALSE(rules.Excludes(ShapeOf("shop/checkout", "old"), names_));
  EXPECT_TRUE(rules.Excludes(ShapeOf("shop/checkout", "new"), names_));
}

}  // namespace
}  // namespace tracekeeper::continuity
