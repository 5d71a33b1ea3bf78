#include "operator/controllers/webhook_coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tracekeeper::controllers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const kube::ObjectKey kPolicy{"shop", "checkout"};
const Instant kNow{std::chrono::seconds(1'900'000'000)};
const Instant kLater = kNow + WebhookCoverageLedger::kPropagation;

TEST(WebhookCoverageLedger, CoversOnlyWhereSomePolicyIsPrepared) {
  WebhookCoverageLedger ledger;
  ledger.SetPrepared(kPolicy, {"shop"});
  const domain::WebhookCoverage coverage =
      ledger.Prepared({.best_effort = {"cart", "shop"}, .required = {"pay"}});
  EXPECT_THAT(coverage.best_effort, ElementsAre("shop"));
  EXPECT_THAT(coverage.required, IsEmpty());
}

TEST(WebhookCoverageLedger, ANewLeaderTakesNothingAwayBeforeItHasLooked) {
  WebhookCoverageLedger ledger;
  ledger.KeepCovered({"shop"});
  EXPECT_THAT(ledger.Prepared({.best_effort = {"cart", "shop"}}).best_effort, ElementsAre("shop"));
}

TEST(WebhookCoverageLedger, SaysWhoWaitedForWhatWasApplied) {
  WebhookCoverageLedger ledger;
  ledger.SetPrepared(kPolicy, {"shop"});
  ledger.SetApplied({}, kNow);
  ledger.SetPrepared({"cart", "all"}, {"cart"});
  EXPECT_THAT(ledger.SetApplied({.best_effort = {"shop"}}, kNow), ElementsAre(kPolicy));
  EXPECT_THAT(ledger.SetApplied({.best_effort = {"shop"}}, kNow), IsEmpty());
  EXPECT_THAT(ledger.SetApplied({}, kNow), ElementsAre(kPolicy)) << "it lost its namespace";
}

TEST(WebhookCoverageLedger, TellsEveryPolicyWhatANewLeaderFinds) {
  WebhookCoverageLedger ledger;
  ledger.SetPrepared(kPolicy, {"shop"});
  EXPECT_FALSE(ledger.is_known());
  EXPECT_THAT(ledger.SetApplied({}, kNow), ElementsAre(kPolicy));
  EXPECT_TRUE(ledger.is_known());
}

TEST(WebhookCoverageLedger, TroubleConcernsEveryPolicyAndEndsWhenTheWebhookIsInForce) {
  WebhookCoverageLedger ledger;
  ledger.SetPrepared(kPolicy, {"shop"});
  ledger.SetApplied({.best_effort = {"shop"}}, kNow);
  EXPECT_THAT(ledger.SetTrouble("no route"), ElementsAre(kPolicy));
  EXPECT_THAT(ledger.SetTrouble("no route"), IsEmpty()) << "said once";
  EXPECT_THAT(ledger.SetApplied({.best_effort = {"shop"}}, kNow), ElementsAre(kPolicy));
  EXPECT_EQ(ledger.trouble(), "");
}

TEST(WebhookCoverageLedger, ANamespaceIsCoveredOnceApiServersHadTimeToLearn) {
  WebhookCoverageLedger ledger;
  ledger.SetPrepared(kPolicy, {"shop"});
  EXPECT_THAT(ledger.Uncovered({"shop"}, kNow), ElementsAre("shop"));
  EXPECT_FALSE(ledger.SettlesIn({"shop"}, kNow)) << "nothing is applied, so nothing settles";

  ledger.SetApplied({.required = {"shop"}}, kNow);
  EXPECT_THAT(ledger.Uncovered({"shop"}, kNow), ElementsAre("shop"));
  EXPECT_EQ(ledger.SettlesIn({"shop"}, kNow), WebhookCoverageLedger::kPropagation);

  EXPECT_THAT(ledger.Uncovered({"shop"}, kLater), IsEmpty());
  EXPECT_FALSE(ledger.SettlesIn({"shop"}, kLater));
}

TEST(WebhookCoverageLedger, CallsForTheWebhookOnlyWhenSomethingChanged) {
  WebhookCoverageLedger ledger;
  int calls = 0;
  ledger.OnPrepared([&] { ++calls; });
  ledger.SetPrepared(kPolicy, {"shop"});
  ledger.SetPrepared(kPolicy, {"shop"});
  EXPECT_EQ(calls, 1);
  ledger.Forget(kPolicy);
  ledger.Forget(kPolicy);
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace tracekeeper::controllers
