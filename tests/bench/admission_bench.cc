// DEPENDS: tracekeeper::operator_domain tracekeeper::bed
// SOURCES: admission_pods.cc
//
// What one pod costs on the admission path without the network: parse, choose the policy, mutate,
// check the patch. The peer is the way of Go webhooks (tools/bench_peers/admission), built and run
// here on the same pods with the same additions.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "operator/api/tracing_policy.h"
#include "operator/domain/compile_policy.h"
#include "operator/domain/mutate.h"
#include "operator/domain/select_policy.h"
#include "src/codec/json_patch.h"
#include "src/kube/document.h"
#include "tests/bench/admission_pods.h"
#include "tests/bench/report.h"
#include "tests/support/folders.h"
#include "tests/support/process.h"

namespace tracekeeper::bench {
namespace {

constexpr int kRuns = 7;
constexpr double kSecondsOfARun = 1.0;

[[noreturn]] void Stop(const std::string& why) {
  std::fprintf(stderr, "admission_bench: %s\n", why.c_str());
  std::exit(1);
}

template <typename T>
T Must(Result<T> result) {
  if (!result) Stop(result.error().message);
  return *std::move(result);
}

/// Two policies of the namespace and one of the fleet: the second is the pod's.
domain::PolicySnapshot MakeSnapshot() {
  constexpr std::string_view kPolicies[] = {
      R"({"metadata":{"namespace":"shop","name":"other","uid":"1","generation":1},"spec":{
          "priority":10,"selector":{"matchLabels":{"app":"other"}}}})",
      R"({"metadata":{"namespace":"shop","name":"checkout","uid":"2","generation":3},"spec":{
          "selector":{"matchLabels":{"app":"checkout"}},"sampling":{"head":{"ratio":"0.25"}},
          "export":{"endpoint":"https://collector.observability:4317"}}})",
      R"({"metadata":{"namespace":"tracekeeper-system","name":"fleet","uid":"3","generation":1},
          "spec":{"namespaceSelector":{}}})",
  };
  std::vector<domain::PolicyPointer> policies;
  for (const std::string_view text : kPolicies) {
    const kube::Document document = Must(kube::Document::Parse(text));
    const api::TracingPolicy policy = Must(api::DecodeTracingPolicy(document.root()));
    domain::CompileOptions options;
    options.sidecar_image = "registry.example.com/tracekeeper-sidecar:0.1.0";
    policies.push_back(Must(domain::CompilePolicy(policy, options)).policy);
  }
  return domain::PolicySnapshot(std::move(policies));
}

/// One thread of the webhook: parser and document are its own and reused.
class Worker {
 public:
  explicit Worker(const domain::PolicySnapshot& snapshot) : snapshot_(snapshot) {}

  domain::Mutation Review(std::string_view pod_json) {
    const codec::JsonValue pod = Must(parser_.Parse(pod_json));
    const std::vector<domain::Label> labels = domain::LabelsOf(pod["metadata"]["labels"]);
    const domain::CompiledPolicy* policy = domain::SelectPolicy(snapshot_, "shop", {}, labels);
    if (policy == nullptr) Stop("no policy selects the pod");
    domain::Mutation mutation = domain::Mutate(pod, *policy, {.namespace_name = "shop"});
    if (mutation.patch.empty()) Stop(mutation.findings.front().ToString());
    return mutation;
  }

 private:
  const domain::PolicySnapshot& snapshot_;
  codec::JsonParser parser_;
};

struct Figures {
  std::vector<double> cpu, median, p99;  // microseconds, one a run
};

Figures Measure(Worker& worker, const std::string& pod) {
  using Clock = std::chrono::steady_clock;
  Figures figures;
  std::vector<double> latencies;
  for (int run = -1; run < kRuns; ++run) {  // the first warms up and is not counted
    latencies.clear();
    const double cpu_before = ThreadCpuSeconds();
    const auto start = Clock::now();
    auto now = start;
    while (std::chrono::duration<double>(now - start).count() < kSecondsOfARun) {
      Keep(worker.Review(pod));
      const auto after = Clock::now();
      latencies.push_back(std::chrono::duration<double, std::micro>(after - now).count());
      now = after;
    }
    if (run < 0) continue;
    const double cpu = (ThreadCpuSeconds() - cpu_before) * 1e6;
    figures.cpu.push_back(cpu / static_cast<double>(latencies.size()));
    figures.median.push_back(Median(latencies));
    figures.p99.push_back(Percentile(latencies, 99));
  }
  return figures;
}

/// Builds and runs the Go program; stops with its message when that fails: a benchmark without its
/// peer would prove nothing.
class GoPeer {
 public:
  GoPeer()
      : folder_(std::filesystem::temp_directory_path() /
                fmt::format("admission-peer-{}", getpid())) {
    std::filesystem::create_directories(folder_);
    const std::filesystem::path source = test_support::SourceFolder() / "tools/bench_peers";
    Run({.argv = {"go", "build", "-mod=readonly", "-o", Program(), "./admission"},
         .environment = {{"CGO_ENABLED", "0"}, {"GOFLAGS", "-buildvcs=false"}, {"GOWORK", "off"}},
         .working_folder = source});
  }
  ~GoPeer() { std::filesystem::remove_all(folder_); }
  GoPeer(const GoPeer&) = delete;
  GoPeer& operator=(const GoPeer&) = delete;

  Figures Measure(const std::string& pod, const std::string& injected) {
    const std::string out =
        Run({.argv = {Program(), "-pod", Write("pod.json", pod), "-injected",
                      Write("injected.json", injected), "-seconds",
                      fmt::format("{}", kSecondsOfARun), "-runs", fmt::format("{}", kRuns)}});
    const kube::Document document = Must(kube::Document::Parse(out));
    patch_bytes_ = document["patch_bytes"].IntegerOr(0);
    return {Numbers(document["cpu_us"]), Numbers(document["latency_p50_us"]),
            Numbers(document["latency_p99_us"])};
  }
  [[nodiscard]] std::int64_t patch_bytes() const { return patch_bytes_; }

 private:
  static constexpr auto kLimit = std::chrono::minutes(15);  // a first build fetches modules

  [[nodiscard]] std::string Program() const { return folder_ / "admission"; }

  static std::string Run(const test_support::Command& command) {
    const auto done = Must(test_support::RunProcess(command, {}, kLimit));
    if (!done.ok()) Stop(fmt::format("{}: {}", command.argv.front(), done.err));
    return done.out;
  }

  std::string Write(std::string_view name, const std::string& text) const {
    const std::filesystem::path path = folder_ / name;
    std::ofstream(path) << text;
    return path;
  }

  static std::vector<double> Numbers(const codec::JsonValue& list) {
    std::vector<double> numbers;
    for (const codec::JsonValue number : list.Elements()) numbers.push_back(*number.Double());
    return numbers;
  }

  std::filesystem::path folder_;
  std::int64_t patch_bytes_ = 0;
};

struct Case {
  std::string_view name;
  PodShape shape;
  bool with_peer = true;
  std::optional<Goal> median = {}, p99 = {}, cpu = {};
};

int Main() {
  const domain::PolicySnapshot snapshot = MakeSnapshot();
  Worker worker(snapshot);
  GoPeer peer;
  Report report("admission");
  const Case cases[] = {
      {.name = "pod_2kb", .shape = {.containers = 1, .variables = 5, .managed_fields = false}},
      {.name = "pod_7kb",
       .shape = {.containers = 2, .variables = 40},
       .median = AtMost(60),
       .p99 = AtMost(100),
       .cpu = RatioAtLeast(20)},
      {.name = "pod_2000_env", .shape = {.containers = 1, .variables = 2000}, .p99 = AtMost(1000)},
      {.name = "pod_4000_env", .shape = {.containers = 1, .variables = 4000}, .with_peer = false},
  };
  std::vector<double> cpu_of_2000;
  std::vector<double> growth;
  for (const Case& c : cases) {
    const std::string name(c.name);
    const std::string pod = MakePod(c.shape);
    const Figures ours = Measure(worker, pod);
    const domain::Mutation mutation = worker.Review(pod);
    report.Add({.name = name,
                .metric = "pod_size",
                .unit = "bytes",
                .samples = {static_cast<double>(pod.size())}});
    Row median{.name = name,
               .metric = "latency_p50",
               .unit = "us",
               .samples = ours.median,
               .goal = c.median};
    Row p99{
        .name = name, .metric = "latency_p99", .unit = "us", .samples = ours.p99, .goal = c.p99};
    Row cpu{.name = name, .metric = "cpu", .unit = "us", .samples = ours.cpu, .goal = c.cpu};
    Row patch{.name = name,
              .metric = "patch_size",
              .unit = "bytes",
              .samples = {static_cast<double>(mutation.patch.size())}};
    if (c.with_peer) {
      const Figures go = peer.Measure(pod, Must(codec::ApplyJsonPatch(pod, mutation.patch)));
      median.peer = Peer{"Go: typed decode, marshal, diff", Median(go.median)};
      p99.peer = Peer{median.peer->name, Median(go.p99)};
      cpu.peer = Peer{median.peer->name, Median(go.cpu)};
      patch.peer = Peer{median.peer->name, static_cast<double>(peer.patch_bytes())};
    }
    for (const Row* row : {&median, &p99, &cpu, &patch}) report.Add(*row);
    if (name == "pod_2000_env") cpu_of_2000 = ours.cpu;
    if (name != "pod_4000_env") continue;
    for (std::size_t i = 0; i < ours.cpu.size(); ++i)
      growth.push_back(ours.cpu[i] / Median(cpu_of_2000));
  }
  report.Add({.name = "4000_to_2000_env",
              .metric = "cpu_growth",
              .unit = "times",
              .samples = growth,
              .goal = AtMost(2.2)});
  return report.Write();
}

}  // namespace
}  // namespace tracekeeper::bench

int main() { return tracekeeper::bench::Main(); }
