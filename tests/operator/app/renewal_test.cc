// Pods that run without the injection are found and renewed, on a real API server with its own
// controllers and a real node.

#include <fmt/format.h>

#include "tests/operator/app/node_suite.h"

namespace tracekeeper {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

class Renewal : public NodeSuite {
 protected:
  /// Names of the pods and of the first init container of each, "web-1:tracekeeper-sidecar".
  static std::string Pods(std::string_view namespace_name) {
    constexpr const char* kEach =
        "jsonpath={range .items[*]}{.metadata.name}:{.spec.initContainers[0].name} {end}";
    return Kubectl({"get", "pods", "-n", std::string(namespace_name), "-o", kEach});
  }
  static std::string UidOf(std::string_view namespace_name, std::string_view pod) {
    return Kubectl({"get", "pods", "-n", std::string(namespace_name), "-l",
                    fmt::format("of={}", pod), "-o", "jsonpath={.items[0].metadata.uid}"});
  }
  static std::vector<std::string> Status(std::string_view namespace_name, std::string_view path) {
    return {"get",
            "tkp",
            "-n",
            std::string(namespace_name),
            "checkout",
            "-o",
            fmt::format("jsonpath={{.status.{}}}", path)};
  }
};

TEST_F(Renewal, PodsMadeWhileNoOperatorRanAreFoundAndEvictedAsTheirBudgetAllows) {
  Kubectl({"create", "namespace", "evict"});
  Kubectl({"apply", "-f", "-"},
          Workload("Deployment", "evict", "web", "  replicas: 2\n") +
              Workload("Job", "evict", "once") +
              "---\napiVersion: policy/v1\nkind: PodDisruptionBudget\n"
              "metadata: {name: web, namespace: evict}\n"
              "spec: {maxUnavailable: 0, selector: {matchLabels: {of: web}}}\n"
              "---\napiVersion: v1\nkind: Pod\n"
              "metadata: {name: bare, namespace: evict, labels: {app: checkout, of: bare}}\n"
              "spec: {containers: [{name: app, image: 'bed.local/testtool:1', imagePullPolicy: "
              "Never, args: [web]}]}\n");
  WaitFor({"get", "pods", "-n", "evict", "-o", "jsonpath={.items[*].status.phase}"},
          "Running Running Running Running");
  Kubectl({"apply", "-f", "-"},
          "apiVersion: tracekeeper.dev/v1alpha1\nkind: TracingPolicy\n"
          "metadata: {name: checkout, namespace: evict}\nspec: {selector: {matchLabels: {app: "
          "checkout}}, injection: {rollout: {strategy: Evict, minInterval: 1s}}}\n");
  const std::string bare = UidOf("evict", "bare");
  const std::string once = UidOf("evict", "once");

  StartOperator();
  WaitFor(Status("evict", "reasons[?(@.reason==\"missing_injection\")].pods"), "4", seconds(30));
  WaitFor(Status("evict", "rollout.workloads[0].state"), "Waiting");
  EXPECT_THAT(Kubectl(Status("evict", "rollout.workloads[0].message")),
              HasSubstr("disruption budget"));
  EXPECT_THAT(Pods("evict"), Not(HasSubstr("tracekeeper-sidecar")));

  Kubectl({"patch", "pdb", "-n", "evict", "web", "--type=merge", "-p",
           R"({"spec":{"maxUnavailable":1}})"});
  WaitFor(Status("evict", "injectedPods"), "2", seconds(90));
  WaitFor({"get", "events", "-n", "evict"}, "Renewed");
  EXPECT_EQ(Kubectl(Status("evict", "rollout.workloads")), "");
  EXPECT_EQ(Kubectl(Status("evict", "reasons[?(@.reason==\"renewal_left_to_owner\")].pods")), "2");
  EXPECT_EQ(UidOf("evict", "bare"), bare) << "nobody would make it again";
  EXPECT_EQ(UidOf("evict", "once"), once);
}

TEST_F(Renewal, TemplateRestartsDeploymentStatefulSetAndDaemonSet) {
  if (operator_ == nullptr) StartOperator();
  Kubectl({"create", "namespace", "template"});
  Kubectl({"apply", "-f", "-"}, Workload("Deployment", "template", "web") +
                                    Workload("StatefulSet", "template", "db") +
                                    Workload("DaemonSet", "template", "agent"));
  WaitFor({"get", "pods", "-n", "template", "-o", "jsonpath={.items[*].status.phase}"},
          "Running Running Running");
  EXPECT_THAT(Pods("template"), Not(HasSubstr("tracekeeper-sidecar")));
  ApplyReady({.namespace_name = "template",
              .spec = "selector: {matchLabels: {app: checkout}}, injection: {rollout: {strategy: "
                      "Template, maxConcurrent: 3, minInterval: 1s}}"});
  WaitFor(Status("template", "injectedPods"), "3", seconds(90));
  WaitFor({"get", "events", "-n", "template", "-o",
           "jsonpath={.items[?(@.reason==\"Renewed\")].note}{.items[*].message}"},
          "Ready");
  for (const char* workload : {"deployment/web", "statefulset/db", "daemonset/agent"}) {
    EXPECT_THAT(Kubectl({"get", "-n", "template", workload, "-o",
                         "jsonpath={.spec.template.metadata.annotations}"}),
                HasSubstr("tracekeeper.dev/renewed-for"))
        << workload;
  }
  // Once: nothing is restarted again by a leader that comes later.
  const std::string generation =
      Kubectl({"get", "-n", "template", "deployment/web", "-o", "jsonpath={.metadata.generation}"});
  StartOperator();
  WaitFor(Status("template", "injectedPods"), "3");
  EXPECT_EQ(
      Kubectl({"get", "-n", "template", "deployment/web", "-o", "jsonpath={.metadata.generation}"}),
      generation);
}

}  // namespace
}  // namespace tracekeeper
