// Two replicas, installed by the chart on real nodes, and everything that may happen to one of
// them while pods are created without pause.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <optional>
#include <sstream>

#include "tests/support/bed.h"
#include "tests/support/eventually.h"
#include "tests/support/installation.h"
#include "tests/support/kwok_nodes.h"
#include "tests/support/operator_process.h"
#include "tests/support/pod_load.h"
#include "tests/support/pod_process.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test_support::Bed;
using test_support::Eventually;
using test_support::PodLoad;
using test_support::PodLoadResult;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kPolicy = R"(
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: tracekeeper.dev/v1alpha1
kind: TracingPolicy
metadata: {name: checkout, namespace: shop}
spec: {selector: {matchLabels: {app: checkout}}}
)";

class HighAvailability : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (Bed::WhyNot({.nodes = 2})) return;
    folder_.emplace("high-availability");
    const auto images = test_support::MakeProgramImages(folder_->path());
    ASSERT_TRUE(images) << images.error().message;
    bed_ = test_support::StartBed({.nodes = 2, .images = *images});
    ASSERT_TRUE(bed_);
    const Status installed = test_support::InstallChart(*bed_);
    ASSERT_TRUE(installed) << installed.error().message;
    Kubectl({"apply", "-f", "-"}, kPolicy);
    Kubectl({"wait", "-n", "shop", "--for=condition=Ready", "--timeout=30s", "tkp/checkout"});
    Kubectl({"wait", "-n", "shop", "--for=create", "--timeout=30s", "serviceaccount/default"});
  }
  static void TearDownTestSuite() {
    bed_.reset();
    folder_.reset();
  }
  void SetUp() override {
    if (const auto reason = Bed::WhyNot({.nodes = 2})) {
      GTEST_SKIP() << "left out, because " << *reason;
    }
    ASSERT_TRUE(bed_);
    Settle();
  }

  static std::string Kubectl(const std::vector<std::string>& arguments,
                             std::string_view input = {}) {
    const auto result = bed_->RunKubectl(arguments, input);
    EXPECT_TRUE(result.ok()) << arguments.front() << ": " << result.err;
    return result.out;
  }
  /// Both replicas ready, one on each node.
  static void Settle() {
    Kubectl({"rollout", "status", "-n", "tracekeeper-system", "deployment/tracekeeper-operator",
             "--timeout=120s"});
    Kubectl({"wait", "-n", "shop", "--for=condition=Ready", "--timeout=30s", "tkp/checkout"});
  }
  static std::string Leader() {
    return Kubectl({"get", "lease", "-n", "tracekeeper-system", "tracekeeper-operator", "-o",
                    "jsonpath={.spec.holderIdentity}"});
  }
  struct Replica {
    std::string name;
    std::string node;
    std::string uid;
  };
  static std::vector<Replica> Replicas() {
    constexpr const char* kNameNodeUid =
        "go-template={{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}} "
        "{{.spec.nodeName}} {{.metadata.uid}}{{\"\\n\"}}{{end}}{{end}}";
    std::istringstream lines(
        Kubectl({"get", "pods", "-n", "tracekeeper-system", "-o", kNameNodeUid}));
    std::vector<Replica> result;
    for (Replica one; lines >> one.name >> one.node >> one.uid;) result.push_back(one);
    return result;
  }
  static void End(const std::string& replica) {
    Kubectl({"delete", "pod", "-n", "tracekeeper-system", replica});
    Settle();
  }
  /// One replica on each node, and the one on node2 leads, so that its node can be lost.
  static std::string MoveLeaderToSecondNode() {
    const bool moved = Eventually(
        [] {
          const auto replicas = Replicas();
          const std::string leader = Leader();
          const auto leading = std::ranges::find(replicas, leader, &Replica::name);
          if (replicas.size() != 2 || leading == replicas.end()) return false;
          const Replica& other = replicas[leading == replicas.begin() ? 1 : 0];
          if (leading->node == "node2" && other.node == "node1") return true;
          End(leading->node == "node2" ? other.name : leader);
          return false;
        },
        seconds(180));
    EXPECT_TRUE(moved) << "no replica on node2 leads";
    return Leader();
  }
  /// SIGKILL for the process of a replica, as by the kernel when memory runs out.
  static void Kill(const std::string& uid) {
    const auto process = test_support::PodProcess(uid, "/tracekeeper-operator");
    ASSERT_TRUE(process) << "no process of pod " << uid;
    EXPECT_EQ(::kill(*process, SIGKILL), 0);
  }
  /// So many more pods were injected within half a minute.
  static bool Grows(const PodLoad& load, std::size_t count) {
    const std::size_t wanted = load.result().injected + count;
    return Eventually([&] { return load.result().injected >= wanted; }, seconds(30));
  }
  static std::string Renewed() {
    return Kubectl({"get", "lease", "-n", "tracekeeper-system", "tracekeeper-operator", "-o",
                    "jsonpath={.spec.renewTime}"});
  }
  static seconds::rep Whole(Clock::duration time) {
    return std::chrono::duration_cast<seconds>(time).count();
  }
  /// How long it takes until another replica leads.
  static Clock::duration TimeUntilAnotherLeads(const std::string& before, seconds limit) {
    const auto began = Clock::now();
    const bool changed = Eventually(
        [&before] {
          const std::string now = Leader();
          return !now.empty() && now != before;
        },
        limit);
    EXPECT_TRUE(changed) << before << " still leads";
    return Clock::now() - began;
  }
  /// Says what was seen, and keeps it for the test's report.
  static void Report(std::string_view what, const PodLoadResult& pods) {
    std::cout << what << "; pods: " << pods << '\n' << std::flush;
    RecordProperty("missed", std::to_string(pods.missed));
  }
  static void Report(std::string_view what, Clock::duration failover, const PodLoadResult& pods) {
    const auto took = std::chrono::duration_cast<milliseconds>(failover).count();
    RecordProperty("failover_ms", std::to_string(took));
    Report(fmt::format("{}: somebody leads after {} ms", what, took), pods);
  }

  static inline std::optional<test_support::TemporaryFolder> folder_;
  static inline std::unique_ptr<Bed> bed_;
};

TEST_F(HighAvailability, ALeaderThatEndsHandsOverWithinFiveSecondsAndNoPodIsMissed) {
  PodLoad load(*bed_, {.namespace_name = "shop"});
  const std::string leader = Leader();
  Kubectl({"delete", "pod", "-n", "tracekeeper-system", leader, "--wait=false"});
  // It leads and answers on while its preStop hook sleeps; what counts is the time without a
  // leader.
  ASSERT_TRUE(Eventually([&leader] { return Leader() != leader; }, seconds(30)));
  const auto failover = TimeUntilAnotherLeads(leader, seconds(30));
  Settle();
  const PodLoadResult pods = load.Stop();
  Report("leader deleted", failover, pods);
  EXPECT_LE(Whole(failover), 5);
  EXPECT_EQ(pods.missed, 0U) << pods;
  EXPECT_EQ(pods.refused, 0U) << pods;
}

TEST_F(HighAvailability, ARollingRestartMissesNoPod) {
  PodLoad load(*bed_, {.namespace_name = "shop"});
  Kubectl({"rollout", "restart", "-n", "tracekeeper-system", "deployment/tracekeeper-operator"});
  Settle();
  const bool enough = Eventually([&load] { return load.result().injected >= 1000; }, seconds(120));
  EXPECT_TRUE(enough);
  const PodLoadResult pods = load.Stop();
  Report("rolling restart", pods);
  EXPECT_EQ(pods.missed, 0U) << pods;
  EXPECT_EQ(pods.refused, 0U) << pods;
}

TEST_F(HighAvailability, AThousandPodsAtOnceDuringARollingRestartAreAllInjected) {
  const auto nodes = test_support::KwokNodes::Start(*bed_, 10, folder_->path());
  ASSERT_TRUE(nodes) << nodes.error().message;
  Kubectl({"rollout", "restart", "-n", "tracekeeper-system", "deployment/tracekeeper-operator"});
  Kubectl({"apply", "-f", "-"},
          fmt::format("apiVersion: apps/v1\nkind: Deployment\n"
                      "metadata: {{name: burst, namespace: shop}}\n"
                      "spec:\n"
                      "  replicas: 1000\n"
                      "  selector: {{matchLabels: {{app: checkout}}}}\n"
                      "  template:\n"
                      "    metadata: {{labels: {{app: checkout}}}}\n"
                      "    spec: {{{}, containers: [{{name: app, image: example.com/app:1}}]}}\n",
                      test_support::KwokNodes::kPlacement));
  const auto began = Clock::now();
  Kubectl({"rollout", "status", "-n", "shop", "deployment/burst", "--timeout=300s"});
  const auto took = Clock::now() - began;
  Settle();
  constexpr const char* kSidecars =
      "jsonpath={range .items[*]}{.spec.initContainers[*].name}{\"\\n\"}{end}";
  const std::string pods = Kubectl({"get", "pods", "-n", "shop", "-o", kSidecars});
  std::istringstream lines(pods);
  std::size_t injected = 0;
  std::size_t missed = 0;
  for (std::string names; std::getline(lines, names);) {
    ++(names == "tracekeeper-sidecar" ? injected : missed);
  }
  const std::string refused =
      Kubectl({"get", "events", "-n", "shop", "--field-selector=reason=FailedCreate"});
  std::cout << "1,000 pods during a rolling restart: all Running after " << Whole(took) << " s\n";
  EXPECT_EQ(injected, 1000U);
  EXPECT_EQ(missed, 0U);
  EXPECT_EQ(refused, "");
  Kubectl({"delete", "deployment", "-n", "shop", "burst", "--cascade=foreground"});
}

TEST_F(HighAvailability, ADrainedNodeHandsOverWithinFiveSecondsAndNoPodIsMissed) {
  const std::string leader = MoveLeaderToSecondNode();
  PodLoad load(*bed_, {.namespace_name = "shop"});
  const auto drain = [](const char* limit) {
    return bed_->RunKubectl({"drain", "node2", "--delete-emptydir-data", "--timeout", limit});
  };
  drain("1s");  // asks for the evictions and gives up waiting for the pods to end
  ASSERT_TRUE(Eventually([&leader] { return Leader() != leader; }, seconds(30)));
  const auto failover = TimeUntilAnotherLeads(leader, seconds(30));
  const auto drained = drain("120s");
  EXPECT_TRUE(drained.ok()) << drained.err;
  Kubectl({"uncordon", "node2"});
  Settle();
  const PodLoadResult pods = load.Stop();
  Report("node drained", failover, pods);
  EXPECT_LE(Whole(failover), 5);
  EXPECT_EQ(pods.missed, 0U) << pods;
  EXPECT_EQ(pods.refused, 0U) << pods;
}

TEST_F(HighAvailability, ALeaderThatIsKilledIsFollowedWithinTwentySeconds) {
  PodLoad load(*bed_, {.namespace_name = "shop"});
  const std::string leader = Leader();
  const auto replicas = Replicas();
  const auto leading = std::ranges::find(replicas, leader, &Replica::name);
  ASSERT_NE(leading, replicas.end());
  Kill(leading->uid);
  const std::string before = Renewed();
  const auto began = Clock::now();
  // The same pod after the restart of its container, or the other one.
  const bool led = Eventually([&before] { return Renewed() > before; }, seconds(60));
  EXPECT_TRUE(led);
  const auto failover = Clock::now() - began;
  Settle();
  const PodLoadResult pods = load.Stop();
  Report("leader killed", failover, pods);
  EXPECT_LE(Whole(failover), 20);
  EXPECT_EQ(pods.refused, 0U) << pods;
}

TEST_F(HighAvailability, ALeaderCutOffFromTheApiServerIsFollowedAndInjectionGoesOn) {
  const std::string leader = MoveLeaderToSecondNode();
  PodLoad load(*bed_, {.namespace_name = "shop"});
  ASSERT_TRUE(bed_->Unplug("node2"));
  const auto failover = TimeUntilAnotherLeads(leader, seconds(60));
  EXPECT_TRUE(Grows(load, 200)) << load.result();
  ASSERT_TRUE(bed_->Plug("node2"));
  const PodLoadResult pods = load.Stop();
  Report("leader cut off", failover, pods);
  EXPECT_LE(Whole(failover), 20);
  EXPECT_EQ(pods.refused, 0U) << pods;
}

TEST_F(HighAvailability, ANodeWithoutPowerCostsSecondsNotTheMinuteThatKubernetesNeeds) {
  const std::string leader = MoveLeaderToSecondNode();
  PodLoad load(*bed_, {.namespace_name = "shop"});
  ASSERT_TRUE(bed_->PowerOff("node2"));
  const auto lost = Clock::now();
  const auto failover = TimeUntilAnotherLeads(leader, seconds(60));
  // The replica that is left has the lost one evicted; from then on no pod meets it.
  const bool evicted = Eventually(
      [&leader] {
        const auto pod = bed_->RunKubectl({"get", "pod", "-n", "tracekeeper-system", leader, "-o",
                                           "jsonpath={.metadata.deletionTimestamp}"});
        return !pod.ok() || !pod.out.empty();
      },
      seconds(30));
  EXPECT_TRUE(evicted);
  const auto until_evicted = Clock::now() - lost;
  // The rules of Services have followed when the next hundred are injected.
  EXPECT_TRUE(Grows(load, 100));
  const PodLoadResult before = load.result();
  EXPECT_TRUE(Grows(load, 300));
  const PodLoadResult after = load.Stop();
  Report("node without power", failover, after);
  std::cout << "evicted " << Whole(until_evicted) << " s after the loss\n";
  EXPECT_LE(Whole(failover), 20);
  EXPECT_EQ(after.missed, before.missed) << "pods are still sent to the lost replica";
  EXPECT_EQ(after.refused, 0U) << after;
  ASSERT_TRUE(bed_->PowerOn("node2"));
}

}  // namespace
}  // namespace tracekeeper
