// The sidecar in a pod on a real node: injected as users get it, fed by a ConfigMap that the
// kubelet mounts and swaps.

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "src/codec/json_value.h"
#include "src/codec/json_writer.h"
#include "tests/sidecar/mounted_config_map.h"
#include "tests/support/bed.h"
#include "tests/support/folders.h"
#include "tests/support/installation.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper::sidecar {
namespace {

using test_support::Bed;
using test_support::BedOptions;
using test_support::CommandResult;
using test_support::RunProcess;
using ::testing::HasSubstr;

constexpr const char* kImage = "bed.local/tracekeeper-sidecar:test";
constexpr std::chrono::seconds kLimit{60};

constexpr const char* kPolicy = R"(
apiVersion: tracekeeper.dev/v1alpha1
kind: TracingPolicy
metadata: {name: checkout, namespace: shop, generation: 1}
spec: {selector: {}}
)";

constexpr const char* kPod = R"(
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: app
      image: bed.local/testtool:1
      imagePullPolicy: Never
      args: [web]
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
)";

class SidecarNodeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    BedOptions options{.nodes = 1};
    if (const auto why_not = Bed::WhyNot(options)) GTEST_SKIP() << *why_not;
    options.images = {folder_ / "sidecar.tar"};
    const Status made =
        test_support::MakeProgramImage("tracekeeper-sidecar", kImage, options.images.front());
    ASSERT_TRUE(made) << made.error().message;
    auto bed = Bed::Start(options);
    ASSERT_TRUE(bed) << bed.error().message;
    bed_ = *std::move(bed);
  }

  /// The pod as the webhook would make it, by the command that shares its function.
  std::string InjectedPod() {
    std::ofstream(folder_ / "policy.yaml") << kPolicy;
    const auto injected = RunProcess({.argv = {test_support::Program("tracekeeper"), "inject",
                                               "--policy", folder_ / "policy.yaml", "--namespace",
                                               "shop", "--sidecar-image", kImage, "-o", "pod"}},
                                     kPod);
    EXPECT_TRUE(injected && injected->ok());
    return injected ? injected->out : std::string();
  }

  void Apply(const std::string& text) {
    const CommandResult applied = bed_->RunKubectl({"apply", "-f", "-"}, text);
    ASSERT_TRUE(applied.ok()) << applied.err;
  }

  /// The ConfigMap that the pod mounts; injection has named it.
  void WriteConfigMap(std::int64_t generation) {
    const std::string path =
        R"(jsonpath={.spec.volumes[?(@.name=="tracekeeper-config")].configMap.name})";
    const std::string name = bed_->RunKubectl({"get", "pod", "web", "-n", "shop", "-o", path}).out;
    codec::JsonWriter json;
    json.BeginObject().Member("apiVersion", "v1").Member("kind", "ConfigMap").Key("metadata");
    json.BeginObject().Member("name", name).Member("namespace", "shop").EndObject();
    json.Key("data").BeginObject().Member("config.yaml", ConfigText(generation)).EndObject();
    json.EndObject();
    ASSERT_NO_FATAL_FAILURE(Apply(json.text()));
    // A change of the pod makes the kubelet look at its volumes now, not within a minute.
    ASSERT_TRUE(bed_->RunKubectl({"annotate", "pod", "web", "-n", "shop", "--overwrite",
                                  fmt::format("test/looked={}", generation)})
                    .ok());
  }

  std::string Ask(const std::string& path) {
    const std::string address =
        bed_->RunKubectl({"get", "pod", "web", "-n", "shop", "-o", "jsonpath={.status.podIP}"}).out;
    const auto answer =
        bed_->Enter({"curl", "-sS", "--max-time", "5", "http://" + address + ":9465" + path});
    return answer ? answer->out + answer->err : answer.error().message;
  }

  std::string WaitFor(const std::string& path, const std::string& text) {
    const auto end = std::chrono::steady_clock::now() + kLimit;
    std::string answer;
    while ((answer = Ask(path)).find(text) == std::string::npos &&
           std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return answer;
  }

  test_support::TemporaryFolder folder_{"sidecar-node"};
  std::unique_ptr<Bed> bed_;
};

TEST_F(SidecarNodeTest, RunsAsANativeSidecarAndFollowsItsConfigMap) {
  const CommandResult made = bed_->RunKubectl({"create", "namespace", "shop"});
  ASSERT_TRUE(made.ok()) << made.err;
  // It must pass the strictest level of Pod Security.
  ASSERT_TRUE(bed_->RunKubectl({"label", "namespace", "shop",
                                "pod-security.kubernetes.io/enforce=restricted"})
                  .ok());
  ASSERT_TRUE(
      bed_->WaitForKubectl({"get", "serviceaccount", "default", "-n", "shop"}, "default", kLimit));
  ASSERT_NO_FATAL_FAILURE(Apply(InjectedPod()));

  // The ConfigMap is mounted as optional: a late one holds no pod back.
  const CommandResult ready =
      bed_->RunKubectl({"wait", "--for=condition=Ready", "pod/web", "-n", "shop", "--timeout=60s"});
  ASSERT_TRUE(ready.ok()) << ready.err << bed_->RunKubectl({"describe", "pod", "-n", "shop"}).out;
  EXPECT_THAT(Ask("/readyz"), HasSubstr("not ready: waiting for /etc/tracekeeper/config"));

  ASSERT_NO_FATAL_FAILURE(WriteConfigMap(1));
  EXPECT_THAT(WaitFor("/status", ConfigDigest(1)), HasSubstr(ConfigDigest(1)));
  EXPECT_THAT(Ask("/readyz"), HasSubstr("ready: configuration " + ConfigDigest(1)));

  ASSERT_NO_FATAL_FAILURE(WriteConfigMap(2));
  EXPECT_THAT(WaitFor("/status", ConfigDigest(2)), HasSubstr(ConfigDigest(2)));
  const std::string restarts =
      bed_->RunKubectl({"get", "pod", "web", "-n", "shop", "-o",
                        "jsonpath={.status.initContainerStatuses[0].restartCount}"})
          .out;
  EXPECT_EQ(restarts, "0") << "a new configuration needs no restart";

  // Nothing of the application's identity is in the sidecar, and it ends when it is asked to.
  const CommandResult ended =
      bed_->RunKubectl({"delete", "pod", "web", "-n", "shop", "--wait", "--timeout=30s"});
  EXPECT_TRUE(ended.ok()) << ended.err;
}

}  // namespace
}  // namespace tracekeeper::sidecar
