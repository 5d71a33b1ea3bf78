// The test cluster with real nodes: kubelet, containerd and kube-proxy in namespaces of their own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/bed_leftovers.h"
#include "tests/support/bed.h"
#include "tests/support/folders.h"

namespace tracekeeper::test_support {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

constexpr std::string_view kWebDeployment = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: web
        image: bed.local/testtool:1
        imagePullPolicy: Never
        args: [web, --ready-after=1s]
        env: [{name: GREETING, value: hello}]
        readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
)";

class BedNodeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!Bed::WhyNot({.nodes = 1})) bed = StartBed({.nodes = 1});
  }
  static void TearDownTestSuite() {
    if (!bed) return;
    const fs::path folder = bed->folder();
    const std::string cgroup = StateOf(folder, "cgroup");
    EXPECT_THAT(CgroupsNamed(cgroup), Not(IsEmpty()));
    bed.reset();
    ExpectNothingIsLeft(folder);
    EXPECT_THAT(CgroupsNamed(cgroup), IsEmpty());
  }
  void SetUp() override {
    SKIP_WITHOUT_NODES();
    ASSERT_TRUE(bed);
  }

  static inline std::unique_ptr<Bed> bed;
};

TEST_F(BedNodeTest, DeploymentRunsOnARealNode) {
  ASSERT_EQ(bed->nodes().size(), 1U);
  EXPECT_EQ(bed->nodes()[0].name, "node1");
  ASSERT_TRUE(bed->RunKubectl({"apply", "-f", "-"}, kWebDeployment).ok());
  const auto rollout = bed->RunKubectl({"rollout", "status", "deployment/web", "--timeout=60s"});
  ASSERT_TRUE(rollout.ok()) << rollout.out << rollout.err
                            << bed->RunKubectl({"describe", "pods"}).out;

  const auto pod = bed->RunKubectl(
      {"get", "pods", "-o", "jsonpath={.items[0].status.podIP} {.items[0].status.phase}"});
  EXPECT_THAT(pod.out, HasSubstr("Running"));
  const std::string address = pod.out.substr(0, pod.out.find(' '));
  const auto environment = bed->Enter({"curl", "-sS", "http://" + address + ":8080/env"});
  ASSERT_TRUE(environment) << environment.error().message;
  EXPECT_THAT(environment->out, HasSubstr("GREETING=hello")) << environment->err;
  EXPECT_THAT(bed->RunKubectl({"logs", "deployment/web"}).out, HasSubstr("listening"));
  EXPECT_THAT(bed->RunKubectl({"exec", "deployment/web", "--", "/bin/id", "-u"}).out,
              HasSubstr("65532"));
}

TEST_F(BedNodeTest, ImportedImageOfADynamicProgramRunsWithoutARegistry) {
  const fs::path archive = bed->folder() / "dynamic.tar";
  const auto made =
      RunProcess({.argv = {(test_support::SourceFolder() / "tools/images/make_image.py").string(),
                           archive, "bed.local/dynamic:1", "--program", "/bin/date=/bin/date",
                           "--entry", R"(["/bin/date"])", "--cmd", R"(["+made of libraries"])",
                           "--env", "TZ=UTC", "--user", "65532:65532"}});
  ASSERT_TRUE(made && made->ok()) << (made ? made->err : made.error().message);
  const auto loaded = bed->LoadImage(archive);
  ASSERT_TRUE(loaded) << loaded.error().message;

  ASSERT_TRUE(bed->RunKubectl({"run", "dynamic", "--image=bed.local/dynamic:1", "--restart=Never",
                               "--image-pull-policy=Never"})
                  .ok());
  const auto ended = bed->WaitForKubectl({"get", "pod", "dynamic"}, "Completed", 30s);
  EXPECT_TRUE(ended) << ended.error().message;
  EXPECT_THAT(bed->RunKubectl({"logs", "dynamic"}).out, HasSubstr("made of libraries"));
}

TEST_F(BedNodeTest, ProgramsInsideAndOutsideUseTheSameKubeconfig) {
  EXPECT_THAT(bed->RunKubectl({"get", "nodes"}).out, HasSubstr("node1"));
  const auto inside = bed->Enter({(bed->folder() / "bin/kubectl").string(), "get", "nodes"});
  ASSERT_TRUE(inside) << inside.error().message;
  EXPECT_THAT(inside->out, HasSubstr("node1")) << inside->err;
}

TEST(BedNodesTest, EveryNodeOfThreeRunsPods) {
  SKIP_WITHOUT_NODES();
  const auto bed = StartBed({.nodes = 3});
  ASSERT_TRUE(bed);
  std::string daemon_set(kWebDeployment);
  daemon_set.replace(daemon_set.find("kind: Deployment"), 16, "kind: DaemonSet");
  daemon_set.erase(daemon_set.find("  replicas: 1\n"), 14);
  ASSERT_TRUE(bed->RunKubectl({"apply", "-f", "-"}, daemon_set).ok());
  const auto rollout = bed->RunKubectl({"rollout", "status", "daemonset/web", "--timeout=60s"});
  EXPECT_TRUE(rollout.ok()) << rollout.out << rollout.err;
  const auto where = bed->RunKubectl({"get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}"});
  for (const BedNode& node : bed->nodes()) EXPECT_THAT(where.out, HasSubstr(node.name));
}

}  // namespace
}  // namespace tracekeeper::test_support
