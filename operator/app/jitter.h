#pragma once
// Jitter spreads what would else come at once: a number of its own in [0, 1) at each call.
//
// Threads:  safe from any thread.

#include <mutex>
#include <random>

namespace tracekeeper::app {

class Jitter {
 public:
  double operator()() {
    const std::scoped_lock lock(mutex_);
    return std::uniform_real_distribution<double>(0, 1)(engine_);
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_{std::random_device{}()};
};

}  // namespace tracekeeper::app
