#include "src/vault/token_caller.h"

#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "src/vault/session.h"
#include "tests/src/vault/fixture.h"

namespace tracekeeper::vault {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kLogin = "POST /v1/auth/kubernetes/login";
constexpr std::string_view kRenewal = "POST /v1/auth/token/renew-self";
constexpr std::string_view kDenied = R"({"errors":["permission denied"]})";

std::string TokenAnswer(std::string_view token, int lease, bool is_renewable = true) {
  return R"({"auth":{"client_token":")" + std::string(token) +
         R"(","accessor":"acc","token_type":"service","lease_duration":)" + std::to_string(lease) +
         (is_renewable ? R"(,"renewable":true}})" : R"(,"renewable":false}})");
}

struct ApartBench : Bench {
  ApartBench() {
    auto login =
        MakeJwtLogin({.role = "shop", .jwt = [](const StopToken&) {
                        return Result<crypto::SecretString>(crypto::SecretString("eyJ.jwt.sig"));
                      }});
    session = std::make_unique<Session>(
        SessionOptions{.name_space = "team-a", .random = [] { return 0.999999; }}, endpoint,
        *std::move(login), clock);
  }
  void AnswerLogin(std::string_view token, int lease) {
    transport.Answer({.pieces = {TokenAnswer(token, lease)}, .expect = std::string(kLogin)});
  }
  Result<Answer> Use(Caller& by) {
    return by.Send({.operation = Operation::kKvRead, .path = "kv/data/shop", .what = "read"}, stop);
  }
  [[nodiscard]] std::string Last(std::string_view header) const {
    return std::string(transport.requests().back().headers.Get(header));
  }

  std::unique_ptr<Session> session;
};

TEST(LogInApart, GivesATokenThatIsNotTheSessions) {
  ApartBench bench;
  bench.AnswerLogin("own", 3600);
  ASSERT_TRUE(bench.session->Tend(bench.stop));
  bench.AnswerLogin("apart", 600);
  const auto token = bench.session->LogInApart(bench.stop);
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_EQ(token->value.Reveal(), "apart");
  EXPECT_EQ(token->lease, Duration(600s));
  EXPECT_EQ(bench.session->generation(), 1U);
  TokenCaller apart = bench.session->CallerWith(token->value.Clone());
  bench.Reply(200, R"({"data":{}})");
  ASSERT_TRUE(bench.Use(apart));
  EXPECT_EQ(bench.Last("X-Vault-Token"), "apart");
  EXPECT_EQ(bench.Last("X-Vault-Namespace"), "team-a");
  bench.Reply(200, R"({"data":{}})");
  ASSERT_TRUE(bench.Use(*bench.session));
  EXPECT_EQ(bench.Last("X-Vault-Token"), "own");
  // The end of the session is not that of the other token.
  bench.transport.Answer({.status = 204, .expect = "POST /v1/auth/token/revoke-self"});
  ASSERT_TRUE(bench.session->Close(bench.stop));
  EXPECT_EQ(bench.Last("X-Vault-Token"), "own");
  EXPECT_EQ(bench.transport.left(), 0U);
  EXPECT_EQ(bench.session->LogInApart(bench.stop).error().kind, ErrorKind::kCancelled);
}

TEST(LogInApart, SharesTheHoldOffAfterAFailure) {
  ApartBench bench;
  bench.Reply(403, std::string(kDenied));
  EXPECT_EQ(LabelOf(bench.session->LogInApart(bench.stop)), "login_refused");
  // At once and without a call, for itself and for the session.
  const auto held = bench.session->LogInApart(bench.stop);
  EXPECT_EQ(LabelOf(held), "login_refused");
  EXPECT_GT(held.error().retry_after.value_or(Duration::zero()), Duration(1s));
  EXPECT_EQ(LabelOf(bench.session->Tend(bench.stop)), "login_refused");
  bench.clock.Advance(2s);
  bench.AnswerLogin("apart", 600);
  EXPECT_TRUE(bench.session->LogInApart(bench.stop));
  EXPECT_EQ(bench.transport.left(), 0U);
}

TEST(LogInApart, IsOneLoginAtATime) {
  ApartBench bench;
  std::latch is_asked(1);
  std::latch may_answer(1);
  bench.transport.Answer(
      {.pieces = {TokenAnswer("own", 3600)}, .expect = std::string(kLogin), .before = [&] {
         is_asked.count_down();
         may_answer.wait();
       }});
  bench.AnswerLogin("apart", 600);
  std::jthread tends([&] { EXPECT_TRUE(bench.session->Tend(bench.stop)); });
  is_asked.wait();
  std::jthread apart([&] {
    const auto token = bench.session->LogInApart(bench.stop);
    EXPECT_EQ(token ? token->value.Reveal() : "none", "apart");
  });
  // Whoever is stopped while it waits logs in no more.
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_EQ(bench.session->LogInApart(stopped.get_token()).error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(bench.CountOf("/v1/auth/kubernetes/login"), 1U);
  may_answer.count_down();
}

TEST(TokenCaller, RenewsItselfAndSaysForHowLong) {
  Bench bench;
  TokenCaller caller(bench.endpoint, "team-a", crypto::SecretString("apart"));
  bench.transport.Answer({.pieces = {TokenAnswer("apart", 600)}, .expect = std::string(kRenewal)});
  EXPECT_EQ(caller.RenewSelf(bench.stop).value_or(Duration(-1s)), Duration(600s));
  EXPECT_EQ(bench.transport.requests().back().headers.Get("X-Vault-Token"), "apart");
  struct Case {
    std::string_view body;
    std::string_view label;
  };
  for (const Case& refused :
       {Case{R"({"errors":["lease is not renewable"]})", "lease_not_renewable"},
        Case{R"({"errors":["past the max TTL, cannot renew"]})", "lease_not_renewable"},
        Case{R"({"errors":["batch tokens cannot be renewed"]})", "batch_token"},
        Case{kDenied, "token_revoked"}}) {
    bench.Reply(400, std::string(refused.body));
    EXPECT_EQ(LabelOf(caller.RenewSelf(bench.stop)), refused.label);
  }
}

TEST(TokenCaller, RevokesItselfAlsoWhereItIsGoneAlready) {
  Bench bench;
  TokenCaller caller(bench.endpoint, "", crypto::SecretString("apart"));
  bench.transport.Answer({.status = 204, .expect = "POST /v1/auth/token/revoke-self"});
  EXPECT_TRUE(caller.RevokeSelf(bench.stop));
  bench.Reply(403, std::string(kDenied));
  EXPECT_TRUE(caller.RevokeSelf(bench.stop));
  bench.Reply(500, R"({"errors":["internal error"]})");
  EXPECT_EQ(LabelOf(caller.RevokeSelf(bench.stop)), "engine_failed");
}

}  // namespace
}  // namespace tracekeeper::vault
