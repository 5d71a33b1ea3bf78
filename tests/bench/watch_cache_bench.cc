// DEPENDS: tracekeeper::runtime tracekeeper::bed
// SOURCES: pod_source.cc
//
// What a cache of 10,000 pods costs: time to fill it, what it keeps, and the most that the process
// ever had in memory, a relist in which every pod changed included. Each run is a process of its
// own (`--child`), so that one run's memory is not the next one's. The peer is a client-go informer
// (tools/bench_peers/informer) on the same API server, which keeps whole pods and reads protobuf.

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "src/kube/connect.h"
#include "src/kube/document.h"
#include "src/runtime/informer.h"
#include "src/runtime/pod_store.h"
#include "tests/bench/pod_source.h"
#include "tests/bench/report.h"
#include "tests/support/bed.h"
#include "tests/support/folders.h"
#include "tests/support/process.h"

namespace tracekeeper::bench {
namespace {

using Time = std::chrono::steady_clock;

constexpr int kPods = 10'000;
constexpr int kRuns = 5;
constexpr double kMiB = 1024.0 * 1024.0;

[[noreturn]] void Stop(const std::string& why) {
  std::fprintf(stderr, "watch_cache_bench: %s\n", why.c_str());
  std::exit(1);
}

template <typename T>
T Must(Result<T> result) {
  if (!result) Stop(result.error().message);
  return *std::move(result);
}

double Seconds(Time::duration duration) { return std::chrono::duration<double>(duration).count(); }

std::size_t LiveBytes() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

struct Figures {
  double seconds = 0;
  double cpu_seconds = 0;
  double retained = 0;
  double resident = 0;
  double peak = 0;
};

// --- The child: one cache, filled once, and once more where the source can be told to
// --------------

Figures Fill(kube::Client& client, runtime::WatchListMode mode, PodSource* source) {
  const SystemClock clock;
  Log log(LogLevel::kError);
  Figures figures;
  const std::size_t before = LiveBytes();
  const double cpu = ProcessCpuSeconds();
  const auto start = Time::now();
  runtime::Informer<runtime::Pod> pods({.resource = kube::kPods, .watch_list = mode},
                                       runtime::PodProjection({"tracekeeper.dev/injected"}), client,
                                       clock, Logger(log));
  runtime::AddPodIndexes(pods.store());
  if (!pods.Start() || !pods.WaitUntilReady(StopToken())) Stop("the cache did not sync");
  figures.seconds = Seconds(Time::now() - start);
  figures.cpu_seconds = ProcessCpuSeconds() - cpu;
  if (source != nullptr) {
    while (!source->has_watch()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    source->ExpireWatch();
    while (pods.status().syncs < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (pods.store().size() != kPods) {
    Stop(fmt::format("the cache has {} pods", pods.store().size()));
  }
  figures.retained = static_cast<double>(LiveBytes() - before);
  figures.resident = static_cast<double>(ResidentBytes());
  figures.peak = static_cast<double>(PeakResidentBytes());
  return figures;
}

int Child(std::string_view scenario, const std::string& kubeconfig) {
  const SystemClock clock;
  Figures figures;
  if (scenario == "cluster") {
    Log log(LogLevel::kError);
    const auto config = Must(kube::LoadConfig({.kubeconfig_flag = kubeconfig}));
    const auto connection = Must(kube::Connection::Make(config, {}, kube::UnaryAdapter::kBeast,
                                                        clock, NoMetrics(), Logger(log)));
    figures = Fill(connection->client(), runtime::WatchListMode::kAuto, nullptr);
  } else {
    PodSource source(kPods);
    source.SetWatchList(scenario == "watch_list");
    kube::Client client({}, source, source, nullptr, clock, NoMetrics());
    figures = Fill(
        client,
        scenario == "watch_list" ? runtime::WatchListMode::kAuto : runtime::WatchListMode::kOff,
        &source);
  }
  fmt::print(R"({{"seconds":{},"cpu_seconds":{},"retained_bytes":{},"rss_bytes":{},)"
             R"("peak_rss_bytes":{}}})",
             figures.seconds, figures.cpu_seconds, figures.retained, figures.resident,
             figures.peak);
  return 0;
}

// --- The parent: runs, rows, the real cluster
// -------------------------------------------------------

Figures RunProgram(const test_support::Command& command) {
  const auto done = Must(test_support::RunProcess(command, {}, std::chrono::minutes(10)));
  if (!done.ok()) Stop(fmt::format("{}: {}", command.argv.front(), done.err));
  const kube::Document document = Must(kube::Document::Parse(done.out));
  const auto number = [&](std::string_view key) { return document[key].Double().value_or(0); };
  return {number("seconds"), number("cpu_seconds"), number("retained_bytes"), number("rss_bytes"),
          number("peak_rss_bytes")};
}

std::vector<Figures> RunChild(const std::string& scenario, const std::string& kubeconfig = {}) {
  std::vector<Figures> runs;
  runs.reserve(kRuns);
  for (int run = 0; run < kRuns; ++run) {
    runs.push_back(RunProgram({.argv = {"/proc/self/exe", "--child", scenario, kubeconfig}}));
  }
  return runs;
}

std::vector<double> Pick(const std::vector<Figures>& runs, double Figures::* member,
                         double unit = 1.0) {
  std::vector<double> samples;
  samples.reserve(runs.size());
  for (const Figures& figures : runs) samples.push_back(figures.*member / unit);
  return samples;
}

void ReportMemory(Report& report, const std::string& name, const std::vector<Figures>& runs) {
  report.Add({.name = name,
              .metric = "retained",
              .unit = "MiB",
              .samples = Pick(runs, &Figures::retained, kMiB),
              .goal = AtMost(16)});
  report.Add({.name = name,
              .metric = "peak_rss",
              .unit = "MiB",
              .samples = Pick(runs, &Figures::peak, kMiB),
              .goal = AtMost(64)});
  report.Add({.name = name,
              .metric = "rss_after_sync",
              .unit = "MiB",
              .samples = Pick(runs, &Figures::resident, kMiB)});
  report.Add({.name = name,
              .metric = "sync_cpu",
              .unit = "s",
              .samples = Pick(runs, &Figures::cpu_seconds)});
}

std::string ClusterPodName(int number) {
  return fmt::format("app-{}-6d4cf56db6-{:05x}", number % 500, number);
}

// About 6.7 KB as the server stores it: it adds defaults and managedFields itself.
std::string ClusterPodJson(int number) {
  std::string env;
  for (int i = 0; i < 37; ++i) {
    env +=
        fmt::format(R"({{"name":"SETTING_{}","value":"https://service-{}.team.svc:8443"}},)", i, i);
  }
  env += R"({"name":"LAST","value":"1"})";
  return fmt::format(
      R"({{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{1}",)"
      R"("namespace":"default","labels":{{"app":"app-{0}","app.kubernetes.io/name":"app-{0}",)"
      R"("app.kubernetes.io/part-of":"shop","pod-template-hash":"6d4cf56db6","tier":"backend"}}}},)"
      R"("spec":{{"automountServiceAccountToken":false,"containers":[{{"name":"app",)"
      R"("image":"registry.example/shop/checkout:v1.42.0","env":[{2}]}}]}}}})",
      number % 500, ClusterPodName(number), env);
}

// Makes the pods in the cluster, as it would have them: no node takes them, and none is needed.
void FillCluster(const std::string& kubeconfig) {
  const SystemClock clock;
  Log log(LogLevel::kError);
  const auto config = Must(kube::LoadConfig({.kubeconfig_flag = kubeconfig}));
  const auto connection = Must(kube::Connection::Make(config, {}, kube::UnaryAdapter::kBeast, clock,
                                                      NoMetrics(), Logger(log)));
  std::atomic<int> next = 0;
  constexpr int kThreads = 8;
  std::vector<std::jthread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int number = next++; number < kPods; number = next++) {
        Must(connection->client().Create(kube::kPods, "default", ClusterPodJson(number),
                                         {.field_manager = "bench"}, StopToken()));
      }
    });
  }
}

void ReportCluster(Report& report) {
  if (const auto why = test_support::Bed::WhyNot({})) Stop(*why);
  const auto bed = Must(test_support::Bed::Start());
  const std::string kubeconfig = bed->admin_kubeconfig();
  // Pods need one, and no controller manager runs that would make it.
  const auto account = bed->RunKubectl({"create", "serviceaccount", "default"});
  if (!account.ok()) Stop(account.err);
  FillCluster(kubeconfig);
  const auto pod =
      bed->RunKubectl({"get", "--raw", "/api/v1/namespaces/default/pods/" + ClusterPodName(4242)});
  if (!pod.ok()) Stop(pod.err);
  report.Add({.name = "cluster",
              .metric = "pod_size",
              .unit = "bytes",
              .samples = {static_cast<double>(pod.out.size())}});

  const std::filesystem::path program =
      std::filesystem::temp_directory_path() / fmt::format("informer-peer-{}", getpid());
  const auto built = Must(test_support::RunProcess(
      {.argv = {"go", "build", "-mod=readonly", "-o", program, "./informer"},
       .environment = {{"CGO_ENABLED", "0"}, {"GOFLAGS", "-buildvcs=false"}, {"GOWORK", "off"}},
       .working_folder = test_support::SourceFolder() / "tools/bench_peers"},
      {}, std::chrono::minutes(15)));
  if (!built.ok()) Stop(built.err);

  const std::vector<Figures> ours = RunChild("cluster", kubeconfig);
  std::vector<Figures> go;
  go.reserve(kRuns);
  for (int run = 0; run < kRuns; ++run) {
    go.push_back(
        RunProgram({.argv = {program, "-kubeconfig", kubeconfig, "-pods", std::to_string(kPods)}}));
  }
  std::filesystem::remove(program);
  const auto peer = [&](double Figures::* member, double unit) {
    return Peer{"client-go informer", Median(Pick(go, member, unit))};
  };
  report.Add({.name = "cluster",
              .metric = "retained",
              .unit = "MiB",
              .samples = Pick(ours, &Figures::retained, kMiB),
              .peer = peer(&Figures::retained, kMiB),
              .goal = AtMost(16)});
  report.Add({.name = "cluster",
              .metric = "peak_rss",
              .unit = "MiB",
              .samples = Pick(ours, &Figures::peak, kMiB),
              .peer = peer(&Figures::peak, kMiB),
              .goal = AtMost(64)});
  report.Add({.name = "cluster",
              .metric = "sync",
              .unit = "s",
              .samples = Pick(ours, &Figures::seconds),
              .peer = peer(&Figures::seconds, 1)});
  report.Add({.name = "cluster",
              .metric = "sync_cpu",
              .unit = "s",
              .samples = Pick(ours, &Figures::cpu_seconds),
              .peer = peer(&Figures::cpu_seconds, 1)});
}

int Main(std::string_view mode) {
  Report report("watch_cache");
  report.Add({.name = "generated",
              .metric = "pod_size",
              .unit = "bytes",
              .samples = {static_cast<double>(MakePodJson(4242, 1).size())}});
  for (const char* scenario : {"list", "watch_list"}) {
    const std::vector<Figures> runs = RunChild(scenario);
    const std::string name = fmt::format("generated_{}", scenario);
    report.Add({.name = name,
                .metric = "sync",
                .unit = "s",
                .samples = Pick(runs, &Figures::seconds),
                .goal = AtMost(1)});
    ReportMemory(report, name, runs);
  }
  if (mode != "--quick") ReportCluster(report);
  return report.Write();
}

}  // namespace
}  // namespace tracekeeper::bench

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "--child" && argc == 4) return tracekeeper::bench::Child(argv[2], argv[3]);
  return tracekeeper::bench::Main(mode);
}
