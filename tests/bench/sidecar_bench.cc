// DEPENDS: tracekeeper::sidecar tracekeeper::net tracekeeper::bed
// SOURCES: process_figures.cc
//
// What the sidecar costs a pod: resident memory at rest, time from start to ready, time from a
// swapped ConfigMap to the new configuration in use, CPU at rest, size on disk. The program is
// bin/tracekeeper-sidecar of the same build, run as a container would run it.

#include <fmt/core.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "src/config/sidecar_config.h"
#include "src/net/transports.h"
#include "tests/bench/process_figures.h"
#include "tests/bench/report.h"
#include "tests/support/free_port.h"
#include "tests/support/process.h"
#include "tests/support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using namespace tracekeeper;
using SteadyClock = std::chrono::steady_clock;

constexpr int kRuns = 7;
constexpr std::chrono::seconds kLimit{20};
constexpr std::chrono::seconds kRest{3};

/// Ends the program with a sentence: a benchmark that cannot measure has no result.
template <typename T>
T Must(Result<T> result) {
  if (result) return *std::move(result);
  fmt::print(stderr, "sidecar_bench: {}\n", result.error().message);
  std::exit(1);
}

double MillisecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

fs::path Program() {
  // <build>/bench/sidecar_bench and <build>/bin/tracekeeper-sidecar
  return fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "bin" /
         "tracekeeper-sidecar";
}

std::string ConfigText(std::int64_t generation) {
  config::SidecarConfig config;
  config.policy = {"shop", "checkout"};
  config.generation = generation;
  static const config::SidecarPorts ports{.otlp_grpc = test_support::FreePort(),
                                          .otlp_http = test_support::FreePort()};
  config.ports = ports;
  config.export_to = config::Export{.endpoint = "https://collector.observability:4317",
                                    .headers = {{"x-scope-orgid", "shop"}}};
  return config::EncodeSidecarConfig(config);
}

/// A mounted ConfigMap: `config.yaml` is replaced by rename, as the kubelet replaces its link.
class Folder {
 public:
  void Publish(std::int64_t generation) const {
    std::ofstream(folder_ / "next") << ConfigText(generation);
    fs::rename(folder_ / "next", folder_ / "config.yaml");
  }
  [[nodiscard]] fs::path operator/(const char* name) const { return folder_ / name; }

 private:
  test_support::TemporaryFolder folder_{"sidecar-bench"};
};

class Sidecar {
 public:
  Sidecar(const Folder& folder, int port)
      : process_(Must(test_support::ChildProcess::Start(
            {.argv = {Program(), "--config", folder / "config.yaml", "--status-address",
                      "127.0.0.1", "--status-port", std::to_string(port)}},
            folder / "log"))),
        transport_(Must(net::MakeBeastTransport(
            {.name = "sidecar", .base_url = fmt::format("http://127.0.0.1:{}", port)}))) {}

  /// Asks until the answer holds `text`.
  void WaitFor(const std::string& target, const std::string& text) {
    const auto end = SteadyClock::now() + kLimit;
    while (SteadyClock::now() < end) {
      const auto answer = transport_->Send({.target = target}, {}, StopToken());
      if (answer && answer->body.find(text) != std::string::npos) return;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    Must<int>(Fail(ErrorKind::kTimeout, "{} never held {}: {}", target, text, process_.ReadLog()));
  }

  [[nodiscard]] double Memory(const char* key) const { return bench::MemoryOf(process_.id(), key); }
  [[nodiscard]] double CpuMilliseconds() const { return bench::CpuSecondsOf(process_.id()) * 1000; }

  void End() { process_.Terminate(); }

 private:
  test_support::ChildProcess process_;
  std::unique_ptr<net::Transport> transport_;
};

struct Samples {
  std::vector<double> ready, reload, rss, anonymous, rest_cpu, drained;
};

void MeasureOnce(int port, Samples& samples) {
  const Folder folder;
  folder.Publish(1);
  const auto start = SteadyClock::now();
  Sidecar sidecar(folder, port);
  sidecar.WaitFor("/readyz", "ready: configuration");
  samples.ready.push_back(MillisecondsSince(start));

  const double cpu_before = sidecar.CpuMilliseconds();
  std::this_thread::sleep_for(kRest);
  samples.rest_cpu.push_back((sidecar.CpuMilliseconds() - cpu_before) /
                             static_cast<double>(kRest.count()));
  samples.rss.push_back(sidecar.Memory("VmRSS"));
  samples.anonymous.push_back(sidecar.Memory("RssAnon"));

  const auto swapped = SteadyClock::now();
  folder.Publish(2);
  sidecar.WaitFor("/status", "\"generation\":2,");
  samples.reload.push_back(MillisecondsSince(swapped));

  const auto asked = SteadyClock::now();
  sidecar.End();
  samples.drained.push_back(MillisecondsSince(asked));
}

}  // namespace

int main() {
  constexpr int kPort = 29465;
  Samples samples;
  for (int run = 0; run < kRuns; ++run) MeasureOnce(kPort, samples);

  bench::Report report("sidecar");
  const auto add = [&](const char* name, const char* metric, const char* unit,
                       std::vector<double> values, std::optional<bench::Goal> goal = {}) {
    report.Add(
        {.name = name, .metric = metric, .unit = unit, .samples = std::move(values), .goal = goal});
  };
  add("idle", "rss", "bytes", samples.rss, bench::AtMost(8.0 * (1U << 20U)));
  add("idle", "rss_anonymous", "bytes", samples.anonymous);
  add("idle", "cpu_per_second", "ms", samples.rest_cpu);
  add("start", "start_to_ready", "ms", samples.ready, bench::AtMost(50));
  add("reload", "swap_to_in_use", "ms", samples.reload);
  add("stop", "sigterm_to_end", "ms", samples.drained);
  add("program", "size", "bytes", {static_cast<double>(fs::file_size(Program()))});
  return report.Write();
}
