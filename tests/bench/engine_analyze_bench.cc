// DEPENDS: tracekeeper::simulation tracekeeper::truth tracekeeper::bed
// SOURCES: trace_corpus.cc
//
// `tracekeeper analyze` on a file, from its start to its end: spans per second of its CPU time, and
// what twice the spans cost.
//
//   analyze_clean    traces of eight spans that are whole
//   analyze_broken   the simulated shop, each of its faults in 2 % of the places where it can
//   strike
//
// Growth is the CPU time of twice the spans over that of once; 2 is linear.

#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/bench/report.h"
#include "tests/bench/trace_corpus.h"
#include "tests/support/process.h"
#include "tests/support/temporary_folder.h"
#include "tests/truth/simulation.h"

namespace tracekeeper::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kLimit{300};

struct File {
  std::string path;
  double spans = 0;
};

double SecondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}
double CpuSecondsOfChildren() {
  rusage usage = {};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  return SecondsOf(usage.ru_utime) + SecondsOf(usage.ru_stime);
}

/// Requests one behind the other are one request.
File WriteClean(const std::string& path, std::size_t traces) {
  const TraceCorpus corpus(traces, traces * 8, 1);
  std::ofstream file(path, std::ios::binary);
  for (const std::string& request : corpus.requests()) file << request;
  return {path, static_cast<double>(corpus.spans())};
}

File WriteBroken(const std::string& path, std::chrono::seconds duration) {
  truth::SimulationOptions options;
  options.duration = duration;
  options.requests_per_second = 50;
  for (const truth::Fault fault : truth::AllFaults()) options.faults[fault] = 0.02;
  const truth::Simulated simulated = truth::Simulate(options);
  std::ofstream(path, std::ios::binary) << truth::TracesRequest(simulated.spans);
  return {path, static_cast<double>(simulated.spans.size())};
}

/// CPU seconds of one `tracekeeper analyze`.
double Analyze(const File& file) {
  // <build>/bench/engine_analyze_bench and <build>/bin/tracekeeper
  static const fs::path program =
      fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "bin" / "tracekeeper";
  const double before = CpuSecondsOfChildren();
  const auto done = test_support::RunProcess(
      {.argv = {program, "analyze", "--output", "json", "--traces", "none", file.path}}, {},
      kLimit);
  if (!done || !done->ok()) {
    fmt::print(stderr, "engine_analyze_bench: {}\n", done ? done->err : done.error().message);
    std::exit(1);
  }
  return CpuSecondsOfChildren() - before;
}

void Measure(Report& report, const std::string& name, const File& once, const File& twice,
             int runs) {
  std::vector<double> speed;
  std::vector<double> growth;
  for (int run = 0; run < runs; ++run) {
    const double seconds = Analyze(once);
    const double seconds_twice = Analyze(twice);
    speed.push_back(twice.spans / seconds_twice);
    // Two files of random traffic are not quite once and twice.
    growth.push_back(seconds_twice / seconds * (2 * once.spans / twice.spans));
  }
  report.Add({.name = name,
              .metric = "spans_per_cpu_second",
              .unit = "1/s",
              .samples = speed,
              .better = Better::kHigher});
  report.Add({.name = name,
              .metric = "cpu_of_twice_the_spans",
              .unit = "x",
              .samples = growth,
              .goal = AtMost(2.1)});
}

}  // namespace
}  // namespace tracekeeper::bench

int main(int argc, char** argv) {
  using namespace tracekeeper::bench;
  const bool is_quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  const int runs = is_quick ? 3 : 7;
  const tracekeeper::test_support::TemporaryFolder folder("engine-analyze-bench");
  Report report("engine");
  constexpr std::size_t kTraces = 65'536;
  Measure(report, "analyze_clean", WriteClean(folder / "clean", kTraces),
          WriteClean(folder / "clean-twice", 2 * kTraces), runs);
  constexpr std::chrono::seconds kDuration{250};
  Measure(report, "analyze_broken", WriteBroken(folder / "broken", kDuration),
          WriteBroken(folder / "broken-twice", 2 * kDuration), runs);
  return report.Write();
}
