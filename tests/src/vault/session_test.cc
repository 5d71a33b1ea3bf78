#include "src/vault/session.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include "src/vault/lease.h"
#include "tests/src/vault/fixture.h"

namespace tracekeeper::vault {
namespace {

using namespace std::chrono_literals;

std::string TokenAnswer(std::string_view token, int lease, std::string_view more = {}) {
  return R"({"auth":{"client_token":")" + std::string(token) +
         R"(","accessor":"acc-1234","lease_duration":)" + std::to_string(lease) +
         (more.empty() ? std::string(R"(,"renewable":true,"token_type":"service")")
                       : std::string(more)) +
         "}}";
}
constexpr std::string_view kBatch = R"(,"renewable":false,"token_type":"batch")";
constexpr std::string_view kDenied = R"({"errors":["permission denied"]})";
constexpr std::string_view kRenewTarget = "/v1/auth/token/renew-self";
constexpr std::string_view kLookupTarget = "/v1/auth/token/lookup-self";
constexpr std::string_view kLoginTarget = "/v1/auth/kubernetes/login";

struct SessionBench : Bench {
  explicit SessionBench(double share = 0) : Bench() {
    auto login =
        MakeJwtLogin({.role = "shop", .jwt = [this](const StopToken&) {
                        ++jwts;
                        return Result<crypto::SecretString>(crypto::SecretString("eyJ.jwt.sig\n"));
                      }});
    session = std::make_unique<Session>(
        SessionOptions{
            .name_space = "team-a", .renewal_share = share, .random = [this] { return random; }},
        endpoint, *std::move(login), clock);
  }

  Result<Answer> Use() {
    return session->Send(
        {.operation = Operation::kKvRead, .path = "kv/data/shop", .what = "read kv/shop"}, stop);
  }
  void AnswerLogin(std::string_view token, int lease, std::string_view more = {}) {
    transport.Answer(
        {.pieces = {TokenAnswer(token, lease, more)}, .expect = "POST /v1/auth/kubernetes/login"});
  }
  void AnswerRead() {
    transport.Answer({.pieces = {R"({"data":{}})"}, .expect = "GET /v1/kv/data/shop"});
  }
  void AnswerRenewal(std::string_view token, int lease) {
    transport.Answer(
        {.pieces = {TokenAnswer(token, lease)}, .expect = "POST /v1/auth/token/renew-self"});
  }
  [[nodiscard]] std::string LastToken() const {
    return std::string(transport.requests().back().headers.Get("X-Vault-Token"));
  }

  std::unique_ptr<Session> session;
  double random = 0.5;
  int jwts = 0;
};

TEST(Session, LogsInOnceForAllWhoAsk) {
  SessionBench bench;
  constexpr int kThreads = 8;
  std::latch started(kThreads);
  bench.transport.Answer({.pieces = {TokenAnswer("t1", 3600)},
                          .expect = "POST /v1/auth/kubernetes/login",
                          .before = [&] { started.wait(); }});
  for (int read = 0; read < kThreads; ++read) bench.AnswerRead();
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        started.count_down();
        if (bench.Use()) ++good;
      });
    }
  }
  EXPECT_EQ(good, kThreads);
  EXPECT_EQ(bench.CountOf(kLoginTarget), 1U);
  EXPECT_EQ(bench.jwts, 1);
  EXPECT_EQ(bench.session->generation(), 1U);
  const auto login = bench.transport.requests().front();
  EXPECT_EQ(login.body, R"({"role":"shop","jwt":"eyJ.jwt.sig"})");
  EXPECT_EQ(login.headers.Get("X-Vault-Namespace"), "team-a");
  EXPECT_FALSE(login.headers.Has("X-Vault-Token"));
  EXPECT_EQ(bench.LastToken(), "t1");
  EXPECT_EQ(bench.session->accessor_hash(), HashOfId("acc-1234"));
}

struct RenewalCase {
  double share;
  Duration due;
};
TEST(Session, RenewsAtTwoThirdsLessAShareOfATenth) {
  const RenewalCase cases[] = {{0, 2400s}, {0.5, 2220s}, {0.999, 2040s + 400ms}};
  for (const RenewalCase& c : cases) {
    SessionBench bench(c.share);
    bench.AnswerLogin("t1", 3600);
    ASSERT_TRUE(bench.session->Tend(bench.stop));
    const MonotonicTime due = *bench.session->next_due();
    EXPECT_NEAR(std::chrono::duration<double>(due - bench.clock.Monotonic()).count(),
                std::chrono::duration<double>(c.due).count(), 0.1);
    // Not a moment earlier, and then without a new login.
    bench.clock.Advance(due - bench.clock.Monotonic() - 1ms);
    ASSERT_TRUE(bench.session->Tend(bench.stop));
    EXPECT_EQ(bench.CountOf(kRenewTarget), 0U);
    bench.clock.Advance(1ms);
    bench.AnswerRenewal("t1", 3600);
    ASSERT_TRUE(bench.session->Tend(bench.stop));
    EXPECT_EQ(bench.CountOf(kRenewTarget), 1U);
    EXPECT_EQ(bench.transport.requests().back().body, R"({"increment":3600})");
    EXPECT_EQ(bench.session->generation(), 1U);
  }
}

TEST(Session, RunsForAMonthOnOneLoginAndIsNeverWithoutAToken) {
  SessionBench bench(0.3);
  bench.AnswerLogin("t1", 3600);
  ASSERT_TRUE(bench.session->Tend(bench.stop));
  const MonotonicTime end = bench.clock.Monotonic() + 24h * 30;
  std::size_t renewals = 0;
  while (bench.clock.Monotonic() < end) {
    bench.clock.Advance(*bench.session->next_due() - bench.clock.Monotonic());
    bench.AnswerRenewal("t1", 3600);
    ASSERT_TRUE(bench.session->Tend(bench.stop));
    ++renewals;
  }
  EXPECT_EQ(bench.CountOf(kLoginTarget), 1U);
  EXPECT_LE(renewals, 24U * 30 * 1000 / 636 + 1);
}

TEST(Session, LogsInAgainWhereARenewalGaveLess) {
  SessionBench bench;
  bench.AnswerLogin("t1", 3600);
  ASSERT_TRUE(bench.session->Tend(bench.stop));
  bench.clock.Advance(2400s);
  bench.AnswerRenewal("t1", 1200);  // its longest life nears
  ASSERT_TRUE(bench.session->Tend(bench.stop));
  EXPECT_EQ(bench.session->generation(), 1U);
  bench.clock.Advance(800s);
  bench.AnswerLogin("t2", 3600);
  ASSERT_TRUE(bench.session->Tend(bench.stop));
  EXPECT_EQ(bench.session->generation(), 2U);
}

TEST(Session, ABatchTokenIsNeverRenewedButLoggedInAgain) {
  SessionBench bench;
  bench.AnswerLogin("hvb.t1", 600, kBatch);
  ASSERT_TRUE(bench.session->Tend(bench.stop));
  bench.clock.Advance(400s);
  bench.AnswerLogin("hvb.t2", 600, kBatch);
  ASSERT_TRUE(bench.session->Tend(bench.stop));
  EXPECT_EQ(bench.CountOf(kRenewTarget), 0U);
  EXPECT_EQ(bench.session->generation(), 2U);
  EXPECT_TRUE(bench.session->Close(bench.stop));  // nor revoked
  EXPECT_EQ(bench.transport.requests().size(), 2U);
}

TEST(Session, ADeniedCallIsBelievedWhereLookupSaysTheTokenLives) {
  SessionBench bench;
  bench.AnswerLogin("t1", 3600);
  bench.Reply(403, std::string(kDenied));
  bench.transport.Answer(
      {.pieces = {R"({"data":{}})"}, .expect = "GET /v1/auth/token/lookup-self"});
  EXPECT_EQ(LabelOf(bench.Use()), "permission_denied");
  // And for half a minute not asked again, however many calls are denied.
  for (int call = 0; call < 50; ++call) {
    bench.Reply(403, std::string(kDenied));
    EXPECT_EQ(LabelOf(bench.Use()), "permission_denied");
  }
  EXPECT_EQ(bench.CountOf(kLookupTarget), 1U);
  EXPECT_EQ(bench.CountOf(kLoginTarget), 1U);
}

TEST(Session, ADeadTokenIsReplacedAndTheCallSentOnceMore) {
  SessionBench bench;
  bench.AnswerLogin("t1", 3600);
  bench.AnswerRead();
  ASSERT_TRUE(bench.Use());
  bench.Reply(403, std::string(kDenied));
  bench.Reply(403, std::string(kDenied));  // lookup-self
  bench.AnswerLogin("t2", 3600);
  bench.AnswerRead();
  EXPECT_EQ(LabelOf(bench.Use()), "success");
  EXPECT_EQ(bench.LastToken(), "t2");
  EXPECT_EQ(bench.session->generation(), 2U);
}

TEST(Session, ADeadTokenIsReplacedOnceNotForEver) {
  SessionBench bench;
  bench.AnswerLogin("t1", 3600);
  bench.Reply(403, std::string(kDenied));
  bench.Reply(403, std::string(kDenied));
  bench.AnswerLogin("t2", 3600);
  bench.Reply(403, std::string(kDenied));
  EXPECT_EQ(LabelOf(bench.Use()), "permission_denied");
  EXPECT_EQ(bench.transport.left(), 0U);
}

TEST(Session, ATokenThatIsRevokedWhenItsRenewalIsDueIsReplaced) {
  SessionBench bench;
  bench.AnswerLogin("t1", 3600);
  ASSERT_TRUE(bench.session->Tend(bench.stop));
  bench.clock.Advance(2400s);
  bench.Reply(403, std::string(kDenied));
  bench.AnswerLogin("t2", 3600);
  bench.AnswerRead();
  EXPECT_EQ(LabelOf(bench.Use()), "success");
  EXPECT_EQ(bench.LastToken(), "t2");
}

TEST(Session, AFailedRenewalKeepsTheTokenAndTriesAgainLater) {
  SessionBench bench;
  bench.AnswerLogin("t1", 3600);
  ASSERT_TRUE(bench.session->Tend(bench.stop));
  bench.clock.Advance(2400s);
  bench.Reply(500, R"({"errors":["internal error"]})");
  bench.AnswerRead();
  EXPECT_EQ(LabelOf(bench.Use()), "success");
  bench.AnswerRead();
  EXPECT_EQ(LabelOf(bench.Use()), "success");
  EXPECT_EQ(bench.CountOf(kRenewTarget), 1U);
  bench.clock.Advance(60s);
  bench.AnswerRenewal("t1", 3600);
  bench.AnswerRead();
  EXPECT_EQ(LabelOf(bench.Use()), "success");
  EXPECT_EQ(bench.LastToken(), "t1");
}

TEST(Session, AFailedRenewalDoesNotDelayTheLoginAfterTheTokensEnd) {
  SessionBench bench;
  bench.random = 0.999;
  bench.AnswerLogin("t1", 30);
  ASSERT_TRUE(bench.session->Tend(bench.stop));
  bench.clock.Advance(20s);
  for (int renewal = 0; renewal < 3; ++renewal) {
    bench.Reply(500, R"({"errors":["internal error"]})");
    ASSERT_TRUE(bench.session->Tend(bench.stop));
    bench.clock.Advance(*bench.session->next_due() - bench.clock.Monotonic());
  }
  bench.AnswerLogin("t2", 30);
  bench.AnswerRead();
  EXPECT_EQ(LabelOf(bench.Use()), "success");
  EXPECT_EQ(bench.LastToken(), "t2");
}

TEST(Session, ATokenPastItsLongestLifeIsReplaced) {
  SessionBench bench;
  bench.AnswerLogin("t1", 3600);
  ASSERT_TRUE(bench.session->Tend(bench.stop));
  bench.clock.Advance(2400s);
  bench.Reply(500, R"({"errors":["1 error occurred:\n\t* past the max TTL, cannot renew\n\n"]})");
  bench.AnswerLogin("t2", 3600);
  bench.AnswerRead();
  EXPECT_EQ(LabelOf(bench.Use()), "success");
  EXPECT_EQ(bench.LastToken(), "t2");
}

TEST(Session, AFailedLoginHoldsOffWithFullJitterOfUpToAMinute) {
  SessionBench bench;
  bench.random = 0.999999;
  const Duration longest[] = {2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s};
  for (const Duration cap : longest) {
    bench.Reply(403, std::string(kDenied));
    EXPECT_EQ(LabelOf(bench.Use()), "login_refused");
    const auto held = bench.Use();  // at once, and without a call
    EXPECT_EQ(LabelOf(held), "login_refused");
    const Duration wait = held.error().retry_after.value_or(Duration::zero());
    EXPECT_LE(wait, cap);
    EXPECT_GE(wait, cap - 1ms);
    EXPECT_EQ(bench.transport.left(), 0U);
    bench.clock.Advance(wait);
  }
  bench.random = 0;
  bench.Reply(403, std::string(kDenied));
  EXPECT_EQ(bench.Use().error().retry_after, Duration(1s));
  bench.clock.Advance(1s);
  bench.AnswerLogin("t1", 3600);
  bench.AnswerRead();
  EXPECT_EQ(LabelOf(bench.Use()), "success");
}

TEST(Session, AllWhoWaitGetTheErrorOfOneLogin) {
  SessionBench bench;
  constexpr int kThreads = 8;
  std::latch started(kThreads);
  bench.transport.Answer({.status = 403,
                          .pieces = {std::string(kDenied)},
                          .expect = "POST /v1/auth/kubernetes/login",
                          .before = [&] { started.wait(); }});
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        started.count_down();
        if (LabelOf(bench.Use()) == "login_refused") ++refused;
      });
    }
  }
  EXPECT_EQ(refused, kThreads);
  EXPECT_EQ(bench.CountOf(kLoginTarget), 1U);
}

TEST(Session, WhoWaitsForALoginThatWasStoppedLogsInForItself) {
  SessionBench bench;
  bench.transport.Answer({.error = Error{.kind = ErrorKind::kCancelled, .message = "stopped"}});
  EXPECT_EQ(bench.Use().error().kind, ErrorKind::kCancelled);
  bench.AnswerLogin("t1", 3600);
  bench.AnswerRead();
  EXPECT_EQ(LabelOf(bench.Use()), "success");
}

TEST(Session, ASealDoesNotHoldOffTheLoginBeyondTheBreaker) {
  SessionBench bench;
  bench.Reply(503, std::string(kSealedBody));
  EXPECT_EQ(LabelOf(bench.Use()), "sealed");
  bench.Reply(200, std::string(kActive));
  bench.AnswerLogin("t1", 3600);
  bench.AnswerRead();
  EXPECT_EQ(LabelOf(bench.Use()), "success");
}

TEST(Session, ATokenOutlivesASealShorterThanItsLease) {
  SessionBench bench;
  bench.AnswerLogin("t1", 3600);
  bench.AnswerRead();
  ASSERT_TRUE(bench.Use());
  bench.Reply(503, std::string(kSealedBody));
  EXPECT_EQ(LabelOf(bench.Use()), "sealed");
  for (int minute = 0; minute < 20; ++minute) {
    bench.clock.Advance(60s);
    bench.Reply(503, std::string(kSealedHealth));
    EXPECT_EQ(LabelOf(bench.Use()), "sealed");
  }
  bench.clock.Advance(60s);
  bench.Reply(200, std::string(kActive));
  bench.AnswerRead();
  EXPECT_EQ(LabelOf(bench.Use()), "success");
  EXPECT_EQ(bench.CountOf(kLoginTarget), 1U);
}

TEST(Session, RevokesItsTokenAtTheEndAndServesNobodyAfter) {
  SessionBench bench;
  bench.AnswerLogin("t1", 3600);
  ASSERT_TRUE(bench.session->Tend(bench.stop));
  bench.transport.Answer({.status = 204, .expect = "POST /v1/auth/token/revoke-self"});
  EXPECT_TRUE(bench.session->Close(bench.stop));
  EXPECT_EQ(bench.LastToken(), "t1");
  EXPECT_TRUE(bench.session->Close(bench.stop));
  EXPECT_EQ(bench.Use().error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(bench.transport.requests().size(), 2U);
}

TEST(Login, AnAnswerWithoutATokenIsRefused) {
  SessionBench bench;
  bench.Reply(200, R"({"auth":null,"data":{"mfa_requirement":{}}})");
  EXPECT_EQ(LabelOf(bench.Use()), "login_refused");
  bench.clock.Advance(60s);
  bench.AnswerLogin("t1\\r\\nX-Evil: 1", 3600);
  EXPECT_EQ(LabelOf(bench.Use()), "secret_malformed");
  bench.clock.Advance(60s);
  bench.AnswerLogin("t1", -5);
  EXPECT_EQ(LabelOf(bench.Use()), "secret_malformed");
}

TEST(RenewAfter, LeavesAThirdAndSpreadsOverATenth) {
  EXPECT_EQ(RenewAfter(3600s, 0), Duration(2400s));
  for (int step = 0; step < 100; ++step) {
    const double share = step / 100.0;
    const Duration at = RenewAfter(1000h, share);
    EXPECT_LE(at, Duration(1000h) * 2 / 3 + 1ms);
    EXPECT_GE(at, Duration(1000h) * 566 / 1000);
  }
  EXPECT_EQ(RenewAfter(Duration::zero(), 0.5), Duration::zero());
}

}  // namespace
}  // namespace tracekeeper::vault
