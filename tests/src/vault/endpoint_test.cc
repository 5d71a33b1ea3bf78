#include "src/vault/endpoint.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/src/vault/fixture.h"

namespace tracekeeper::vault {
namespace {

using namespace std::chrono_literals;

TEST(Endpoint, SendsWhatVaultWantsAndGivesItsRequestId) {
  Bench bench;
  bench.Reply(200, R"({"request_id":"6ba7b810-9dad-11d1-80b4-00c04fd430c8","data":{"a":1}})");
  const auto answer = bench.Ask();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->request_id(), "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  EXPECT_EQ(answer->data()["a"].Integer(), 1);
  const auto request = bench.transport.requests().at(0);
  EXPECT_EQ(request.target, "/v1/kv/data/shop");
  EXPECT_EQ(request.headers.Get("X-Vault-Request"), "true");
  EXPECT_EQ(request.headers.Get("X-Vault-Namespace"), "team-a");
  EXPECT_EQ(request.headers.Get("X-Vault-Token"), kCanary);
}

TEST(Endpoint, NoContentIsASuccess) {
  Bench bench;
  bench.Reply(204, "");
  const auto answer = bench.Ask(Operation::kKvDelete);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->root());
}

TEST(Breaker, OpensAtASealAndLetsNobodyElseAsk) {
  Bench bench;
  bench.Reply(503, std::string(kSealedBody));
  EXPECT_EQ(LabelOf(bench.Ask()), "sealed");
  bench.Reply(503, std::string(kSealedHealth));
  EXPECT_EQ(LabelOf(bench.Ask()), "sealed");  // probes
  for (int call = 0; call < 100; ++call) {
    const auto refused = bench.Ask();
    EXPECT_EQ(LabelOf(refused), "sealed");
    EXPECT_EQ(refused.error().retry_after, Duration(5s));
  }
  EXPECT_EQ(bench.transport.requests().size(), 2U);
  EXPECT_EQ(bench.metrics.Value("tracekeeper_vault_circuit_state"), 2);
}

TEST(Breaker, ProbesAtMostEveryFiveSecondsForAnHourAndRecoversAtTheFirstGoodOne) {
  Bench bench;
  bench.Reply(503, std::string(kSealedBody));
  EXPECT_EQ(LabelOf(bench.Ask()), "sealed");
  // An hour, in which somebody asks twenty times a second.
  for (int probe = 0; probe < 720; ++probe) bench.Reply(503, std::string(kSealedHealth));
  for (int step = 0; step < 72'000; ++step) {
    EXPECT_EQ(LabelOf(bench.Ask()), "sealed");
    bench.clock.Advance(50ms);
  }
  EXPECT_EQ(bench.CountOf(kHealthTarget), 720U);
  EXPECT_EQ(bench.transport.requests().size(), 721U);

  bench.Reply(200, std::string(kActive));
  bench.Reply(200, R"({"data":{}})");
  Duration waited{};
  while (!bench.Ask()) {
    bench.clock.Advance(50ms);
    waited += 50ms;
  }
  EXPECT_LE(waited, Duration(5s));
  EXPECT_EQ(bench.endpoint.circuit(), CircuitState::kClosed);
  EXPECT_EQ(bench.metrics.Value("tracekeeper_vault_circuit_state"), 0);
}

TEST(Breaker, OneOfManyProbesAndTheOthersFailAtOnce) {
  Bench bench;
  bench.Reply(503, std::string(kSealedBody));
  EXPECT_EQ(LabelOf(bench.Ask()), "sealed");
  std::string meanwhile;
  bench.transport.Answer(
      {.pieces = {std::string(kActive)}, .expect = "GET /v1/sys/health", .before = [&] {
         EXPECT_EQ(bench.endpoint.circuit(), CircuitState::kHalfOpen);
         meanwhile = LabelOf(bench.Ask());
       }});
  bench.Reply(200, R"({"data":{}})");
  EXPECT_EQ(LabelOf(bench.Ask()), "success");
  EXPECT_EQ(meanwhile, "sealed");
}

TEST(Breaker, SaysWhatTheProbeFound) {
  Bench bench;
  bench.transport.Answer({.error = Error{.kind = ErrorKind::kTimeout, .message = "no answer"}});
  EXPECT_EQ(LabelOf(bench.Ask()), "unavailable");
  bench.Reply(503, std::string(kSealedHealth));
  EXPECT_EQ(LabelOf(bench.Ask()), "sealed");
  EXPECT_EQ(LabelOf(bench.Ask()), "sealed");
  bench.clock.Advance(5s);
  bench.Reply(501, R"({"initialized":false,"sealed":true,"standby":true})");
  EXPECT_EQ(LabelOf(bench.Ask()), "not_initialised");
  bench.clock.Advance(5s);
  bench.Reply(429, std::string(kActive));  // a standby forwards
  bench.Reply(200, R"({"data":{}})");
  EXPECT_EQ(LabelOf(bench.Ask()), "success");
}

TEST(Breaker, AProberThatWasStoppedLeavesItOpenForTheNextOne) {
  Bench bench;
  bench.Reply(503, std::string(kSealedBody));
  EXPECT_FALSE(bench.Ask());
  bench.transport.Answer({.error = Error{.kind = ErrorKind::kCancelled, .message = "stopped"}});
  EXPECT_EQ(bench.Ask().error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(bench.endpoint.circuit(), CircuitState::kOpen);
  bench.clock.Advance(5s);
  bench.Reply(200, std::string(kActive));
  bench.Reply(200, R"({"data":{}})");
  EXPECT_EQ(LabelOf(bench.Ask()), "success");
}

TEST(Breaker, WhatBeganBeforeItClosedDoesNotOpenItAgain) {
  Breaker breaker(5s);
  const MonotonicTime now{1h};
  const auto early = breaker.Ask(now);
  breaker.CallFailed(Failure::kSealed, breaker.Ask(now).period);
  EXPECT_EQ(breaker.Ask(now).permission, Breaker::Permission::kProbe);
  breaker.ProbeEnded(std::nullopt);
  breaker.CallFailed(Failure::kUnavailable, early.period);
  EXPECT_EQ(breaker.state(), CircuitState::kClosed);
  breaker.CallFailed(Failure::kUnavailable, breaker.Ask(now).period);
  EXPECT_EQ(breaker.state(), CircuitState::kOpen);
  // The last probe was just now: no other one before its time.
  EXPECT_EQ(breaker.Ask(now + 4999ms).permission, Breaker::Permission::kRefused);
  EXPECT_EQ(breaker.Ask(now + 5s).permission, Breaker::Permission::kProbe);
}

TEST(Breaker, TellsOfEveryChange) {
  std::vector<CircuitState> seen;
  Bench bench(EndpointOptions{.on_circuit = [&](CircuitState state) { seen.push_back(state); }});
  bench.Reply(503, std::string(kSealedBody));
  EXPECT_FALSE(bench.Ask());
  bench.Reply(200, std::string(kActive));
  bench.Reply(200, R"({"data":{}})");
  EXPECT_TRUE(bench.Ask());
  EXPECT_EQ(seen,
            (std::vector{CircuitState::kOpen, CircuitState::kHalfOpen, CircuitState::kClosed}));
}

TEST(Health, ClosesAndOpensTheCircuitToo) {
  Bench bench;
  bench.Reply(503, std::string(kSealedHealth));
  const auto sealed = bench.endpoint.AskHealth(bench.stop);
  ASSERT_TRUE(sealed) << sealed.error().message;
  EXPECT_EQ(sealed->state, NodeState::kSealed);
  EXPECT_EQ(bench.endpoint.circuit(), CircuitState::kOpen);
  bench.Reply(200, std::string(kActive));
  const auto active = bench.endpoint.AskHealth(bench.stop);
  ASSERT_TRUE(active);
  EXPECT_EQ(active->state, NodeState::kActive);
  EXPECT_EQ(active->version, "1.14.1");
  EXPECT_EQ(bench.endpoint.circuit(), CircuitState::kClosed);
  bench.Reply(200, "<html>");
  EXPECT_EQ(LabelOf(bench.endpoint.AskHealth(bench.stop)), "answer_not_vault");
}

TEST(RequestLimit, GivesTheBurstAtOnceAndThenTheRate) {
  RequestLimit limit(10, 5);
  MonotonicTime now{1h};
  for (int turn = 0; turn < 5; ++turn) EXPECT_EQ(limit.Take(now, 1s).wait, Duration::zero());
  for (int turn = 1; turn <= 10; ++turn)
    EXPECT_EQ(limit.Take(now, 1s).wait, Duration(turn * 100ms));
  EXPECT_FALSE(limit.Take(now, 1s).is_kept);
  now += 1s;  // all promised turns have passed
  EXPECT_EQ(limit.Take(now, 1s).wait, Duration(100ms));
  now += 1h;
  for (int turn = 0; turn < 5; ++turn) EXPECT_EQ(limit.Take(now, 1s).wait, Duration::zero());
  EXPECT_GT(limit.Take(now, 1s).wait, Duration::zero());
}

TEST(RequestLimit, NeverLetsMoreThroughThanTheRateInAnyWindow) {
  RequestLimit limit(20, 10);
  MonotonicTime now{1h};
  std::vector<MonotonicTime> sent;
  for (int call = 0; call < 2000; ++call) {
    const auto turn = limit.Take(now, 10s);
    if (turn.is_kept) sent.push_back(now + turn.wait);
    now += std::chrono::milliseconds(call % 7 * 3);
  }
  for (std::size_t first = 0; first < sent.size(); ++first) {
    for (std::size_t last = first; last < sent.size() && last < first + 200; ++last) {
      const double seconds = std::chrono::duration<double>(sent[last] - sent[first]).count();
      ASSERT_LE(static_cast<double>(last - first), 10 + 20 * seconds + 1e-6);
    }
  }
}

TEST(RequestLimit, FailsWhereTheTurnIsTooFarAway) {
  Bench bench(EndpointOptions{.queries_per_second = 0.1, .burst = 1});
  bench.Reply(200, R"({"data":{}})");
  EXPECT_TRUE(bench.Ask());
  const auto refused = bench.Ask();
  EXPECT_EQ(LabelOf(refused), "rate_limited");
  EXPECT_EQ(refused.error().retry_after, Duration(10s));
  EXPECT_EQ(bench.transport.requests().size(), 1U);
}

TEST(RequestLimit, ACallWaitsForItsTurnAndCanBeStopped) {
  Bench bench(EndpointOptions{.queries_per_second = 1, .burst = 1});
  bench.Reply(200, R"({"data":{}})");
  EXPECT_TRUE(bench.Ask());
  std::stop_source source;
  std::string label;
  std::jthread waiting([&] {
    const auto answer =
        bench.caller.Send({.path = "kv/data/shop", .what = "read"}, source.get_token());
    label = NameOf(answer.error().kind);
  });
  ASSERT_TRUE(bench.clock.WaitForWaiters(1));
  source.request_stop();
  waiting.join();
  EXPECT_EQ(label, "cancelled");
}

TEST(RetryAfter, HoldsBackEverybodyForAsLongAsVaultAsked) {
  Bench bench;
  bench.Reply(429, R"({"errors":["rate limit quota exceeded"]})", {{"Retry-After", "30"}});
  const auto limited = bench.Ask();
  EXPECT_EQ(LabelOf(limited), "rate_limited");
  EXPECT_EQ(limited.error().retry_after, Duration(30s));
  bench.clock.Advance(20s);
  const auto held = bench.Ask();
  EXPECT_EQ(LabelOf(held), "rate_limited");
  EXPECT_EQ(held.error().retry_after, Duration(10s));
  bench.clock.Advance(10s);
  bench.Reply(200, R"({"data":{}})");
  EXPECT_EQ(LabelOf(bench.Ask()), "success");
  EXPECT_EQ(bench.transport.requests().size(), 2U);
}

TEST(RetryAfter, IsASecondWhereVaultDoesNotSay) {
  Bench bench;
  bench.Reply(429, R"({"errors":["rate limit quota exceeded"]})");
  EXPECT_EQ(bench.Ask().error().retry_after, Duration(1s));
}

TEST(ClockSkew, IsLearnedFromTheDateHalfTheRoundTripTakenOff) {
  Bench bench(EndpointOptions{.labels = {{"connection", "main"}}});
  EXPECT_EQ(bench.endpoint.clock_skew(), std::nullopt);
  // Ours is 03:04:05 when it is sent, 03:04:06 when the answer is there.
  bench.transport.Answer({.headers = {{"Date", "Fri, 02 Jan 2026 03:05:05 GMT"}},
                          .pieces = {R"({"data":{}})"},
                          .before = [&] { bench.clock.Advance(1s); }});
  EXPECT_TRUE(bench.Ask());
  EXPECT_EQ(bench.endpoint.clock_skew(), Duration(60s));
  EXPECT_EQ(bench.metrics.Value("tracekeeper_vault_clock_skew_seconds,connection=main"), 60);
  const auto check = bench.endpoint.CheckClock();
  EXPECT_EQ(LabelOf(check), "clock_skew");
  EXPECT_NE(check.error().message.find("60 s ahead"), std::string::npos) << check.error().message;

  bench.Reply(200, R"({"data":{}})", {{"Date", "Fri, 02 Jan 2026 03:04:06 GMT"}});
  EXPECT_TRUE(bench.Ask());
  EXPECT_EQ(bench.endpoint.clock_skew(), Duration::zero());
  EXPECT_TRUE(bench.endpoint.CheckClock());
}

TEST(ClockSkew, IsNotLearnedFromASlowAnswer) {
  Bench bench;
  bench.transport.Answer({.headers = {{"Date", "Fri, 02 Jan 2026 03:05:05 GMT"}},
                          .pieces = {R"({"data":{}})"},
                          .before = [&] { bench.clock.Advance(3s); }});
  EXPECT_TRUE(bench.Ask());
  EXPECT_EQ(bench.endpoint.clock_skew(), std::nullopt);
}

TEST(EndpointMetrics, CountsByOperationAndCodeAndGoesWithTheEndpoint) {
  test_support::ManualClock clock;
  test_support::ScriptedTransport transport;
  RecordedMetrics metrics;
  {
    Endpoint endpoint({.labels = {{"connection", "main"}}}, transport, clock, metrics);
    const StopToken stop;
    transport.AnswerJson(R"({"data":{}})");
    transport.AnswerJson(R"({"data":{}})");
    transport.Answer({.error = Error{.kind = ErrorKind::kTimeout, .message = "slow"}});
    const Call call{.operation = Operation::kPkiIssue, .path = "pki/issue/svc", .what = "issue"};
    for (int count = 0; count < 3; ++count) (void)endpoint.Send(call, {}, stop);
    EXPECT_EQ(metrics.Value(
                  "tracekeeper_vault_requests_total,connection=main,operation=pki_issue,code=200"),
              2);
    EXPECT_EQ(
        metrics.Value(
            "tracekeeper_vault_requests_total,connection=main,operation=pki_issue,code=<error>"),
        1);
  }
  EXPECT_EQ(metrics.size(), 0U);
}

TEST(Endpoint, SendsABodyAsItWasWritten) {
  Bench bench;
  bench.Reply(204, "");
  Call call{
      .operation = Operation::kKvWrite, .method = "POST", .path = "kv/data/shop", .what = "write"};
  call.body.Begin().Text("a\"b", kCanary).Number("n", -1).Begin("o").Flag("f", true).End();
  call.body.BeginList("l").Element(std::int64_t{1}).Element("x").EndList().Null("z").End();
  ASSERT_TRUE(bench.caller.Send(std::move(call), bench.stop));
  const auto request = bench.transport.requests().at(0);
  EXPECT_EQ(
      request.body,
      R"({"a\"b":"hvs.CANARYc4n4ryCANARY7f3a9b","n":-1,"o":{"f":true},"l":[1,"x"],"z":null})");
  EXPECT_EQ(request.headers.Get("Content-Type"), "application/json");
}

}  // namespace
}  // namespace tracekeeper::vault
