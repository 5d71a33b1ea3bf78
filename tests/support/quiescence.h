#pragma once
// Whether every other thread of this process sleeps: all have done what the test's last step made
// them do. A thread that is ready but was given no processor yet does not count as asleep, so tests
// that step a ManualClock do not depend on how busy the machine is.
//
// Threads:  any; what other threads do right after is theirs.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "tests/support/manual_clock.h"

namespace tracekeeper::test_support {

inline bool OthersSleep() {
  const std::string self = std::to_string(gettid());
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    if (task.path().filename() == self) continue;
    std::ifstream file(task.path() / "stat");
    std::string stat;
    std::getline(file, stat);
    const std::size_t command_end = stat.rfind(')');
    const bool sleeps = command_end == std::string::npos || stat[command_end + 2] == 'S';
    if (!sleeps) return false;
  }
  return true;
}

/// Moves the clock, then waits until nobody has anything left to do at the new time.
inline void StepClock(ManualClock& clock, Duration by) {
  using namespace std::chrono_literals;
  clock.Advance(by);
  const auto limit = std::chrono::steady_clock::now() + 5s;
  const auto settled = [&] {
    const auto next = clock.next_deadline();
    return (!next || *next > clock.Monotonic()) && OthersSleep() && OthersSleep();
  };
  auto pause = 50us;
  while (!settled() && std::chrono::steady_clock::now() < limit) {
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds(2000));
  }
}

}  // namespace tracekeeper::test_support
