#include <gtest/gtest.h>

#include "src/vault/kv.h"
#include "tests/src/vault/real_vault.h"
#include "tests/support/eventually.h"

namespace tracekeeper::vault {
namespace {

using namespace std::chrono_literals;

SecretValues Password(std::string_view password) {
  SecretValues values;
  values.emplace("password", crypto::SecretString(password));
  return values;
}

class RealKv : public RealVault {
 protected:
  void SetUp() override {
    RealVault::SetUp();
    if (HasFatalFailure()) return;
    Mount("kv", "kv", R"({"version":"2"})");
    Mount("old", "kv", R"({"version":"1"})");
    kv.emplace("kv", *root);
    old.emplace("old", *root);
    // A new mount is made ready in the background.
    ASSERT_TRUE(test_support::Eventually(
        [&] { return LabelOf(kv->CasBase("nothing", stop)) == "success"; }, 10s));
  }

  std::optional<Kv2> kv;
  std::optional<Kv1> old;
};

TEST_F(RealKv, VersionsConflictsAndDeletions) {
  // Version 1, and a second writer who believed the same base.
  const auto first = kv->Write("shop/otlp", Password("one"), 0, stop);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->version, 1U);
  EXPECT_EQ(LabelOf(kv->Write("shop/otlp", Password("other"), 0, stop)), "cas_conflict");
  ASSERT_TRUE(kv->Write("shop/otlp", Password("two"), 1, stop));

  const auto newest = kv->Read("shop/otlp", 0, stop);
  ASSERT_TRUE(newest) << newest.error().message;
  EXPECT_EQ(newest->version, 2U);
  EXPECT_EQ(newest->values.at("password").Reveal(), "two");
  EXPECT_LT(std::chrono::abs(newest->created - clock.Now()), Duration(1min));
  const auto pinned = kv->Read("shop/otlp", 1, stop);
  ASSERT_TRUE(pinned) << pinned.error().message;
  EXPECT_EQ(pinned->values.at("password").Reveal(), "one");

  // Each request can be found in Vault's audit log, the value cannot.
  const std::string audit = server->AuditLog();
  EXPECT_NE(audit.find(newest->request_id), std::string::npos);
  EXPECT_NE(audit.find(first->request_id), std::string::npos);
  EXPECT_EQ(audit.find("\"two\""), std::string::npos);

  // The tip is deleted: reads say so, and the next write goes on from it.
  ASSERT_TRUE(kv->Delete("shop/otlp", {2}, stop));
  EXPECT_EQ(LabelOf(kv->Read("shop/otlp", 0, stop)), "version_deleted");
  EXPECT_EQ(kv->CasBase("shop/otlp", stop).value_or(0), 2U);
  ASSERT_TRUE(kv->Undelete("shop/otlp", {2}, stop));
  EXPECT_EQ(LabelOf(kv->Read("shop/otlp", 0, stop)), "success");
  ASSERT_TRUE(kv->Delete("shop/otlp", {2}, stop));
  const auto third = kv->Write("shop/otlp", Password("three"), 2, stop);
  ASSERT_TRUE(third) << third.error().message;
  EXPECT_EQ(third->version, 3U);

  ASSERT_TRUE(kv->Destroy("shop/otlp", {1}, stop));
  EXPECT_EQ(LabelOf(kv->Read("shop/otlp", 1, stop)), "version_destroyed");
  const auto metadata = kv->ReadMetadata("shop/otlp", stop);
  ASSERT_TRUE(metadata) << metadata.error().message;
  EXPECT_EQ(metadata->current_version, 3U);
  EXPECT_EQ(metadata->versions.at(1), VersionState::kDestroyed);
  EXPECT_EQ(metadata->versions.at(2), VersionState::kDeleted);
  EXPECT_EQ(metadata->versions.at(3), VersionState::kLive);
  EXPECT_EQ(LabelOf(kv->Read("shop/otlp", 99, stop)), "not_found");
}

TEST_F(RealKv, CustomMetadataIsPatchedAndReadWithTheSecret) {
  ASSERT_TRUE(kv->Write("shop", Password("one"), 0, stop));
  ASSERT_TRUE(kv->PatchCustomMetadata("shop", {{"owner", "a"}, {"rotation", "r-1"}}, stop));
  ASSERT_TRUE(
      kv->PatchCustomMetadata("shop", {{"owner", std::nullopt}, {"rotation", "r-2"}}, stop));
  const auto secret = kv->Read("shop", 0, stop);
  ASSERT_TRUE(secret) << secret.error().message;
  EXPECT_EQ(secret->custom_metadata, (CustomMetadata{{"rotation", "r-2"}}));
}

TEST_F(RealKv, TheOtherVersionOfTheEngineIsNamed) {
  Kv2 wrong("old", *root);
  EXPECT_EQ(LabelOf(wrong.Read("shop", 0, stop)), "wrong_kv_version");
  EXPECT_EQ(LabelOf(wrong.Write("shop", Password("x"), 0, stop)), "wrong_kv_version");
  EXPECT_EQ(LabelOf(old->Read("data/shop", stop)), "not_found");  // nothing was written
  ASSERT_TRUE(kv->Write("shop", Password("x"), 0, stop));
  Kv1 wrong_too("kv", *root);
  EXPECT_EQ(LabelOf(wrong_too.Read("shop", stop)), "wrong_kv_version");
  EXPECT_EQ(LabelOf(wrong_too.Write("shop", Password("x"), stop)), "wrong_kv_version");

  ASSERT_TRUE(old->Write("shop", Password("plain"), stop));
  EXPECT_EQ(old->Read("shop", stop)->values.at("password").Reveal(), "plain");
  ASSERT_TRUE(old->Delete("shop", stop));
  EXPECT_EQ(LabelOf(old->Read("shop", stop)), "not_found");
  EXPECT_EQ(LabelOf(Kv1("nowhere", *root).Read("shop", stop)), "not_found");
}

TEST_F(RealKv, ASecretWithAnyKindOfValueComesBackAsItIs) {
  Write("kv/data/mixed",
        R"({"data":{"text":"a\"b\\c\u00e9\n","number":5432,"flag":true,"list":[1,{"a":null}]}})");
  const auto secret = kv->Read("mixed", 0, stop);
  ASSERT_TRUE(secret) << secret.error().message;
  EXPECT_EQ(secret->values.at("text").Reveal(), "a\"b\\c\u00e9\n");
  EXPECT_EQ(secret->values.at("number").Reveal(), "5432");
  EXPECT_EQ(secret->values.at("list").Reveal(), R"([1,{"a":null}])");
}

TEST_F(RealKv, AQuotaIsAnsweredWithWhenToComeBack) {
  ASSERT_TRUE(kv->Write("shop", Password("one"), 0, stop));
  Write("sys/quotas/config", R"({"enable_rate_limit_response_headers":true})");
  Write("sys/quotas/rate-limit/kv", R"({"path":"kv","rate":1,"interval":"30s"})");
  (void)kv->Read("shop", 0, stop);
  const auto limited = kv->Read("shop", 0, stop);
  ASSERT_EQ(LabelOf(limited), "rate_limited");
  const Duration wait = limited.error().retry_after.value_or(Duration::zero());
  EXPECT_GT(wait, Duration::zero());
  EXPECT_LE(wait, Duration(30s));
  // Nobody asks while Vault wants none of it: what it counts does not grow.
  const double asked = metrics.Value("tracekeeper_vault_requests_total,operation=kv_read,code=429");
  EXPECT_EQ(LabelOf(kv->Read("shop", 0, stop)), "rate_limited");
  EXPECT_EQ(metrics.Value("tracekeeper_vault_requests_total,operation=kv_read,code=429"), asked);
}

TEST_F(RealKv, ASealStopsAllCallsButProbesAndAnUnsealStartsThemAgain) {
  ASSERT_TRUE(kv->Write("shop", Password("one"), 0, stop));
  ASSERT_TRUE(server->Seal());
  EXPECT_EQ(LabelOf(kv->Read("shop", 0, stop)), "sealed");
  for (int call = 0; call < 200; ++call) EXPECT_EQ(LabelOf(kv->Read("shop", 0, stop)), "sealed");
  EXPECT_EQ(metrics.Value("tracekeeper_vault_requests_total,operation=kv_read,code=503"), 1);
  EXPECT_LE(metrics.Value("tracekeeper_vault_requests_total,operation=health,code=503"), 2);
  EXPECT_EQ(endpoint->circuit(), CircuitState::kOpen);

  ASSERT_TRUE(server->Unseal());
  const MonotonicTime unsealed = clock.Monotonic();
  EXPECT_TRUE(test_support::Eventually(
      [&] { return LabelOf(kv->Read("shop", 0, stop)) == "success"; }, 15s));
  EXPECT_LT(clock.Monotonic() - unsealed, Duration(6s));
  EXPECT_EQ(endpoint->circuit(), CircuitState::kClosed);
}

TEST_F(RealKv, AVaultThatGoesSilentIsAnOutageUntilItSpeaks) {
  ASSERT_TRUE(kv->Write("shop", Password("one"), 0, stop));
  Endpoint hasty({.deadline = 300ms, .probe_period = 500ms}, *transport, clock);
  FixedToken token(hasty, server->root_token(), "");
  Kv2 impatient("kv", token);
  EXPECT_EQ(LabelOf(impatient.Read("shop", 0, stop)), "success");
  server->Pause();
  EXPECT_EQ(LabelOf(impatient.Read("shop", 0, stop)), "unavailable");
  EXPECT_EQ(hasty.circuit(), CircuitState::kOpen);
  EXPECT_EQ(LabelOf(impatient.Read("shop", 0, stop)), "unavailable");
  server->Resume();
  EXPECT_TRUE(test_support::Eventually(
      [&] { return LabelOf(impatient.Read("shop", 0, stop)) == "success"; }, 10s));
}

TEST_F(RealKv, ACrashOfVaultIsSurvived) {
  ASSERT_TRUE(kv->Write("shop", Password("one"), 0, stop));
  ASSERT_TRUE(server->Restart());
  EXPECT_TRUE(test_support::Eventually(
      [&] { return LabelOf(kv->Read("shop", 0, stop)) == "success"; }, 15s));
  const auto health = endpoint->AskHealth(stop);
  ASSERT_TRUE(health) << health.error().message;
  EXPECT_EQ(health->state, NodeState::kActive);
  EXPECT_TRUE(health->version.starts_with("1.")) << health->version;
  EXPECT_TRUE(endpoint->CheckClock());
}

}  // namespace
}  // namespace tracekeeper::vault
