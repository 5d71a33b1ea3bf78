#pragma once
// GrpcServer takes OTLP over gRPC in bulk: the Export method of the three services for programs
// that take the telemetry of many pods. The sidecar, which must stay small, answers the same calls
// on our own HTTP/2 server (src/otlp/grpc_receiver.h).
//
//   a call:  kAwaited -> kReading -> intake -> kAnswering -> over
//            too many calls -> RESOURCE_EXHAUSTED with RetryInfo, before its message is read
//            too slow -> cancelled
//
// Messages come as bytes, plain, gzip or zstd, and go to the intake without being parsed or, where
// gRPC holds them in one piece, copied. gRPC's own decompression is off: it knows no limit.
//
// Threads:  Start, Drain and Stop from the owner's thread. The intake is called from
//           GrpcServerOptions::threads threads of the server's own.
// Owner:    the program's wiring; intake and log outlive it.
// Failure:  Start says what is wrong with address, port or certificate. A peer gets a status for
//           whatever it sends, as in src/otlp/grpc_export.h.

#include <cstdint>
#include <memory>
#include <string>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/result.h"
#include "src/otlp/intake.h"
#include "src/otlp/receiver_limits.h"

namespace tracekeeper::crypto {
class ServerTlsSource;
}  // namespace tracekeeper::crypto

namespace tracekeeper::ingest {

struct GrpcServerOptions {
  std::string name = "otlp-grpc";     // in logs and errors
  std::string address = "127.0.0.1";  // "::" listens on IPv6 and IPv4
  std::uint16_t port = 0;             // 0 takes a free one
  /// That read calls and call the intake. More than one helps only where the intake is slow.
  unsigned threads = 1;
  otlp::ReceiverLimits limits = otlp::kBulkLimits;
  /// Of messages that are arriving, over all connections; whoever sends beyond is cut off.
  std::size_t memory_bytes = 512U << 20U;
  /// At the same time, over all connections.
  std::size_t calls = 256;
  /// From the beginning of a call to its end.
  Duration call_deadline = std::chrono::seconds(30);
  /// Null: without TLS. Otherwise it must hold a certificate when the server starts, and every new
  /// connection is shown what it holds then. Whether clients are asked for theirs stays as it is.
  std::shared_ptr<crypto::ServerTlsSource> tls;
};

class GrpcServer {
 public:
  GrpcServer(GrpcServerOptions options, otlp::Intake& intake, const Logger& log);
  ~GrpcServer();  // stops
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  Status Start();
  /// Stops listening, tells peers to go elsewhere, answers the calls under way, and cancels those
  /// that are not over after `patience`. Waits for the intake in any case. It cannot start again.
  void Drain(Duration patience);
  void Stop() { Drain(Duration::zero()); }

  /// The port listened on; valid after Start.
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::size_t open_calls() const;

 private:
  class Running;

  const GrpcServerOptions options_;
  otlp::Intake& intake_;
  const Logger log_;
  std::unique_ptr<Running> running_;  // null before Start
};

}  // namespace tracekeeper::ingest
