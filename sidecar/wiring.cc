#include "sidecar/wiring.h"

#include "src/base/version.h"

namespace tracekeeper::sidecar {
namespace {

net::ServerOptions StatusServer(const Options& options) {
  net::ServerOptions server;
  server.name = "status";
  server.address = options.status_address;
  server.port = options.status_port;
  server.limits.drain_deadline = options.drain_deadline;
  // Probes and scrapers only: small requests, few connections, little memory in every pod.
  server.limits.header_bytes = 4U << 10U;
  server.limits.body_bytes = 0;
  server.limits.connections = 32;
  return server;
}

LogLevel LevelOf(config::Verbosity verbosity) {
  switch (verbosity) {
    case config::Verbosity::kDebug:
      return LogLevel::kDebug;
    case config::Verbosity::kInfo:
      return LogLevel::kInfo;
    case config::Verbosity::kWarn:
      return LogLevel::kWarn;
    case config::Verbosity::kError:
      return LogLevel::kError;
  }
  return LogLevel::kInfo;
}

}  // namespace

Wiring::Wiring(Options options, const Clock& clock, Log& log)
    : options_(std::move(options)),
      clock_(clock),
      log_(log),
      started_(clock.Now()),
      started_monotonic_(clock.Monotonic()),
      relay_(clock, Logger(log)),
      watcher_({options_.config_file, options_.poll_interval}, clock, Logger(log),
               [this](const config::SidecarConfig& config) {
                 if (!options_.log_level) log_.set_level(LevelOf(config.log_level));
                 relay_.Apply(config);
               }),
      pages_([this] { return Observe(); }),
      server_(net::MakeBeastServer(
          StatusServer(options_),
          [this](const net::Request& request) { return pages_.Handle(request); }, Logger(log))) {}

Status Wiring::Start() {
  // The port first: without it nobody could see why the configuration is not taken.
  TRY(server_->Start());
  watcher_.Start();
  return {};
}

void Wiring::Drain() {
  draining_ = true;
  relay_.Drain(options_.drain_deadline);
  server_->Stop();
}

ProgramState Wiring::Observe() const {
  return {.version = std::string(kVersion),
          .started = started_,
          .now = clock_.Now(),
          .uptime = clock_.Monotonic() - started_monotonic_,
          .draining = draining_,
          .config = watcher_.Report(),
          .relay = relay_.Report(),
          .counters = &relay_.counters()};
}

}  // namespace tracekeeper::sidecar
