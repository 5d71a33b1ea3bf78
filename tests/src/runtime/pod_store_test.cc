#include "src/runtime/pod_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/codec/json_value.h"

namespace tracekeeper::runtime {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr std::string_view kPod = R"({
  "apiVersion": "v1", "kind": "Pod",
  "metadata": {
    "name": "checkout-7d9-x2x", "namespace": "shop",
    "uid": "00112233-4455-6677-8899-aabbccddeeff", "resourceVersion": "42",
    "creationTimestamp": "2026-01-02T03:04:05Z",
    "labels": {"app": "checkout", "pod-template-hash": "7d9", "broken": 7},
    "annotations": {"example.com/injected": "yes", "kubernetes.io/config": "a long text"},
    "ownerReferences": [
      {"kind": "Other", "name": "o", "uid": "ffffffff-0000-0000-0000-000000000000"},
      {"kind": "ReplicaSet", "name": "checkout-7d9", "controller": true,
       "uid": "aaaaaaaa-0000-0000-0000-000000000000"}],
    "managedFields": [{"manager": "kubelet"}]
  },
  "spec": {"nodeName": "node-1", "containers": [{"name": "app"}]},
  "status": {"phase": "Running",
             "conditions": [{"type": "PodScheduled", "status": "True"},
                            {"type": "Ready", "status": "True"}]}
})";

class PodStoreTest : public testing::Test {
 protected:
  Result<Pod> Project(std::string_view json) { return projection_(parser_.Parse(json).value()); }

  codec::JsonParser parser_;
  PodProjection projection_{{"example.com/injected", "absent"}};
};

TEST_F(PodStoreTest, KeepsWhatControllersRead) {
  const Pod pod = Project(kPod).value();
  EXPECT_EQ(pod.key(), (kube::ObjectKey{"shop", "checkout-7d9-x2x"}));
  EXPECT_EQ(pod.uid(), ParseUid("00112233-4455-6677-8899-aabbccddeeff"));
  EXPECT_EQ(pod.node(), "node-1");
  EXPECT_EQ(pod.phase(), PodPhase::kRunning);
  EXPECT_TRUE(pod.ready());
  EXPECT_FALSE(pod.being_deleted());
  EXPECT_FALSE(pod.finished());
  EXPECT_EQ(pod.creation_time(),
            Instant(std::chrono::sys_days(std::chrono::year(2026) / 1 / 2)) + 3h + 4min + 5s);
  EXPECT_EQ(pod.owner_kind(), "ReplicaSet");
  EXPECT_EQ(pod.owner_name(), "checkout-7d9");
  EXPECT_EQ(pod.owner_uid(), ParseUid("aaaaaaaa-0000-0000-0000-000000000000"));
}

TEST_F(PodStoreTest, KeepsAllLabelsAndTheNamedAnnotations) {
  const Pod pod = Project(kPod).value();
  EXPECT_EQ(pod.Label("app"), "checkout");
  EXPECT_EQ(pod.Label("pod-template-hash"), "7d9");
  EXPECT_EQ(pod.Label("broken"), std::nullopt);
  EXPECT_EQ(pod.Label("none"), std::nullopt);
  EXPECT_THAT(pod.Labels(), ElementsAre(testing::Pair("app", "checkout"),
                                        testing::Pair("pod-template-hash", "7d9")));
  EXPECT_EQ(pod.Annotation("example.com/injected"), "yes");
  EXPECT_EQ(pod.Annotation("kubernetes.io/config"), std::nullopt);
  EXPECT_EQ(pod.Annotation("absent"), std::nullopt);
}

TEST_F(PodStoreTest, ReadsAPodThatHasAlmostNothing) {
  const Pod pod = Project(R"({"metadata": {"name": "a", "namespace": "n",
                              "deletionTimestamp": "2026-01-02T03:04:05Z"},
                              "status": {"phase": "Failed"}})")
                      .value();
  EXPECT_TRUE(pod.node().empty());
  EXPECT_TRUE(pod.owner_kind().empty());
  EXPECT_TRUE(pod.owner_uid().empty());
  EXPECT_TRUE(pod.being_deleted());
  EXPECT_TRUE(pod.finished());
  EXPECT_FALSE(pod.ready());
}

TEST_F(PodStoreTest, RefusesWhatHasNoName) {
  EXPECT_EQ(Project(R"({"metadata": {}})").error().kind, ErrorKind::kDecode);
  EXPECT_EQ(Project(R"([])").error().kind, ErrorKind::kDecode);
}

TEST_F(PodStoreTest, SharesWhatRepeats) {
  const Pod first = Project(kPod).value();
  const Pod second = Project(kPod).value();
  EXPECT_EQ(first.namespace_name().data(), second.namespace_name().data());
  EXPECT_EQ(first.node().data(), second.node().data());
  EXPECT_EQ(first.Label("app")->data(), second.Label("app")->data());
}

TEST_F(PodStoreTest, IsFoundByNamespaceNodeAndOwner) {
  Log log(LogLevel::kError);
  Store<Pod> store("pods", projection_, Logger(log));
  const PodIndexes indexes = AddPodIndexes(store);
  store.Upsert(parser_.Parse(kPod).value());
  EXPECT_EQ(store.Count(indexes.by_namespace, "shop"), 1U);
  EXPECT_EQ(store.Count(indexes.by_node, "node-1"), 1U);
  const Uid owner = ParseUid("aaaaaaaa-0000-0000-0000-000000000000");
  const auto owned = store.Lookup(indexes.by_owner, owner.view());
  ASSERT_EQ(owned.size(), 1U);
  EXPECT_EQ(owned.front()->name(), "checkout-7d9-x2x");
}

TEST(PodPhase, NamesAreKubernetes) {
  EXPECT_EQ(NameOf(PodPhase::kPending), "Pending");
  EXPECT_EQ(NameOf(PodPhase::kUnknown), "Unknown");
}

}  // namespace
}  // namespace tracekeeper::runtime
