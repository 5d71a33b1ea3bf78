// DEPENDS: tracekeeper::runtime
// SOURCES: pod_source.cc
//
// How long it takes from an event on the wire to its reconcile, with 10,000 pods in the cache and
// 1,000 events a second, and what the queue alone can carry.

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "src/kube/client.h"
#include "src/runtime/controller.h"
#include "src/runtime/informer.h"
#include "src/runtime/pod_store.h"
#include "tests/bench/pod_source.h"
#include "tests/bench/report.h"

namespace tracekeeper::bench {
namespace {

using Time = std::chrono::steady_clock;

constexpr int kPods = 10'000;
constexpr int kRuns = 5;
constexpr int kEvents = 3'000;
constexpr auto kBetweenEvents = std::chrono::microseconds(1000);
constexpr int kQueueKeys = 200'000;

int NumberOf(const kube::ObjectKey& key) {
  return static_cast<int>(std::stol(key.name.substr(key.name.rfind('-') + 1), nullptr, 16));
}

// One operator with one controller on pods. The reconcile function notes when it was called.
class EventBench {
 public:
  EventBench() {
    runtime::AddPodIndexes(pods_.store());
    pods_.store().AddHandler(runtime::EnqueueKey<runtime::Pod>(controller_.queue()));
    if (!pods_.Start() || !pods_.WaitUntilReady(StopToken()) || !controller_.Start()) {
      std::fputs("runtime_bench: the cache did not sync\n", stderr);
      std::exit(1);
    }
    while (controller_.queue().depth() > 0 || !source_.has_watch()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  ~EventBench() {
    controller_.Stop();
    pods_.Stop();
  }

  // Milliseconds from each event to its reconcile.
  std::vector<double> Run() {
    reconciled_ = 0;
    auto next = Time::now();
    for (int i = 0; i < kEvents; ++i) {
      const int pod = i * 3 % kPods;
      const std::string line =
          R"({"type":"MODIFIED","object":)" + MakePodJson(pod, ++version_) + "}\n";
      sent_.at(static_cast<std::size_t>(pod)) = Time::now();
      source_.SendEvent(line);
      next += kBetweenEvents;
      std::this_thread::sleep_until(next);
    }
    while (reconciled_ < kEvents) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::vector<double> waits;
    for (int i = 0; i < kEvents; ++i) {
      const auto pod = static_cast<std::size_t>(i * 3 % kPods);
      const auto wait = seen_.at(pod).load() - sent_.at(pod).load();
      waits.push_back(std::chrono::duration<double, std::milli>(wait).count());
    }
    return waits;
  }

 private:
  using Moments = std::array<std::atomic<Time::time_point>, kPods>;

  SystemClock clock_;
  Log log_{LogLevel::kError};
  PodSource source_{kPods};
  kube::Client client_{{}, source_, source_, nullptr, clock_, NoMetrics()};
  Moments sent_{};
  Moments seen_{};
  std::atomic<int> reconciled_ = 0;
  std::uint64_t version_ = 1'000'000;
  runtime::Informer<runtime::Pod> pods_{
      {.resource = kube::kPods}, runtime::PodProjection({}), client_, clock_, Logger(log_)};
  runtime::Controller controller_{{.name = "pods"},
                                  [this](const kube::ObjectKey& key, runtime::ReconcileContext&) {
                                    seen_.at(static_cast<std::size_t>(NumberOf(key))) = Time::now();
                                    ++reconciled_;
                                    return runtime::Requeue::Never();
                                  },
                                  clock_,
                                  NoMetrics(),
                                  Logger(log_)};
};

void ReportEvents(Report& report) {
  EventBench bench;
  std::vector<double> p50;
  std::vector<double> p99;
  for (int run = -1; run < kRuns; ++run) {  // the first warms up and is not counted
    const std::vector<double> waits = bench.Run();
    if (run < 0) continue;
    p50.push_back(Percentile(waits, 50));
    p99.push_back(Percentile(waits, 99));
  }
  report.Add({.name = "event_to_reconcile", .metric = "latency_p50", .unit = "ms", .samples = p50});
  report.Add({.name = "event_to_reconcile",
              .metric = "latency_p99",
              .unit = "ms",
              .samples = p99,
              .goal = AtMost(10)});
}

// Add, Get, Done of distinct keys on one thread, per second of its CPU time.
void ReportQueue(Report& report) {
  const SystemClock clock;
  std::vector<kube::ObjectKey> keys;
  keys.reserve(kQueueKeys);
  for (int i = 0; i < kQueueKeys; ++i) keys.push_back({"team", fmt::format("app-{}", i)});
  std::vector<double> rates;
  for (int run = 0; run < kRuns; ++run) {
    runtime::WorkQueue queue({.name = "bench", .expected_keys = kQueueKeys}, clock, NoMetrics());
    const double before = ThreadCpuSeconds();
    for (const kube::ObjectKey& key : keys) queue.Add(key);
    while (const auto key = queue.TryGet()) queue.Done(*key, runtime::Outcome::Succeeded());
    rates.push_back(kQueueKeys / (ThreadCpuSeconds() - before));
  }
  report.Add({.name = "work_queue",
              .metric = "keys",
              .unit = "1/s",
              .samples = rates,
              .better = Better::kHigher});
}

int Main() {
  Report report("runtime");
  ReportEvents(report);
  ReportQueue(report);
  return report.Write();
}

}  // namespace
}  // namespace tracekeeper::bench

int main() { return tracekeeper::bench::Main(); }
