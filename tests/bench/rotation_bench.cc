// Rotation in simulated time: objects that live through a thousand periods of 72 h with crashes,
// leaders that overlap, a sealed Vault and a wall clock that jumps (rotation_world.h). What must
// never happen is counted; the time that it takes says what a rotation costs.
//
// $ROTATION_OBJECTS and $ROTATION_CYCLES make it shorter.
//
// DEPENDS: tracekeeper::operator_controllers
// SOURCES: ../operator/controllers/rotation_world.cc
// ../operator/controllers/rotation_world_ports.cc

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/bench/report.h"
#include "tests/operator/controllers/rotation_world.h"

namespace tracekeeper::bench {
namespace {

constexpr int kObjects = 200;
constexpr int kCycles = 1000;
constexpr unsigned kThreads = 2;

int FromEnvironment(const char* name, int fallback) {
  const char* text = std::getenv(name);
  if (text == nullptr) return fallback;
  int value = fallback;
  std::from_chars(text, text + std::strlen(text), value);
  return value;
}

struct Totals {
  double rotations = 0;
  double crashes = 0;
  double overlaps = 0;
  double violations = 0;
  double broken_audits = 0;
};

Totals Live(std::uint64_t seed, int cycles) {
  controllers::RotationWorld world(controllers::TroubledWorld(seed));
  world.RunFor(std::chrono::hours(72) * cycles);
  for (const std::string& violation : world.violations()) {
    std::fprintf(stderr, "object %llu: %s\n", static_cast<unsigned long long>(seed),
                 violation.c_str());
  }
  return {static_cast<double>(world.retired()), static_cast<double>(world.crashes()),
          static_cast<double>(world.hangs()), static_cast<double>(world.violations().size()),
          world.CheckAudit().fault ? 1.0 : 0.0};
}

void Simulate(Report& report) {
  const int objects = FromEnvironment("ROTATION_OBJECTS", kObjects);
  const int cycles = FromEnvironment("ROTATION_CYCLES", kCycles);
  Totals totals;
  std::mutex mutex;
  std::atomic<int> taken = 0;
  const auto begin = std::chrono::steady_clock::now();
  const auto work = [&] {
    for (int object = taken++; object < objects; object = taken++) {
      const Totals one = Live(1001 + static_cast<std::uint64_t>(object), cycles);
      const std::scoped_lock lock(mutex);
      totals.rotations += one.rotations;
      totals.crashes += one.crashes;
      totals.overlaps += one.overlaps;
      totals.violations += one.violations;
      totals.broken_audits += one.broken_audits;
      if ((object + 1) % 10 == 0) std::fprintf(stderr, "%d of %d objects\n", object + 1, objects);
    }
  };
  std::vector<std::jthread> threads;
  for (unsigned i = 1; i < kThreads; ++i) threads.emplace_back(work);
  work();
  threads.clear();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;

  const std::string name =
      std::to_string(objects) + "_objects_" + std::to_string(cycles) + "_cycles";
  report.Add({.name = name,
              .metric = "rotations",
              .unit = "1",
              .samples = {totals.rotations},
              .better = Better::kHigher,
              .goal = AtLeast(0.9 * objects * cycles)});
  report.Add({.name = name, .metric = "crashes", .unit = "1", .samples = {totals.crashes}});
  report.Add(
      {.name = name, .metric = "leaders_that_overlap", .unit = "1", .samples = {totals.overlaps}});
  report.Add({.name = name,
              .metric = "invalid_instants_late_early_or_double",
              .unit = "1",
              .samples = {totals.violations},
              .goal = AtMost(0)});
  report.Add({.name = name,
              .metric = "broken_audits",
              .unit = "1",
              .samples = {totals.broken_audits},
              .goal = AtMost(0)});
  report.Add({.name = name, .metric = "took", .unit = "s", .samples = {took.count()}});
}

}  // namespace
}  // namespace tracekeeper::bench

int main() {
  tracekeeper::bench::Report report("rotation");
  tracekeeper::bench::Simulate(report);
  return report.Write();
}
