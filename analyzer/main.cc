// tracekeeper-analyzer: judges the traces that it is sent, drains on SIGTERM.

#include <csignal>
#include <cstdio>
#include <string>
#include <variant>
#include <vector>

#include "analyzer/options.h"
#include "analyzer/wiring.h"

namespace {

using tracekeeper::Log;
using tracekeeper::Logger;
namespace analyzer = tracekeeper::analyzer;

/// Blocks the signals that WaitForEnd takes, in this thread and all that it starts.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

/// Waits for SIGTERM or SIGINT; SIGHUP reads the files and goes on waiting.
int WaitForEnd(const sigset_t& signals, analyzer::Wiring& wiring) {
  while (true) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (number != SIGHUP) return number;
    wiring.ReadNow();
  }
}

int Run(const analyzer::CommandLine& command_line) {
  const sigset_t signals = BlockSignals();
  Log log(*tracekeeper::ParseLogLevel(command_line.options.log_level));
  const Logger logger(log);
  const tracekeeper::SystemClock clock;
  const auto wiring = analyzer::Wiring::Make(command_line, clock, log);
  const auto started = wiring ? (*wiring)->Start() : tl::unexpected(wiring.error());
  if (!started) {
    logger.Error("Could not start", {{"error", started.error()}});
    return 1;
  }
  const int number = WaitForEnd(signals, **wiring);
  logger.Info("Draining", {{"signal", number == SIGTERM ? "SIGTERM" : "SIGINT"}});
  // A second signal now ends the process at once.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  (*wiring)->Drain();
  logger.Info("Stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = analyzer::ParseOptions({argv + 1, argv + argc});
  if (const auto* exit = std::get_if<analyzer::Exit>(&parsed)) {
    std::fputs(exit->output.c_str(), exit->code == 0 ? stdout : stderr);
    return exit->code;
  }
  return Run(std::get<analyzer::CommandLine>(parsed));
}
