#pragma once
// AnalysisServer is an Analysis with its doors: OTLP over gRPC and HTTP in, /api/v1 out. Metrics go
// out by the port of the program around it.
//
//   AnalysisServer server({.address = "::"}, rules, clock, log);
//   TRY(server.Start());
//   ...
//   server.Drain();
//
// Threads:  Start, Drain and the destructor from the owner's thread; UseRules, UsePods,
//           TakeSnapshot and WriteMetrics from any, once it was started.
// Owner:    the program's wiring; clock and log outlive it.
// Failure:  Start says which port cannot be had. Drain ends within `drain_patience` for each door
//           and the time that it takes to judge what is pending.

#include <cstdint>
#include <memory>
#include <string>

#include "src/analysis/analysis.h"
#include "src/analysis/api.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/result.h"
#include "src/ingest/grpc_server.h"
#include "src/net/server.h"
#include "src/otlp/http_receiver.h"
#include "src/telemetry/exposition.h"

namespace tracekeeper::crypto {
class ServerTlsSource;
}  // namespace tracekeeper::crypto

namespace tracekeeper::analysis {

struct AnalysisServerOptions {
  /// A key of 0 is replaced by a random one. What would find no room in the queue is not held
  /// while it arrives either: a request may be as large as the queue, at most kBulkLimits; as much
  /// may be arriving over HTTP at a time, and over gRPC, with its own buffers, twice as much.
  AnalysisOptions analysis;
  std::string address = "::";
  // 0 takes a free one.
  std::uint16_t otlp_grpc_port = 4317;
  std::uint16_t otlp_http_port = 4318;
  std::uint16_t api_port = 8085;
  /// Of both OTLP doors; null: without TLS. It must hold a certificate at Start, and may be
  /// swapped.
  std::shared_ptr<crypto::ServerTlsSource> tls = {};
  /// How long requests under way may take when it ends.
  Duration drain_patience = std::chrono::seconds(10);
};

class AnalysisServer {
 public:
  AnalysisServer(const AnalysisServerOptions& options, continuity::PolicyRules rules,
                 const Clock& clock, const Logger& log);

  Status Start();
  /// Takes nothing more and judges what is pending. The API answers until that is done.
  void Drain();

  void UseRules(continuity::PolicyRules rules) { analysis_.UseRules(std::move(rules)); }
  void UsePods(std::shared_ptr<const continuity::PodPolicies> pods) {
    analysis_.UsePods(std::move(pods));
  }
  [[nodiscard]] std::shared_ptr<const Snapshot> TakeSnapshot() { return analysis_.TakeSnapshot(); }
  void WriteMetrics(telemetry::Exposition& text);

  struct Ports {
    std::uint16_t otlp_grpc = 0;
    std::uint16_t otlp_http = 0;
    std::uint16_t api = 0;
  };
  /// Valid after Start.
  [[nodiscard]] Ports ports() const;

 private:
  const Duration drain_patience_;
  const Logger log_;
  Analysis analysis_;
  Api api_;
  otlp::HttpReceiver receiver_;
  std::unique_ptr<net::Server> api_server_;
  std::unique_ptr<net::Server> http_server_;
  ingest::GrpcServer grpc_server_;
};

}  // namespace tracekeeper::analysis
