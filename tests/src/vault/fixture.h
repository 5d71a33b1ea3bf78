#pragma once
// What the tests of the Vault client share: an endpoint whose answers are scripted and whose clock
// the test moves, and a Caller with a fixed token.
//
// Threads:  one, but for what a test starts itself.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "src/base/metrics.h"
#include "src/vault/endpoint.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scripted_transport.h"

namespace tracekeeper::vault {

/// Stands for a secret wherever a test puts one; no error may hold it.
inline constexpr std::string_view kCanary = "hvs.CANARYc4n4ryCANARY7f3a9b";

class FixedToken final : public Caller {
 public:
  explicit FixedToken(Endpoint& endpoint, std::string_view token = kCanary,
                      std::string name_space = "team-a")
      : endpoint_(endpoint), token_(token), name_space_(std::move(name_space)) {}
  Result<Answer> Send(Call call, const StopToken& stop) override {
    return endpoint_.Send(call, {.token = &token_, .name_space = name_space_}, stop);
  }

 private:
  Endpoint& endpoint_;
  const crypto::SecretString token_;
  const std::string name_space_;
};

/// Remembers the last value of each series: "name{label=value,...}".
class RecordedMetrics final : public Metrics {
 public:
  Counter& MakeCounter(std::string_view name, std::string_view /*help*/,
                       const MetricLabels& labels) override {
    return Make(name, labels);
  }
  Gauge& MakeGauge(std::string_view name, std::string_view /*help*/,
                   const MetricLabels& labels) override {
    return Make(name, labels);
  }
  Histogram& MakeHistogram(std::string_view name, std::string_view help, const MetricLabels& labels,
                           const std::vector<double>& bounds) override {
    return NoMetrics().MakeHistogram(name, help, labels, bounds);
  }
  void Remove(std::string_view name, const MetricLabels& labels) override {
    series_.erase(KeyOf(name, labels));
  }

  [[nodiscard]] double Value(const std::string& key) const {
    const auto found = series_.find(key);
    return found == series_.end() ? -1 : found->second->value;
  }
  [[nodiscard]] std::size_t size() const { return series_.size(); }

 private:
  struct Series final : Counter, Gauge {
    void Increment(double by) override { value += by; }
    void Set(double to) override { value = to; }
    void Add(double by) override { value += by; }
    double value = 0;
  };
  static std::string KeyOf(std::string_view name, const MetricLabels& labels) {
    std::string key(name);
    for (const auto& [label, value] : labels)
      key.append(",").append(label).append("=").append(value);
    return key;
  }
  Series& Make(std::string_view name, const MetricLabels& labels) {
    auto& series = series_[KeyOf(name, labels)];
    if (!series) series = std::make_unique<Series>();
    return *series;
  }

  std::map<std::string, std::unique_ptr<Series>> series_;
};

struct Bench {
  explicit Bench(EndpointOptions options = {})
      : endpoint(std::move(options), transport, clock, metrics) {}

  test_support::ManualClock clock;
  test_support::ScriptedTransport transport;
  RecordedMetrics metrics;
  Endpoint endpoint;
  FixedToken caller{endpoint};
  const StopToken stop;

  /// One call of `operation`, with the token.
  Result<Answer> Ask(Operation operation = Operation::kKvRead) {
    return caller.Send({.operation = operation, .path = "kv/data/shop", .what = "read kv/shop"},
                       stop);
  }
  void Reply(int status, std::string body, net::Headers headers = {}) {
    transport.Answer(
        {.status = status, .headers = std::move(headers), .pieces = {std::move(body)}});
  }
  [[nodiscard]] std::size_t CountOf(std::string_view target) const {
    std::size_t count = 0;
    for (const auto& request : transport.requests()) count += request.target == target ? 1 : 0;
    return count;
  }
};

inline constexpr std::string_view kHealthTarget = "/v1/sys/health";
inline constexpr std::string_view kActive =
    R"({"initialized":true,"sealed":false,"standby":false,"version":"1.14.1"})";
inline constexpr std::string_view kSealedHealth =
    R"({"initialized":true,"sealed":true,"standby":true,"version":"1.14.1"})";
inline constexpr std::string_view kSealedBody = R"({"errors":["Vault is sealed"]})";

/// The row of a failed Result.
template <typename T>
std::string LabelOf(const Result<T>& result) {
  if (result) return "success";
  return std::string(result.error().reason);
}

}  // namespace tracekeeper::vault
