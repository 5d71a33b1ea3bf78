#include "src/vault/endpoint.h"

#include <fmt/format.h>

#include <utility>

#include "src/net/retry_after.h"
#include "src/vault/answer_judge.h"

namespace tracekeeper::vault {
namespace {

// What the transport may hold of an answer that is refused for its length.
constexpr std::size_t kTransportLimit = 16U << 20U;
constexpr Duration kPauseWithoutHeader = std::chrono::seconds(1);
// Half of a longer round trip says too little about the clock.
constexpr Duration kLongestSkewTrip = std::chrono::seconds(2);
constexpr std::string_view kTokenHeader = "X-Vault-Token";

net::Request RequestOf(const Call& call, const Sender& sender) {
  net::Request request;
  request.method = call.method;
  request.target = "/v1/" + call.path;
  request.headers.Add("X-Vault-Request", "true");
  request.headers.Add("Accept", "application/json");
  if (!sender.name_space.empty()) request.headers.Add("X-Vault-Namespace", sender.name_space);
  if (sender.token != nullptr) request.headers.Add(kTokenHeader, sender.token->Reveal());
  if (!call.body.empty()) {
    request.headers.Add("Content-Type", call.content_type);
    request.body = call.body.text();
  }
  return request;
}

void WipeRequest(net::Request& request) {
  crypto::Wipe(request.body);
  for (const auto& [name, value] : request.headers) {
    // Headers give no writable view, and only here does one hold a secret that we own.
    if (name == kTokenHeader) crypto::Wipe(const_cast<std::string&>(value));
  }
}

double SecondsOf(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

Endpoint::Endpoint(EndpointOptions options, net::Transport& transport, const Clock& clock,
                   Metrics& metrics)
    : options_(std::move(options)),
      transport_(transport),
      clock_(clock),
      metrics_(options_.labels, metrics),
      breaker_(options_.probe_period),
      limit_(options_.queries_per_second, options_.burst) {}

Result<Answer> Endpoint::Send(const Call& call, const Sender& sender, const StopToken& stop) {
  std::uint64_t period = 0;
  TRY(WaitForTurn(call, stop, period));
  auto response = Exchange(RequestOf(call, sender), call.operation, stop);
  if (!response) return Fail(JudgeBroken(std::move(response.error()), call, period));
  return Read(*std::move(response), call, period);
}

Result<Answer> Endpoint::Read(net::Response response, const Call& call, std::uint64_t period) {
  if (response.body.size() > options_.body_limit) {
    const std::string detail =
        fmt::format("{} bytes, the limit is {}", response.body.size(), options_.body_limit);
    crypto::Wipe(response.body);
    return Fail(MakeError(Failure::kAnswerTooLarge, call.what, detail));
  }
  if (response.status < 200 || response.status >= 300) {
    Error error = Judge(response, call, period);
    crypto::Wipe(response.body);
    return Fail(std::move(error));
  }
  if (response.status == 204) return Answer();
  return Answer::Parse(response.body, call.what);
}

Error Endpoint::Judge(const net::Response& response, const Call& call, std::uint64_t period) {
  auto judgement = JudgeAnswer(response, call.operation, clock_.Now());
  const Failure failure = judgement->failure;
  if (failure == Failure::kRateLimited && !judgement->retry_after) {
    judgement->retry_after = kPauseWithoutHeader;
  }
  Note(failure, period, judgement->retry_after);
  Error error = MakeError(failure, call.what, judgement->detail);
  error.retry_after = judgement->retry_after;
  return error;
}

Error Endpoint::JudgeBroken(Error error, const Call& call, std::uint64_t period) {
  const auto judgement = JudgeTransport(error);
  if (!judgement) return std::move(error).Within(call.what);
  Note(judgement->failure, period, std::nullopt);
  return MakeError(judgement->failure, call.what, judgement->detail);
}

void Endpoint::Note(Failure failure, std::uint64_t period, std::optional<Duration> retry_after) {
  if (RowOf(failure).retry == Retry::kAfterProbe) {
    ChangeCircuit([&](Breaker& breaker) { breaker.CallFailed(failure, period); });
  }
  if (failure == Failure::kRateLimited && retry_after) {
    const std::lock_guard lock(mutex_);
    limit_.PauseUntil(clock_.Monotonic() + *retry_after);
  }
}

Status Endpoint::WaitForTurn(const Call& call, const StopToken& stop, std::uint64_t& period) {
  TRY(PassBreaker(call, stop, period));
  RequestLimit::Turn turn;
  {
    const std::lock_guard lock(mutex_);
    turn = limit_.Take(clock_.Monotonic(), options_.longest_wait);
  }
  if (!turn.is_kept) {
    Error error =
        MakeError(Failure::kRateLimited, call.what,
                  fmt::format("not asked: its turn is in {:.1f} s", SecondsOf(turn.wait)));
    error.retry_after = turn.wait;
    return Fail(std::move(error));
  }
  if (turn.wait == Duration::zero()) return {};
  if (!clock_.SleepFor(turn.wait, stop)) {
    return Fail(ErrorKind::kCancelled, "{}: stopped while waiting for its turn", call.what);
  }
  // While it waited the circuit may have opened.
  return PassBreaker(call, stop, period);
}

Status Endpoint::PassBreaker(const Call& call, const StopToken& stop, std::uint64_t& period) {
  Breaker::Decision decision;
  ChangeCircuit([&](Breaker& breaker) { decision = breaker.Ask(clock_.Monotonic()); });
  if (decision.permission == Breaker::Permission::kProbe) {
    TRY(Probe(call.what, stop));
    ChangeCircuit([&](Breaker& breaker) { decision = breaker.Ask(clock_.Monotonic()); });
  }
  period = decision.period;
  if (decision.permission == Breaker::Permission::kAsk) return {};
  Error error =
      MakeError(decision.failure, call.what,
                fmt::format("not asked: the next probe is in {:.1f} s", SecondsOf(decision.wait)));
  error.retry_after = decision.wait;
  return Fail(std::move(error));
}

Status Endpoint::Probe(std::string_view tried, const StopToken& stop) {
  const auto health = FetchHealth(stop);
  std::optional<Failure> failure;
  if (health) {
    failure = WhyNotAsk(health->state);
  } else if (FailureOf(health.error())) {
    failure = FailureOf(health.error());
  } else {
    ChangeCircuit([](Breaker& breaker) { breaker.ProbeGivenUp(); });
    return Fail(Error(health.error()).Within(tried));
  }
  ChangeCircuit([&](Breaker& breaker) { breaker.ProbeEnded(failure); });
  if (!failure) return {};
  Error error = health ? MakeError(*failure, tried, "sys/health says so")
                       : Error(health.error()).Within(tried);
  error.retry_after = options_.probe_period;
  return Fail(std::move(error));
}

Result<Health> Endpoint::FetchHealth(const StopToken& stop) {
  net::Request request;
  request.target = "/v1/sys/health";
  request.headers.Add("X-Vault-Request", "true");
  auto response = Exchange(std::move(request), Operation::kHealth, stop);
  if (response) return ReadHealth(*response, clock_.Now());
  const auto judgement = JudgeTransport(response.error());
  if (!judgement) return Fail(std::move(response.error()));
  return Fail(MakeError(judgement->failure, "ask for Vault's health", judgement->detail));
}

Result<Health> Endpoint::AskHealth(const StopToken& stop) {
  auto health = FetchHealth(stop);
  const auto failure = health ? WhyNotAsk(health->state) : FailureOf(health.error());
  const bool was_stopped = !health && !failure;
  if (was_stopped) return health;
  ChangeCircuit([&](Breaker& breaker) { breaker.Learn(failure, clock_.Monotonic()); });
  return health;
}

Result<net::Response> Endpoint::Exchange(net::Request request, Operation operation,
                                         const StopToken& stop) {
  const MonotonicTime start = clock_.Monotonic();
  const Instant sent = clock_.Now();
  auto response = transport_.Send(
      request, {.deadline = options_.deadline, .body_limit = kTransportLimit}, stop);
  WipeRequest(request);
  metrics_.Count(operation, response ? response->status : 0);
  if (response) LearnTime(*response, sent, start);
  return response;
}

void Endpoint::LearnTime(const net::Response& response, Instant sent, MonotonicTime start) {
  const Duration took = clock_.Monotonic() - start;
  if (took > kLongestSkewTrip) return;
  const auto date = net::ReadHttpDate(response.headers.Get("Date"));
  if (!date) return;
  // The header cuts the fraction off: on average half a second.
  const Instant theirs = *date + std::chrono::milliseconds(500);
  Duration skew = theirs - (sent + took / 2);
  if (std::chrono::abs(skew) < std::chrono::seconds(1)) skew = Duration::zero();
  metrics_.SetSkew(skew);
  const std::lock_guard lock(mutex_);
  skew_ = skew;
  heard_ = HeardDate{theirs, start + took / 2};
}

void Endpoint::ChangeCircuit(const std::function<void(Breaker&)>& change) {
  CircuitState before;
  CircuitState after;
  {
    const std::lock_guard lock(mutex_);
    before = breaker_.state();
    change(breaker_);
    after = breaker_.state();
    if (before != after) metrics_.SetCircuit(after);
  }
  if (before != after && options_.on_circuit) options_.on_circuit(after);
}

CircuitState Endpoint::circuit() const {
  const std::lock_guard lock(mutex_);
  return breaker_.state();
}

std::optional<Duration> Endpoint::clock_skew() const {
  const std::lock_guard lock(mutex_);
  return skew_;
}

std::optional<Endpoint::HeardDate> Endpoint::heard_date() const {
  const std::lock_guard lock(mutex_);
  return heard_;
}

Status Endpoint::CheckClock() const {
  const auto skew = clock_skew();
  if (!skew || std::chrono::abs(*skew) <= kSkewAlarm) return {};
  return Fail(MakeError(Failure::kClockSkew, "compare clocks with Vault",
                        fmt::format("Vault's is {:.0f} s {}", std::abs(SecondsOf(*skew)),
                                    *skew > Duration::zero() ? "ahead" : "behind")));
}

}  // namespace tracekeeper::vault
