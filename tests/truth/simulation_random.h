#pragma once
// Random numbers of the simulation. The distributions are its own, in whole numbers: those of the
// standard library differ between platforms.
//
// Threads:  one thread each.

#include <cstdint>
#include <random>

namespace tracekeeper::truth {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t Next() { return engine_(); }
  /// 0 to bound - 1; 0 where bound is 0.
  std::uint64_t Below(std::uint64_t bound) { return bound == 0 ? 0 : engine_() % bound; }
  /// Both ends included.
  std::uint64_t Between(std::uint64_t low, std::uint64_t high) {
    return low + Below(high - low + 1);
  }
  /// Mostly near `low`, seldom near `high`: how long things take.
  std::uint64_t Skewed(std::uint64_t low, std::uint64_t high) {
    const std::uint64_t share = Below(kOne);
    const std::uint64_t cubed = ((share * share / kOne) * share) / kOne;
    return low + ((high - low) * cubed) / kOne;
  }
  bool Chance(double probability) {
    constexpr std::uint64_t kSteps = std::uint64_t{1} << 53U;
    return static_cast<double>(engine_() % kSteps) < probability * static_cast<double>(kSteps);
  }

 private:
  static constexpr std::uint64_t kOne = 1U << 16U;

  std::mt19937_64 engine_;
};

}  // namespace tracekeeper::truth
