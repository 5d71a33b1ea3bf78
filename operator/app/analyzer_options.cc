#include "operator/app/analyzer_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

namespace tracekeeper::app {
namespace {

constexpr const char* kGroup = "Embedded analyzer";
constexpr std::size_t kMiB = std::size_t{1} << 20U;
// Of a lost lease 5 s are left for all that only a leader does.
constexpr Duration kDrainPatience = std::chrono::seconds(2);

Duration Seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

void AddPorts(CLI::App& app, AnalyzerOptions& options) {
  const auto add = [&app](const char* flag, std::uint16_t& port, const char* what) {
    app.add_option(flag, port, what)
        ->check(CLI::Range(1, 65535))
        ->capture_default_str()
        ->group(kGroup);
  };
  add("--otlp-grpc-port", options.otlp_grpc_port, "OTLP over gRPC");
  add("--otlp-http-port", options.otlp_http_port, "OTLP over HTTP");
  add("--api-port", options.api_port, "/api/v1");
}

void AddRoom(CLI::App& app, AnalyzerOptions& options) {
  const auto add = [&app](const char* flag, std::size_t& number, const char* what) {
    app.add_option(flag, number, what)
        ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
        ->capture_default_str()
        ->group(kGroup);
  };
  add("--memory-mib", options.memory_mib,
      "Memory of spans; when it is full whole traces are shed and counted as unknown");
  add("--queue-mib", options.queue_mib,
      "Requests that may wait to be read; beyond, senders are asked to send again");
  add("--max-edges", options.max_edges, "Edges with series of their own");
  add("--max-services", options.max_services, "The same for services, of each kind of unit");
  add("--max-policies", options.max_policies, "The same for policies");
}

void AddWindows(CLI::App& app, AnalyzerOptions& options) {
  const auto add = [&app](const char* flag, double& seconds, const char* what) {
    app.add_option(flag, seconds, what)
        ->check(CLI::Range(0.1, 86400.0))
        ->type_name("SECONDS")
        ->capture_default_str()
        ->group(kGroup);
  };
  add("--settle-seconds", options.settle_seconds, "A trace is judged after such a pause");
  add("--join-seconds", options.join_seconds,
      "How long a trace waits for what other traces say of it");
  add("--repair-seconds", options.repair_seconds, "How long late spans repair a verdict");
  add("--warm-up-seconds", options.warm_up_seconds,
      "From the first spans to the first verdict: what services do is learned first");
  add("--learning-seconds", options.learning_seconds, "From then on, how often it is learned");
}

}  // namespace

void AddAnalyzerFlags(CLI::App& app, AnalyzerOptions& options) {
  app.add_flag("--analyzer", options.is_on,
               "Judge the traces that are sent here, while this replica leads")
      ->group(kGroup);
  app.add_option("--analyzer-service", options.service,
                 "Service (in the operator's namespace, without selector) by which spans reach the "
                 "replica that leads; empty: none")
      ->group(kGroup);
  app.add_option("--pod-ip", options.pod_ip, "Address of this replica, for that Service")
      ->envname("POD_IP")
      ->group(kGroup);
  AddPorts(app, options);
  AddRoom(app, options);
  AddWindows(app, options);
}

std::string CheckAnalyzer(const AnalyzerOptions& options,
                          std::span<const std::pair<const char*, std::uint16_t>> other_ports) {
  if (!options.is_on) return "";
  if (!options.service.empty() && options.pod_ip.empty()) {
    return "--analyzer-service needs --pod-ip: the Service leads to the address of this replica";
  }
  std::vector<std::pair<const char*, std::uint16_t>> ports(other_ports.begin(), other_ports.end());
  for (const auto& [flag, port] : {std::pair{"--otlp-grpc-port", options.otlp_grpc_port},
                                   std::pair{"--otlp-http-port", options.otlp_http_port},
                                   std::pair{"--api-port", options.api_port}}) {
    const auto taken =
        std::ranges::find(ports, port, &std::pair<const char*, std::uint16_t>::second);
    if (taken != ports.end()) {
      return fmt::format("{} and {} are both {}: give each a port of its own", taken->first, flag,
                         port);
    }
    ports.emplace_back(flag, port);
  }
  return "";
}

analysis::AnalysisServerOptions ServerOptionsOf(const AnalyzerOptions& options,
                                                const std::string& address) {
  return {.analysis = {.memory_bytes = options.memory_mib * kMiB,
                       .queue_bytes = options.queue_mib * kMiB,
                       .series = {.edges = options.max_edges,
                                  .services = options.max_services,
                                  .policies = options.max_policies},
                       .settle_window = Seconds(options.settle_seconds),
                       .join_window = Seconds(options.join_seconds),
                       .repair_window = Seconds(options.repair_seconds),
                       .warm_up = Seconds(options.warm_up_seconds),
                       .learning_interval = Seconds(options.learning_seconds)},
          .address = address,
          .otlp_grpc_port = options.otlp_grpc_port,
          .otlp_http_port = options.otlp_http_port,
          .api_port = options.api_port,
          .drain_patience = kDrainPatience};
}

}  // namespace tracekeeper::app
