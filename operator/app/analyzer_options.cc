#include "operator/app/analyzer_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

namespace tracekeeper::app {
namespace {

constexpr const char* kGroup = "Embedded analyzer";
// Of a lost lease 5 s are left for all that only a leader does.
constexpr Duration kDrainPatience = std::chrono::seconds(2);

void AddPorts(CLI::App& app, AnalyzerOptions& options) {
  const auto add = [&app](const char* flag, std::uint16_t& port, const char* what) {
    app.add_option(flag, port, what)->check(CLI::Range(1, 65535))->capture_default_str();
  };
  add("--otlp-grpc-port", options.otlp_grpc_port, "OTLP over gRPC");
  add("--otlp-http-port", options.otlp_http_port, "OTLP over HTTP");
  add("--api-port", options.api_port, "/api/v1");
}

}  // namespace

void AddAnalyzerFlags(CLI::App& app, AnalyzerOptions& options) {
  CLI::OptionDefaults& defaults = *app.option_defaults();
  const std::string group = defaults.get_group();
  defaults.group(kGroup);
  app.add_flag("--analyzer", options.is_on,
               "Judge the traces that are sent here, while this replica leads");
  app.add_option("--analyzer-service", options.service,
                 "Service (in the operator's namespace, without selector) by which spans reach the "
                 "replica that leads; empty: none");
  app.add_option("--pod-ip", options.pod_ip, "Address of this replica, for that Service")
      ->envname("POD_IP");
  AddPorts(app, options);
  AddAnalysisFlags(app, options);
  defaults.group(group);
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
  return {.analysis = OptionsOf(options),
          .address = address,
          .otlp_grpc_port = options.otlp_grpc_port,
          .otlp_http_port = options.otlp_http_port,
          .api_port = options.api_port,
          .drain_patience = kDrainPatience};
}

}  // namespace tracekeeper::app
