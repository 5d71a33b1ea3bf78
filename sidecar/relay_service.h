#pragma once
// RelayService is the relay as the configuration wants it: receivers on their ports, one
// otlp::Relay behind them, an exporter that is replaced when `export` changes.
//
// Threads:  Apply from the configuration's thread, Report from any, Drain from main's.
// Owner:    Wiring; clock and log outlive it.
// Failure:  what cannot be applied (a port that is taken) is in Report() and in the log; the rest
// of
//           the configuration is in use all the same.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sidecar/credential_file.h"
#include "sidecar/export_target.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/config/sidecar_config.h"
#include "src/net/server.h"
#include "src/otlp/grpc_receiver.h"
#include "src/otlp/http_receiver.h"
#include "src/otlp/relay.h"

namespace tracekeeper::sidecar {

struct Listening {
  std::string protocol;  // "grpc", "http"
  std::uint16_t port = 0;
  std::string problem;  // empty while it listens
};

struct RelayStatus {
  bool configured = false;
  std::vector<Listening> listeners;
  std::string problem;  // why the configured exporter is not in use
  otlp::RelayReport relay;
  std::optional<CredentialReport> credential;
};

class RelayService {
 public:
  RelayService(const Clock& clock, const Logger& log);

  void Apply(const config::SidecarConfig& config);
  /// Takes nothing more and delivers what is there, within `patience`.
  void Drain(Duration patience);

  [[nodiscard]] RelayStatus Report() const;
  [[nodiscard]] const otlp::RelayCounters& counters() const { return relay_.counters(); }

 private:
  struct Listener {
    std::uint16_t port = 0;
    std::string problem;
    std::unique_ptr<net::Server> server;  // null while it cannot listen
  };

  void ApplyExport(const config::SidecarConfig& config);
  void ApplyListener(Listener& listener, std::int64_t port,
                     std::unique_ptr<net::Server> (RelayService::*make)(std::uint16_t));
  std::unique_ptr<net::Server> MakeGrpc(std::uint16_t port);
  std::unique_ptr<net::Server> MakeHttp(std::uint16_t port);

  const Clock& clock_;
  const Logger log_;
  otlp::Relay relay_;
  otlp::GrpcReceiver grpc_receiver_;
  otlp::HttpReceiver http_receiver_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  bool configured_ = false;
  bool draining_ = false;
  std::optional<config::Export> export_;
  ExportTarget target_;
  std::string problem_;
  Listener grpc_;
  Listener http_;
};

}  // namespace tracekeeper::sidecar
