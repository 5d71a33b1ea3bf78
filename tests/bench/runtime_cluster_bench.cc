// DEPENDS: tracekeeper::bed tracekeeper::test_support
// SOURCES: process_figures.cc
//
// What Tracekeeper costs a cluster, and how long its users wait: installed by its chart on a real
// node, the time from `kubectl apply` of a policy to the first injected pod that is Ready; then the
// time until an edit of a policy runs in its sidecars, left to the kubelet's own refresh; then the
// operator at rest, its memory, its CPU, and what it writes to the API server (as the API server's
// audit log has it).
//
//   runtime_cluster_bench            50 policies, 5 edits, 5 minutes of rest
//   runtime_cluster_bench --quick    10 policies, 1 edit, 20 seconds

#include <fmt/core.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/bench/process_figures.h"
#include "tests/bench/report.h"
#include "tests/support/bed.h"
#include "tests/support/installation.h"
#include "tests/support/operator_process.h"
#include "tests/support/pod_process.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper::bench {
namespace {

using test_support::Bed;
using SteadyClock = std::chrono::steady_clock;

constexpr double kMebibyte = 1024.0 * 1024.0;

struct Extent {
  int policies;
  int edits;
  std::chrono::seconds rest;
};

/// Everything that the operator writes, each once.
constexpr std::string_view kAuditPolicy = R"(
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    users: ["system:serviceaccount:tracekeeper-system:tracekeeper-operator"]
    verbs: [create, update, patch, delete, deletecollection]
  - level: None
)";

/// Ends the program with a sentence: a benchmark that cannot measure has no result.
void Require(const Status& status) {
  if (status) return;
  fmt::print(stderr, "runtime_cluster_bench: {}\n", status.error().message);
  std::exit(1);
}
template <typename T>
T Must(Result<T> result) {
  if (!result) Require(Fail(result.error()));
  return *std::move(result);
}

std::string Kubectl(Bed& bed, const std::vector<std::string>& arguments,
                    std::string_view input = {}) {
  const auto result = bed.RunKubectl(arguments, input);
  if (!result.ok()) {
    Require(Fail(ErrorKind::kInternal, "kubectl {}: {}", arguments.front(), result.err));
  }
  return result.out;
}

double SecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

struct Waits {
  double policy_ready = 0;
  double pod_ready = 0;  // both from the same apply
};

/// A policy, and a pod as soon as the policy says that it is in force.
Waits ApplyOne(Bed& bed, const std::string& name) {
  Waits waits;
  Kubectl(bed, {"create", "namespace", name});
  Kubectl(bed, {"wait", "-n", name, "--for=create", "--timeout=30s", "serviceaccount/default"});
  const auto began = SteadyClock::now();
  Kubectl(bed, {"apply", "-f", "-"},
          fmt::format("apiVersion: tracekeeper.dev/v1alpha1\nkind: TracingPolicy\n"
                      "metadata: {{name: checkout, namespace: {}}}\n"
                      "spec: {{selector: {{matchLabels: {{app: checkout}}}}}}\n",
                      name));
  Kubectl(bed, {"wait", "-n", name, "--for=condition=Ready", "--timeout=60s", "tkp/checkout"});
  waits.policy_ready = SecondsSince(began);
  Kubectl(bed, {"apply", "-f", "-"},
          fmt::format("apiVersion: v1\nkind: Pod\n"
                      "metadata: {{name: checkout, namespace: {}, labels: {{app: checkout}}}}\n"
                      "spec:\n"
                      "  terminationGracePeriodSeconds: 0\n"
                      "  containers: [{{name: app, image: 'bed.local/testtool:1', "
                      "imagePullPolicy: Never, args: [web]}}]\n",
                      name));
  Kubectl(bed, {"wait", "-n", name, "--for=condition=Ready", "--timeout=60s", "pod/checkout"});
  waits.pod_ready = SecondsSince(began);
  const std::string sidecar = Kubectl(
      bed, {"get", "pod", "-n", name, "checkout", "-o", "jsonpath={.spec.initContainers[0].name}"});
  if (sidecar != "tracekeeper-sidecar") {
    Require(Fail(ErrorKind::kInternal, "the pod in {} was not injected", name));
  }
  return waits;
}

void AddPercentiles(Report& report, const char* name, const std::vector<double>& waits) {
  for (const double percent : {50.0, 99.0}) {
    report.Add({.name = name,
                .metric = fmt::format("wait_p{:.0f}", percent),
                .unit = "s",
                .samples = {Percentile(waits, percent)}});
  }
}

void MeasureFirstPod(Report& report, Bed& bed, int policies) {
  std::vector<double> policy_ready;
  std::vector<double> pod_ready;
  for (int i = 0; i < policies; ++i) {
    const std::string name = fmt::format("bench-{}", i);
    const Waits waits = ApplyOne(bed, name);
    policy_ready.push_back(waits.policy_ready);
    pod_ready.push_back(waits.pod_ready);
    Kubectl(bed, {"delete", "namespace", name, "--wait=false"});
  }
  AddPercentiles(report, "apply_to_policy_ready", policy_ready);
  AddPercentiles(report, "apply_to_first_pod_ready", pod_ready);
}

/// Until the policy says that every sidecar runs what it says.
void MeasureEdit(Report& report, Bed& bed, int edits) {
  const std::string name = "bench-edit";
  ApplyOne(bed, name);
  std::vector<double> waits;
  for (int i = 0; i < edits; ++i) {
    const auto wait = [&](const char* status) {
      Kubectl(bed, {"wait", "-n", name, "tkp/checkout", "--timeout=180s",
                    fmt::format("--for=condition=ConfigurationInSync={}", status)});
    };
    wait("True");
    const auto began = SteadyClock::now();
    Kubectl(bed,
            {"patch", "-n", name, "tkp/checkout", "--type=merge", "--patch",
             fmt::format(R"({{"spec":{{"sampling":{{"sidecar":{{"ratio":"0.{}"}}}}}}}})", i + 1)});
    wait("False");
    wait("True");
    waits.push_back(SecondsSince(began));
  }
  Kubectl(bed, {"delete", "namespace", name, "--wait=false"});
  report.Add({.name = "edit_to_running_sidecar", .metric = "wait", .unit = "s", .samples = waits});
}

/// The audit log's lines from `offset` on: those about the Lease, and all others.
struct Writes {
  double lease = 0;
  double other = 0;
};
Writes WritesSince(const std::filesystem::path& log, std::streamoff offset) {
  std::ifstream file(log);
  file.seekg(offset);
  Writes writes;
  for (std::string line; std::getline(file, line);) {
    const bool is_lease = line.find("\"resource\":\"leases\"") != std::string::npos;
    if (!is_lease) fmt::print("written at rest: {}\n", line);
    ++(is_lease ? writes.lease : writes.other);
  }
  return writes;
}

void MeasureRest(Report& report, Bed& bed, const std::filesystem::path& audit,
                 std::chrono::seconds rest) {
  const std::string uid = Kubectl(
      bed, {"get", "pods", "-n", "tracekeeper-system", "-o", "jsonpath={.items[0].metadata.uid}"});
  const auto process = test_support::PodProcess(uid, "/tracekeeper-operator");
  if (!process) Require(Fail(ErrorKind::kNotFound, "no process of the operator's pod {}", uid));
  std::this_thread::sleep_for(std::chrono::seconds(15));  // until what was deleted is gone
  const auto offset = static_cast<std::streamoff>(std::filesystem::file_size(audit));
  const double cpu = CpuSecondsOf(*process);
  std::this_thread::sleep_for(rest);
  const double used = CpuSecondsOf(*process) - cpu;
  const Writes writes = WritesSince(audit, offset);
  report.Add({.name = "operator_at_rest",
              .metric = "rss",
              .unit = "bytes",
              .samples = {MemoryOf(*process, "VmRSS")},
              .goal = AtMost(25 * kMebibyte)});
  report.Add({.name = "operator_at_rest",
              .metric = "cpu",
              .unit = "% of a core",
              .samples = {100 * used / static_cast<double>(rest.count())},
              .goal = AtMost(0.5)});
  report.Add({.name = "operator_at_rest",
              .metric = "writes_but_lease",
              .unit = "1",
              .samples = {writes.other},
              .goal = AtMost(0)});
  if (writes.lease == 0) {
    Require(Fail(ErrorKind::kInternal, "{} shows no write of the Lease either", audit.string()));
  }
}

void Measure(Report& report, const Extent& extent) {
  if (const auto reason = Bed::WhyNot({.nodes = 1})) {
    Require(Fail(ErrorKind::kUnavailable, "{}", *reason));
  }
  const test_support::TemporaryFolder folder("cluster-bench");
  std::ofstream(folder / "audit.yaml") << kAuditPolicy;
  const std::filesystem::path audit = folder / "audit.log";
  const auto bed = Must(
      Bed::Start({.nodes = 1,
                  .images = Must(test_support::MakeProgramImages(folder.path())),
                  .api_server_flags = {"--audit-policy-file=" + (folder / "audit.yaml").string(),
                                       "--audit-log-path=" + audit.string()}}));
  Require(test_support::InstallChart(*bed, {"replicaCount=1"}));
  MeasureFirstPod(report, *bed, extent.policies);
  MeasureEdit(report, *bed, extent.edits);
  MeasureRest(report, *bed, audit, extent.rest);
}

}  // namespace
}  // namespace tracekeeper::bench

int main(int argc, char** argv) {
  using namespace tracekeeper::bench;
  const bool is_quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  Report report("runtime");
  Measure(report, is_quick ? Extent{10, 1, std::chrono::seconds(20)}
                           : Extent{50, 5, std::chrono::seconds(300)});
  return report.Write();
}
