#pragma once
// A Client over two scripted transports, on a clock whose waits are over as soon as they begin.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <thread>

#include "src/kube/client.h"
#include "src/telemetry/prometheus_metrics.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scripted_transport.h"

namespace tracekeeper::kube {

inline constexpr std::string_view kPod = R"({"metadata":{"name":"web"}})";

inline Error Broken() { return {ErrorKind::kUnavailable, "the connection broke", std::nullopt}; }

class ClientCalls : public testing::Test {
 protected:
  test_support::ManualClock clock_;
  test_support::ScriptedTransport unary_;
  test_support::ScriptedTransport streams_;
  telemetry::PrometheusMetrics metrics_;
  Client client_{{.component = "tracekeeper-test", .version = "1.2", .host = "api:6443"},
                 unary_,
                 streams_,
                 nullptr,
                 clock_,
                 metrics_};
  /// Waits of the client are over as soon as they begin; Waited() tells how long they were.
  const MonotonicTime start_ = clock_.Monotonic();
  std::jthread hurry_{[this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto deadline = clock_.next_deadline();
      if (deadline && *deadline > clock_.Monotonic()) {
        clock_.Advance(*deadline - clock_.Monotonic());
      } else {
        std::this_thread::sleep_for(std::chrono::microseconds(100));  // nobody waits
      }
    }
  }};

  Result<Document> Get() { return client_.Get(kPods, {"shop", "web"}, {}); }
  [[nodiscard]] Duration Waited() const { return clock_.Monotonic() - start_; }
};

}  // namespace tracekeeper::kube
