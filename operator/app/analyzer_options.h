#pragma once
// Options of the analyzer inside of the operator: those of tracekeeper-analyzer
// (docs/reference/analyzer.md), but for what an operator has anyway.
//
// Threads:  a value, made once in main.
// Failure:  CheckAnalyzer gives a sentence; empty where all fits together.

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "src/analysis/analysis_server.h"
#include "src/analysis/analysis_settings.h"

namespace CLI {
class App;
}

namespace tracekeeper::app {

struct AnalyzerOptions : analysis::AnalysisSettings {
  bool is_on = false;
  std::uint16_t otlp_grpc_port = 4317;
  std::uint16_t otlp_http_port = 4318;
  std::uint16_t api_port = 8085;
  /// Service (in the operator's namespace, without selector) by which senders reach the replica
  /// that leads. Empty: none, as for an operator outside of the cluster.
  std::string service;
  /// Where that Service leads to.
  std::string pod_ip;
};

void AddAnalyzerFlags(CLI::App& app, AnalyzerOptions& options);

/// `other_ports`: flags and ports that are taken already.
std::string CheckAnalyzer(const AnalyzerOptions& options,
                          std::span<const std::pair<const char*, std::uint16_t>> other_ports);

analysis::AnalysisServerOptions ServerOptionsOf(const AnalyzerOptions& options,
                                                const std::string& address);

}  // namespace tracekeeper::app
