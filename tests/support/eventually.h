#pragma once
// Eventually waits for something in another process: the only wait in tests that is not a Clock's.
//
// Threads:  any.

#include <chrono>
#include <functional>
#include <thread>

namespace tracekeeper::test_support {

/// True as soon as `condition` is, false if it is not within `limit`.
inline bool Eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace tracekeeper::test_support
