#include "operator/domain/drift.h"

#include <gtest/gtest.h>

#include <string>

#include "operator/domain/node_capability.h"
#include "operator/domain/quality_of_service.h"
#include "tests/operator/domain/test_policies.h"

namespace tracekeeper::domain {
namespace {

constexpr std::string_view kPod =
    R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"app"}]}})";

InjectionState StateOf(std::string_view pod, const CompiledPolicy& policy,
                       NodeCapability nodes = {}) {
  const kube::Document document = Json(pod);
  return DriftOf(ProjectPod(document.root()), policy, nodes).state;
}

TEST(Drift, TellsInjectedFromOutdatedFromMissing) {
  const PolicyPointer policy = PolicyWith("{}");
  const PolicyPointer newer = PolicyWith(R"({"sampling":{"head":{"ratio":"0.5"}}})");
  const std::string injected = Injected(kPod, *policy);
  EXPECT_EQ(StateOf(injected, *policy), InjectionState::kInjected);
  EXPECT_EQ(StateOf(injected, *newer), InjectionState::kOutdated);
  EXPECT_EQ(StateOf(kPod, *policy), InjectionState::kMissing);
}

TEST(Drift, DoesNotMissPodsThatCanNeverBeInjected) {
  const PolicyPointer policy = PolicyWith("{}");
  for (
      const std::string_view pod :
      {R"({"metadata":{"labels":{"tracekeeper.dev/inject":"false"}},"spec":{"containers":[{"name":"a"}]}})",
       R"({"metadata":{},"spec":{"hostNetwork":true,"containers":[{"name":"a"}]}})",
       R"({"metadata":{},"spec":{"containers":[{"name":"a","ports":[{"containerPort":4318}]}]}})",
       R"({"metadata":{},"spec":{"containers":[{"name":"tracekeeper-sidecar"}]}})"}) {
    EXPECT_EQ(StateOf(pod, *policy), InjectionState::kSkipped) << pod;
  }
  constexpr std::string_view kJobPod =
      R"({"metadata":{"ownerReferences":[{"kind":"Job","name":"j","controller":true}]},"spec":{"containers":[{"name":"a"}]}})";
  EXPECT_EQ(StateOf(kJobPod, *policy), InjectionState::kMissing);
  EXPECT_EQ(StateOf(kJobPod, *policy, {.native_sidecars = false}), InjectionState::kSkipped);
}

TEST(Drift, DoesNotCountPodsThatEnded) {
  const PolicyPointer policy = PolicyWith("{}");
  EXPECT_EQ(
      StateOf(
          R"({"metadata":{},"spec":{"containers":[{"name":"a"}]},"status":{"phase":"Succeeded"}})",
          *policy),
      InjectionState::kEnded);
  EXPECT_EQ(
      StateOf(
          R"({"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"},"spec":{"containers":[{"name":"a"}]}})",
          *policy),
      InjectionState::kEnded);
}

TEST(NodeCapability, OneOldKubeletIsEnoughToSayNo) {
  const std::string_view modern[] = {"v1.34.4", "v1.29.0-gke.1"};
  const std::string_view skewed[] = {"v1.34.4", "v1.28.9"};
  const std::string_view odd[] = {"v1.34.4", "unknown"};
  EXPECT_TRUE(CapabilityOf("v1.34.4", modern).native_sidecars);
  EXPECT_TRUE(CapabilityOf("1.30+", {}).native_sidecars);
  EXPECT_FALSE(CapabilityOf("v1.28.4", modern).native_sidecars);
  EXPECT_FALSE(CapabilityOf("v1.34.4", skewed).native_sidecars);
  EXPECT_FALSE(CapabilityOf("v1.34.4", odd).native_sidecars);
}

TEST(Quantity, ReadsWhatPodsHold) {
  EXPECT_EQ(ParseQuantity("100m"), ParseQuantity("0.1"));
  EXPECT_EQ(ParseQuantity("64Mi"), ParseQuantity("65536Ki"));
  EXPECT_EQ(ParseQuantity("1E"), 1e18);
  EXPECT_EQ(ParseQuantity("1e3"), 1000);
  EXPECT_EQ(ParseQuantity("1k"), 1000);
  EXPECT_EQ(ParseQuantity(""), std::nullopt);
  EXPECT_EQ(ParseQuantity("many"), std::nullopt);
  EXPECT_EQ(ParseQuantity("1Mib"), std::nullopt);
}

}  // namespace
}  // namespace tracekeeper::domain
