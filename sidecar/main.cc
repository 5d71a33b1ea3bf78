// tracekeeper-sidecar: relays its pod's telemetry as the configuration says, drains on SIGTERM.

#include <fmt/core.h>
#include <malloc.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <variant>

#include "sidecar/options.h"
#include "sidecar/wiring.h"
#include "src/base/version.h"
#include "src/crypto/core_dumps.h"

namespace {

using tracekeeper::Log;
using tracekeeper::Logger;
using tracekeeper::LogLevel;
namespace sidecar = tracekeeper::sidecar;

/// Blocks the signals that WaitForEnd takes, in this thread and all that it starts.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

/// Waits for SIGTERM or SIGINT; SIGHUP reads the configuration and goes on waiting.
int WaitForEnd(const sigset_t& signals, sidecar::Wiring& wiring) {
  while (true) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (number != SIGHUP) return number;
    wiring.ReadNow();
  }
}

int Run(const sidecar::Options& options) {
  const sigset_t signals = BlockSignals();
  Log log(options.log_level.value_or(LogLevel::kInfo));
  const Logger logger(log);
  const tracekeeper::SystemClock clock;
  sidecar::Wiring wiring(options, clock, log);
  if (const auto started = wiring.Start(); !started) {
    logger.Error("Could not start", {{"error", started.error()}});
    return 1;
  }
  logger.Info("Started; proxies no requests yet", {{"version", tracekeeper::kVersion},
                                                   {"status_port", wiring.status_port()},
                                                   {"config", options.config_file}});

  const int number = WaitForEnd(signals, wiring);
  logger.Info("Draining", {{"signal", number == SIGTERM ? "SIGTERM" : "SIGINT"}});
  // A second signal now ends the process at once.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  wiring.Drain();
  logger.Info("Stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  // One arena: a handful of threads that allocate little should not hold megabytes each.
  mallopt(M_ARENA_MAX, 1);
  // Batches are large and short-lived: from the heap they are the same pages again and again,
  // where fresh mappings cost a page fault for each 4 KiB. Idle senders give it back.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  const auto parsed = sidecar::ParseOptions(argc, argv);
  if (const auto* exit = std::get_if<sidecar::Exit>(&parsed)) {
    std::fputs(exit->output.c_str(), exit->code == 0 ? stdout : stderr);
    return exit->code;
  }
  if (const auto forbidden = tracekeeper::crypto::ForbidCoreDumps(); !forbidden) {
    std::fputs(("tracekeeper-sidecar: " + forbidden.error().message + "\n").c_str(), stderr);
    return 1;
  }
  return Run(std::get<sidecar::Options>(parsed));
}
