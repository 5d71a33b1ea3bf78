#pragma once
// Serving is the operator's three servers: the pod webhook (HTTPS), metrics, and health (both plain
// HTTP, on ports of their own so that a stuck webhook cannot hide behind them).
//
// Threads:  handlers run on the servers' threads.
// Owner:    Wiring; what it shows outlives it.
// Failure:  Start of the part fails with a sentence when its port is taken.

#include <memory>
#include <vector>

#include "operator/app/control.h"
#include "operator/app/embedded_analyzer.h"
#include "src/net/server.h"
#include "src/runtime/runnable.h"
#include "src/telemetry/prometheus_metrics.h"
#include "src/webhook/webhook_server.h"

namespace tracekeeper::app {

class Serving {
 public:
  struct Shown {
    const telemetry::PrometheusMetrics& metrics;
    const EmbeddedAnalyzer& analyzer;
  };
  Serving(const Options& options, Control& control, const Shown& shown,
          const Surroundings& surroundings);

  void AddTo(runtime::Manager& manager);

  [[nodiscard]] runtime::HealthChecks& readyz() { return readyz_; }
  [[nodiscard]] runtime::HealthChecks& livez() { return livez_; }

 private:
  struct Part {
    runtime::Phase phase;
    std::unique_ptr<net::Server> server;
    std::unique_ptr<runtime::CallbackRunnable> runnable;
  };
  void AddServer(runtime::Phase phase, net::ServerOptions options, net::Handler handler,
                 const Logger& log);
  [[nodiscard]] net::Response ServeHealth(const net::Request& request) const;
  [[nodiscard]] net::Response ServeMetrics(const net::Request& request) const;
  net::Response ServeWebhook(const net::Request& request);

  Control& control_;
  const Shown shown_;
  webhook::Webhooks webhooks_;
  runtime::HealthChecks readyz_{"readyz"};
  runtime::HealthChecks livez_{"livez"};
  std::vector<Part> parts_;
};

}  // namespace tracekeeper::app
