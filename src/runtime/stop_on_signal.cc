#include "src/runtime/stop_on_signal.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>

namespace tracekeeper::runtime {
namespace {

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// Waits for signals on `signals` until something is written to `end`.
void WaitForSignals(int signals, int end, std::stop_source& source) {
  std::array<pollfd, 2> waits{{{signals, POLLIN, 0}, {end, POLLIN, 0}}};
  while (true) {
    if (poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) return;
    if ((waits[1].revents & POLLIN) != 0) return;
    if ((waits[0].revents & POLLIN) == 0) continue;
    signalfd_siginfo info{};
    if (read(signals, &info, sizeof info) != sizeof info) continue;
    if (source.stop_requested()) _exit(1);
    source.request_stop();
  }
}

}  // namespace

StopOnSignal::StopOnSignal() {
  const sigset_t signals = StopSignals();
  // Blocked in this thread and all that it makes, so that they arrive at the descriptor alone.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signals_ = signalfd(-1, &signals, SFD_CLOEXEC);
  end_ = eventfd(0, EFD_CLOEXEC);
  if (signals_ < 0 || end_ < 0) {
    throw std::system_error(errno, std::generic_category(), "wait for signals");
  }
  thread_ = std::thread([this] { WaitForSignals(signals_, end_, source_); });
}

StopOnSignal::~StopOnSignal() {
  const std::uint64_t one = 1;
  // A write to an eventfd of ours cannot fail; if it did, waiting for the thread would hang.
  if (write(end_, &one, sizeof one) == sizeof one) {
    thread_.join();
  } else {
    thread_.detach();
  }
  close(signals_);
  close(end_);
}

}  // namespace tracekeeper::runtime
