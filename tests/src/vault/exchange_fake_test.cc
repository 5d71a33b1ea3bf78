// The table of exchanges against the fake Vault, and what the fake can do that no table asks a real
// server for.

#include <gtest/gtest.h>

#include "tests/src/vault/exchange_table.h"
#include "tests/support/fake_vault.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::vault {
namespace {

using namespace std::chrono_literals;
using test_support::FakeVault;

class FakeVaultTest : public ::testing::Test {
 protected:
  net::Response Ask(const std::string& method, const std::string& target,
                    const std::string& body = "",
                    const std::string& token = std::string(FakeVault::root_token())) {
    net::Request request{.method = method, .target = "/v1/" + target, .body = body};
    request.headers.Set("X-Vault-Token", token);
    auto answer = vault_.Send(request, {}, {});
    EXPECT_TRUE(answer);
    return answer.value_or(net::Response{.status = 0});
  }

  test_support::ManualClock clock_;
  FakeVault vault_{clock_};
};

TEST_F(FakeVaultTest, AnswersAsTheTableSays) {
  for (const Exchange& exchange : Exchanges()) {
    RunExchange(exchange, vault_, std::string(FakeVault::root_token()));
  }
}

TEST_F(FakeVaultTest, EndsTokensAndTheirLeasesWithItsClock) {
  vault_.AddRole("shop", "jwt", 60s, 100s);
  Ask("POST", "sys/mounts/database", R"({"type":"database"})");
  const net::Response login =
      Ask("POST", "auth/kubernetes/login", R"({"role":"shop","jwt":"jwt"})", "");
  EXPECT_EQ(login.status, 200);
  const std::size_t at = login.body.find("hvs.");
  const std::string token = login.body.substr(at, login.body.find('"', at) - at);
  EXPECT_EQ(Ask("GET", "database/creds/shop", "", token).status, 200);
  EXPECT_EQ(vault_.live_leases(), 1U);
  clock_.Advance(59s);
  EXPECT_EQ(Ask("GET", "auth/token/lookup-self", "", token).status, 200);
  clock_.Advance(2s);
  EXPECT_EQ(Ask("GET", "auth/token/lookup-self", "", token).status, 403);
  EXPECT_EQ(vault_.live_leases(), 0U);
  EXPECT_EQ(Ask("POST", "auth/kubernetes/login", R"({"role":"shop","jwt":"x"})", "").status, 403);
}

TEST_F(FakeVaultTest, IsSealedDeniedAndBrokenOnDemand) {
  vault_.SetState(FakeVault::State::kSealed);
  EXPECT_EQ(Ask("GET", "auth/token/lookup-self").status, 503);
  EXPECT_EQ(Ask("GET", "sys/health").status, 503);
  vault_.SetState(FakeVault::State::kPerformanceStandby);
  EXPECT_EQ(Ask("GET", "sys/health").status, 473);
  vault_.SetState(FakeVault::State::kActive);
  vault_.Deny("auth/token/");
  EXPECT_EQ(Ask("GET", "auth/token/lookup-self").status, 403);
  vault_.Allow("auth/token/");
  EXPECT_EQ(Ask("GET", "auth/token/lookup-self").status, 200);
  vault_.AnswerNext(Fail(ErrorKind::kUnavailable, "broke"));
  EXPECT_FALSE(vault_.Send({.method = "GET", .target = "/v1/sys/health"}, {}, {}));
  vault_.SkewClock(90s);
  EXPECT_EQ(Ask("GET", "sys/health").headers.Get("Date"), "Fri, 02 Jan 2026 03:05:35 GMT");
  EXPECT_EQ(vault_.CountOf("GET auth/token/lookup-self"), 3U);
}

}  // namespace
}  // namespace tracekeeper::vault
