#pragma once
// Endpoint is one Vault address. Every call to it goes through here, whoever's it is, so that one
// token bucket and one circuit breaker stand before the server, not one a secret.
//
// Threads:  all methods are safe from any thread; Send() blocks its caller.
// Owner:    the wiring of a connection; outlives its sessions. Destroyed after the last call.
// Failure:  errors carry a row of kFailures (FailureOf), or are kCancelled. While the circuit is
//           open calls fail at once with the row that opened it, and retry_after until the next
//           probe.
// Secrets:  token headers, request bodies and answers are wiped after use; errors hold none.
// Time:     waits for a turn of the token bucket for at most `longest_wait`.

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/metrics.h"
#include "src/base/result.h"
#include "src/crypto/secret_string.h"
#include "src/net/transport.h"
#include "src/vault/answer.h"
#include "src/vault/breaker.h"
#include "src/vault/endpoint_metrics.h"
#include "src/vault/health.h"
#include "src/vault/request_limit.h"

namespace tracekeeper::vault {

/// Beyond this skew leases and certificates end at visibly other times than they seem to.
inline constexpr Duration kSkewAlarm = std::chrono::seconds(30);

struct EndpointOptions {
  double queries_per_second = 50;  // 0: no limit
  double burst = 100;
  Duration longest_wait = std::chrono::seconds(5);
  Duration deadline = std::chrono::seconds(30);
  Duration probe_period = std::chrono::seconds(5);
  std::size_t body_limit = 1U << 20U;
  /// Of this address's metrics: connection, connection_namespace.
  MetricLabels labels = {};
  /// Called after the circuit has changed, on the thread of some caller, without a lock.
  std::function<void(CircuitState)> on_circuit = {};
};

/// On whose behalf a call is sent.
struct Sender {
  const crypto::SecretString* token = nullptr;  // null: none yet
  std::string_view name_space = {};             // empty: the root namespace
};

class Endpoint {
 public:
  Endpoint(EndpointOptions options, net::Transport& transport, const Clock& clock,
           Metrics& metrics = NoMetrics());

  Result<Answer> Send(const Call& call, const Sender& sender, const StopToken& stop);

  /// Asks sys/health now, for a person or a slow look; counts as a probe of the breaker.
  Result<Health> AskHealth(const StopToken& stop);

  [[nodiscard]] CircuitState circuit() const;
  /// By how much Vault's clock is ahead of ours, from the last answer that told; to the second.
  [[nodiscard]] std::optional<Duration> clock_skew() const;
  /// What Vault's clock showed, and when by ours that does not jump: from the last answer that
  /// told.
  struct HeardDate {
    Instant date{};
    MonotonicTime at{};
  };
  [[nodiscard]] std::optional<HeardDate> heard_date() const;
  /// kClockSkew beyond kSkewAlarm.
  [[nodiscard]] Status CheckClock() const;

 private:
  Status WaitForTurn(const Call& call, const StopToken& stop, std::uint64_t& period);
  Status PassBreaker(const Call& call, const StopToken& stop, std::uint64_t& period);
  Status Probe(std::string_view tried, const StopToken& stop);
  Result<Answer> Read(net::Response response, const Call& call, std::uint64_t period);
  Error Judge(const net::Response& response, const Call& call, std::uint64_t period);
  Error JudgeBroken(Error error, const Call& call, std::uint64_t period);
  void Note(Failure failure, std::uint64_t period, std::optional<Duration> retry_after);
  /// One request and its answer, counted; wipes what it sent.
  Result<net::Response> Exchange(net::Request request, Operation operation, const StopToken& stop);
  void LearnTime(const net::Response& response, Instant sent, MonotonicTime start);
  Result<Health> FetchHealth(const StopToken& stop);
  /// Does `change` under the lock, then tells who wants to know that the circuit changed.
  void ChangeCircuit(const std::function<void(Breaker&)>& change);

  const EndpointOptions options_;
  net::Transport& transport_;
  const Clock& clock_;
  EndpointMetrics metrics_;
  mutable std::mutex mutex_;
  // All below: under mutex_.
  Breaker breaker_;
  RequestLimit limit_;
  std::optional<Duration> skew_;
  std::optional<HeardDate> heard_;
};

}  // namespace tracekeeper::vault
