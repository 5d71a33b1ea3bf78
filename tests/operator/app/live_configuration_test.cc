// An edit of a policy's tunable part reaches running sidecars without a restart, and the policy
// says when all have it. On a real node.

#include <fmt/format.h>

#include "tests/operator/app/node_suite.h"

namespace tracekeeper {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class LiveConfiguration : public NodeSuite {
 protected:
  static void ApplyRatio(std::string_view ratio) {
    Apply({.namespace_name = "live",
           .spec = fmt::format("selector: {{matchLabels: {{app: checkout}}}}, sampling: {{sidecar: "
                               "{{ratio: '{}'}}}}",
                               ratio)});
  }
  static std::vector<std::string> Status(std::string_view path) {
    return {
        "get", "tkp", "-n", "live", "checkout", "-o", fmt::format("jsonpath={{.status.{}}}", path)};
  }
  static std::vector<std::string> Condition(std::string_view field) {
    return Status(fmt::format("conditions[?(@.type==\"ConfigurationInSync\")].{}", field));
  }
};

TEST_F(LiveConfiguration, AnEditReachesRunningSidecarsAndTheConditionSaysWhenAllHaveIt) {
  StartOperator({.flags = {"--nudge-pods"}});
  ApplyReady({.namespace_name = "live",
              .spec = "selector: {matchLabels: {app: checkout}}, sampling: {sidecar: {ratio: "
                      "'1'}}"});
  Kubectl({"apply", "-f", "-"}, Workload("Deployment", "live", "web", "  replicas: 2\n"));
  WaitFor(Condition("reason"), "AllSidecarsInSync");
  WaitFor(Status("configuration.running[0].pods"), "2");
  const std::string before = Kubectl(Status("configuration.digest"));
  const std::vector<std::string> restarts = {
      "get",
      "pods",
      "-n",
      "live",
      "-o",
      "jsonpath={.items[*].metadata.uid} {.items[*].status.initContainerStatuses[*].restartCount}"};
  const std::string pods = Kubectl(restarts);

  ApplyRatio("0.5");
  WaitFor(Condition("status"), "False");
  EXPECT_THAT(Kubectl(Condition("message")), HasSubstr("live/web-"));
  // Nudged, it takes seconds; by itself the kubelet looks about once a minute.
  WaitFor(Condition("reason"), "AllSidecarsInSync", seconds(30));
  EXPECT_NE(Kubectl(Status("configuration.digest")), before);
  EXPECT_EQ(Kubectl(Status("configuration.running[*].digest")),
            Kubectl(Status("configuration.digest")));
  EXPECT_EQ(Kubectl(restarts), pods) << "nothing was restarted";
  EXPECT_THAT(
      Kubectl({"get", "pods", "-n", "live", "-o", "jsonpath={.items[0].metadata.annotations}"}),
      HasSubstr("tracekeeper.dev/nudged"));
}

}  // namespace
}  // namespace tracekeeper
