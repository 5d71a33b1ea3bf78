#pragma once
// Wiring builds the analyzer's parts in order and ends them in reverse. main owns it.
//
//   gRPC 4317, HTTP 4318 -> AnalysisServer -> /metrics 9464, /api/v1 8085
//   policies: LiveFiles, or with Options::kubernetes ClusterPolicies -> AnalysisServer
//
// Threads:  Make, Start, ReadNow and Drain from main's thread.
// Failure:  Make where a file of policies, of TLS or a kubeconfig cannot be used, Start where a
// port cannot be had.

#include <atomic>
#include <memory>

#include "analyzer/cluster_policies.h"
#include "analyzer/live_files.h"
#include "analyzer/options.h"
#include "src/analysis/analysis_server.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/crypto/server_tls_files.h"
#include "src/net/server.h"
#include "src/telemetry/process_metrics.h"
#include "src/telemetry/prometheus_metrics.h"

namespace tracekeeper::analyzer {

class Wiring {
 public:
  static Result<std::unique_ptr<Wiring>> Make(const CommandLine& command_line, const Clock& clock,
                                              Log& log);

  Status Start();
  /// Reads the configuration, policies and certificates of files now, for SIGHUP.
  void ReadNow() { files_.ReadNow(); }
  /// Takes nothing more, judges what is pending, and closes the ports: of what it knows the last.
  void Drain();

 private:
  /// What can fail, made before the rest.
  struct Made {
    ReadPolicies policies;
    std::unique_ptr<ClusterPolicies> cluster;     // null: policies of files
    std::unique_ptr<crypto::ServerTlsFiles> tls;  // null: without TLS
  };
  Wiring(const CommandLine& command_line, Made made, const Clock& clock, Log& log);
  net::Response HandleMetrics(const net::Request& request);

  const Options options_;
  const std::size_t policies_;
  const Logger log_;
  telemetry::PrometheusMetrics metrics_;
  telemetry::ProcessMetrics process_;
  const std::unique_ptr<crypto::ServerTlsFiles> tls_;
  analysis::AnalysisServer analysis_;
  LiveFiles files_;
  const std::unique_ptr<ClusterPolicies> cluster_;
  std::atomic<bool> is_draining_ = false;
  std::unique_ptr<net::Server> metrics_server_;
};

}  // namespace tracekeeper::analyzer
