#pragma once
// Wiring builds the sidecar's parts in order and ends them in reverse. main owns it.
//
// Threads:  Start, ReadNow and Drain from main's thread.
// Failure:  Start fails with a sentence when the status port cannot be had.

#include <atomic>
#include <memory>

#include "sidecar/config_watcher.h"
#include "sidecar/options.h"
#include "sidecar/relay_service.h"
#include "sidecar/status.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/net/server.h"

namespace tracekeeper::sidecar {

class Wiring {
 public:
  Wiring(Options options, const Clock& clock, Log& log);

  Status Start();
  /// Reads the configuration file now, for SIGHUP.
  void ReadNow() { watcher_.ReadNow(); }
  /// Takes nothing more, delivers what is queued within the drain's deadline, closes the ports.
  void Drain();
  [[nodiscard]] std::uint16_t status_port() const { return server_->port(); }

 private:
  [[nodiscard]] ProgramState Observe() const;

  const Options options_;
  const Clock& clock_;
  Log& log_;
  const Instant started_;
  const MonotonicTime started_monotonic_;
  std::atomic<bool> draining_ = false;
  RelayService relay_;  // before the watcher, which applies to it
  ConfigWatcher watcher_;
  StatusPages pages_;
  std::unique_ptr<net::Server> server_;
};

}  // namespace tracekeeper::sidecar
