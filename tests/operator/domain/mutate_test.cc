// What a pod looks like after injection, and the pods that get none. Precedence of variables is in
// environment_test.cc, laws on generated pods in mutate_property_test.cc.

#include "operator/domain/mutate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "operator/domain/names.h"
#include "operator/domain/undo.h"
#include "tests/operator/domain/test_policies.h"

namespace tracekeeper::domain {
namespace {

constexpr std::string_view kDeploymentPod = R"({
  "apiVersion":"v1","kind":"Pod",
  "metadata":{"generateName":"web-7c9d-","labels":{"app":"web","pod-template-hash":"7c9d"},
    "annotations":{"team":"shop"},
    "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-7c9d","uid":"1",
                        "controller":true}]},
  "spec":{"initContainers":[{"name":"migrate","image":"m:1"}],
    "containers":[{"name":"app","image":"shop/web:1.4","env":[{"name":"A","value":"1"}]}],
    "volumes":[{"name":"data","emptyDir":{}}]}})";

std::vector<std::string> NamesIn(const codec::JsonValue& list) {
  std::vector<std::string> names;
  for (const codec::JsonValue item : list.Elements()) names.emplace_back(item["name"].StringOr(""));
  return names;
}

TEST(Mutate, PutsTheNativeSidecarBeforeAllInitContainers) {
  const PolicyPointer policy = PolicyWith("{}");
  const kube::Document pod = Json(Injected(kDeploymentPod, *policy));
  EXPECT_THAT(NamesIn(pod["spec"]["initContainers"]),
              testing::ElementsAre("tracekeeper-sidecar", "migrate"));
  EXPECT_THAT(NamesIn(pod["spec"]["containers"]), testing::ElementsAre("app"));
  const codec::JsonValue sidecar = ContainerOf(pod.root(), kSidecarContainer);
  EXPECT_EQ(sidecar["restartPolicy"].StringOr(""), "Always");
  EXPECT_EQ(sidecar["startupProbe"]["httpGet"]["path"].StringOr(""), "/healthz");
  EXPECT_EQ(sidecar["image"].StringOr(""), "registry.test/tracekeeper-sidecar:0.1.0");
  EXPECT_FALSE(sidecar["readinessProbe"]) << "the pod's readiness is the application's";
}

TEST(Mutate, LetsInitContainersSendSpansBesideANativeSidecar) {
  const PolicyPointer policy = PolicyWith("{}");
  const kube::Document pod = Json(Injected(kDeploymentPod, *policy));
  EXPECT_EQ(VariableOf(pod.root(), "migrate", "OTEL_EXPORTER_OTLP_ENDPOINT"),
            "=http://127.0.0.1:4318");
  EXPECT_EQ(VariableOf(pod.root(), "app", "OTEL_SERVICE_NAME"), "=web");
}

TEST(Mutate, FallsBackToAPlainContainerOnOldNodes) {
  const PolicyPointer policy = PolicyWith("{}");
  const MutateContext old_nodes{.namespace_name = "shop", .nodes = {.native_sidecars = false}};
  const kube::Document pod = Json(Injected(kDeploymentPod, *policy, old_nodes));
  EXPECT_THAT(NamesIn(pod["spec"]["containers"]),
              testing::ElementsAre("app", "tracekeeper-sidecar"));
  EXPECT_FALSE(ContainerOf(pod.root(), kSidecarContainer)["restartPolicy"]);
  EXPECT_EQ(VariableOf(pod.root(), "migrate", "OTEL_EXPORTER_OTLP_ENDPOINT"), "absent")
      << "nobody listens while init containers run";
  const Mutation mutation = MutateText(kDeploymentPod, *policy, old_nodes);
  EXPECT_THAT(mutation.findings, testing::Contains(Finding{Reason::kSidecarAsPlainContainer, ""}));
}

TEST(Mutate, TheSidecarSatisfiesRestrictedByItselfAndGetsNoToken) {
  const PolicyPointer policy =
      PolicyWith(R"({"injection":{"instrumentation":{"java":{"image":"j"}}}})");
  const kube::Document pod = Json(Injected(kDeploymentPod, *policy));
  for (const std::string_view name : {"tracekeeper-sidecar", "tracekeeper-agent-java"}) {
    const codec::JsonValue container = ContainerOf(pod.root(), name);
    EXPECT_EQ(
        container["securityContext"].ToCanonicalJson(),
        R"({"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},)"
        R"("privileged":false,"readOnlyRootFilesystem":true,"runAsGroup":65532,)"
        R"("runAsNonRoot":true,"runAsUser":65532,"seccompProfile":{"type":"RuntimeDefault"}})");
    EXPECT_TRUE(container["resources"]["limits"]["memory"].is_string());
    std::string mounts;
    for (const codec::JsonValue mount : container["volumeMounts"].Elements()) {
      if (mount["mountPath"].StringOr("") == kServiceAccountPath)
        mounts = mount["name"].StringOr("");
    }
    EXPECT_EQ(mounts, kNoTokenVolume);
  }
}

TEST(Mutate, MountsConfigurationAndCredentialAsOptional) {
  const PolicyPointer policy = PolicyWith(
      R"({"export":{"endpoint":"https://c:4317","auth":{"secretRef":{"name":"otlp","key":"token"}},
          "tls":{"ca":{"configMapRef":{"name":"ca","key":"ca.crt"}},
                 "clientCertificate":{"secretName":"client"}}}})");
  const kube::Document pod = Json(Injected(kDeploymentPod, *policy));
  EXPECT_THAT(
      NamesIn(pod["spec"]["volumes"]),
      testing::ElementsAre("data", "tracekeeper-config", "tracekeeper-credential",
                           "tracekeeper-tls-ca", "tracekeeper-tls-client", "tracekeeper-no-token"));
  for (const codec::JsonValue volume : pod["spec"]["volumes"].Elements()) {
    for (const std::string_view source : {"configMap", "secret"}) {
      if (!volume[source]) continue;
      EXPECT_TRUE(volume[source]["optional"].BoolOr(false)) << volume.ToJson();
    }
  }
}

TEST(Mutate, RecordsPolicyGenerationDigestAndWhatItAdded) {
  const PolicyPointer policy = PolicyWith("{}");
  const kube::Document pod = Json(Injected(kDeploymentPod, *policy));
  const codec::JsonValue annotations = pod["metadata"]["annotations"];
  EXPECT_EQ(annotations["team"].StringOr(""), "shop");
  EXPECT_EQ(annotations[kPolicyAnnotation].StringOr(""), "shop/checkout");
  EXPECT_EQ(annotations[kGenerationAnnotation].StringOr(""), "7");
  EXPECT_EQ(annotations[kDigestAnnotation].StringOr(""), policy->digest);
  EXPECT_EQ(Canonical(*Undo(pod.root())), Canonical(kDeploymentPod));
}

TEST(Mutate, SwitchesAgentsOnInApplicationContainersOnly) {
  const PolicyPointer policy =
      PolicyWith(R"({"injection":{"instrumentation":{"java":{"image":"agents.test/java:2"}}}})");
  const kube::Document pod = Json(Injected(kDeploymentPod, *policy));
  EXPECT_THAT(NamesIn(pod["spec"]["initContainers"]),
              testing::ElementsAre("tracekeeper-sidecar", "tracekeeper-agent-java", "migrate"));
  EXPECT_EQ(VariableOf(pod.root(), "migrate", "JAVA_TOOL_OPTIONS"), "absent");
  EXPECT_EQ(VariableOf(pod.root(), "app", "JAVA_TOOL_OPTIONS"),
            "=-javaagent:/opt/tracekeeper/agent/java/javaagent.jar");
}

TEST(Mutate, CopiesNoAgentThatNobodyUses) {
  const PolicyPointer policy =
      PolicyWith(R"({"injection":{"instrumentation":{"java":{"image":"agents.test/java:2"}}}})");
  const kube::Document pod =
      Json(Injected(PodWithContainer(R"(,"envFrom":[{"configMapRef":{"name":"c"}}])"), *policy));
  EXPECT_THAT(NamesIn(pod["spec"]["initContainers"]), testing::ElementsAre("tracekeeper-sidecar"));
}

TEST(Mutate, TouchesOnlyTheContainersThatThePolicyNames) {
  const PolicyPointer policy = PolicyWith(R"({"injection":{"containers":["app","absent"]}})");
  const kube::Document pod = Json(Injected(kDeploymentPod, *policy));
  EXPECT_EQ(VariableOf(pod.root(), "migrate", "OTEL_SERVICE_NAME"), "absent");
  EXPECT_EQ(VariableOf(pod.root(), "app", "OTEL_SERVICE_NAME"), "=web");
  EXPECT_THAT(MutateText(kDeploymentPod, *policy).findings,
              testing::Contains(Finding{Reason::kContainerNotFound, "absent"}));
}

TEST(Mutate, SaysWhenTheQualityOfServiceClassChanges) {
  const PolicyPointer policy = PolicyWith("{}");
  EXPECT_THAT(MutateText(kDeploymentPod, *policy).findings,
              testing::Contains(Finding{Reason::kQosChanged, "BestEffort to Burstable"}));
  const std::string guaranteed = PodWithContainer(
      R"(,"resources":{"requests":{"cpu":"0.1","memory":"64Mi"},"limits":{"cpu":"100m","memory":"65536Ki"}})");
  EXPECT_THAT(MutateText(guaranteed, *policy).findings,
              testing::Contains(Finding{Reason::kQosChanged, "Guaranteed to Burstable"}));
  const PolicyPointer equal = PolicyWith(
      R"({"injection":{"sidecar":{"resources":{"limits":{"cpu":"100m","memory":"64Mi"}}}}})");
  EXPECT_THAT(MutateText(guaranteed, *equal).findings,
              testing::ElementsAre(Finding{Reason::kInjected, ""}));
}

TEST(Mutate, KeepsAnEarlierPassAndCoversAContainerThatCameLater) {
  const PolicyPointer policy = PolicyWith("{}");
  const std::string once = Injected(kDeploymentPod, *policy);
  const Mutation again = MutateText(once, *policy);
  EXPECT_EQ(again.outcome, Outcome::kUnchanged);
  EXPECT_EQ(again.reason, Reason::kAlreadyInjected);
  EXPECT_EQ(again.patch, "");
}

TEST(Mutate, LeavesAnOlderInjectionOfACopiedTemplateAsItIs) {
  const std::string once = Injected(kDeploymentPod, *PolicyWith("{}"));
  const PolicyPointer newer = PolicyWith(R"({"sampling":{"head":{"ratio":"0.5"}}})");
  EXPECT_EQ(MutateText(once, *newer).reason, Reason::kSkippedOlderInjection);
  const PolicyPointer other = PolicyWith("{}", "shop/other");
  EXPECT_EQ(MutateText(once, *other).reason, Reason::kSkippedOlderInjection);
}

TEST(Mutate, AChangeThatTheSidecarReadsLiveKeepsTheDigest) {
  const PolicyPointer before = PolicyWith(R"({"export":{"endpoint":"https://a:4317"}})");
  const PolicyPointer after = PolicyWith(
      R"({"export":{"endpoint":"https://b:4317"},"sampling":{"sidecar":{"ratio":"0.1"}}})");
  const PolicyPointer restart = PolicyWith(R"({"sampling":{"head":{"ratio":"0.1"}}})");
  EXPECT_EQ(before->digest, after->digest);
  EXPECT_NE(before->digest, restart->digest);
}

TEST(Mutate, ClaimsNothingInAPodWithResourcesAsAWhole) {
  const PolicyPointer policy =
      PolicyWith(R"({"injection":{"instrumentation":{"java":{"image":"j"}}}})");
  constexpr std::string_view kPod =
      R"({"metadata":{"name":"p"},"spec":{"resources":{"limits":{"cpu":"1","memory":"1Gi"}},
          "containers":[{"name":"app"}]}})";
  const kube::Document pod = Json(Injected(kPod, *policy));
  EXPECT_FALSE(ContainerOf(pod.root(), kSidecarContainer)["resources"]);
  EXPECT_FALSE(ContainerOf(pod.root(), "tracekeeper-agent-java")["resources"]);
  EXPECT_THAT(MutateText(kPod, *policy).findings,
              testing::ElementsAre(Finding{Reason::kInjected, ""}));
}

struct SkipCase {
  std::string_view name;
  std::string_view pod;
  Reason reason;
  bool native_nodes = true;
};

const SkipCase kSkips[] = {
    {"opted_out_by_label",
     R"({"metadata":{"labels":{"tracekeeper.dev/inject":"false"}},"spec":{"containers":[{"name":"a"}]}})",
     Reason::kSkippedOptedOut},
    {"opted_out_by_annotation",
     R"({"metadata":{"annotations":{"tracekeeper.dev/inject":"false"}},"spec":{"containers":[{"name":"a"}]}})",
     Reason::kSkippedOptedOut},
    {"host_network", R"({"metadata":{},"spec":{"hostNetwork":true,"containers":[{"name":"a"}]}})",
     Reason::kSkippedHostNetwork},
    {"windows_by_os",
     R"({"metadata":{},"spec":{"os":{"name":"windows"},"containers":[{"name":"a"}]}})",
     Reason::kSkippedWindows},
    {"windows_by_node_selector",
     R"({"metadata":{},"spec":{"nodeSelector":{"kubernetes.io/os":"windows"},"containers":[{"name":"a"}]}})",
     Reason::kSkippedWindows},
    {"static_pod",
     R"({"metadata":{"annotations":{"kubernetes.io/config.mirror":"x"}},"spec":{"containers":[{"name":"a"}]}})",
     Reason::kSkippedStaticPod},
    {"port_conflict",
     R"({"metadata":{},"spec":{"containers":[{"name":"a","ports":[{"containerPort":4317}]}]}})",
     Reason::kSkippedPortConflict},
    {"port_conflict_of_an_init_container",
     R"({"metadata":{},"spec":{"initContainers":[{"name":"i","ports":[{"containerPort":9465}]}],"containers":[{"name":"a"}]}})",
     Reason::kSkippedPortConflict},
    {"udp_is_no_port_conflict",
     R"({"metadata":{},"spec":{"containers":[{"name":"a","ports":[{"containerPort":4317,"protocol":"UDP"}]}]}})",
     Reason::kInjected},
    {"container_of_our_name",
     R"({"metadata":{},"spec":{"containers":[{"name":"a"},{"name":"tracekeeper-sidecar"}]}})",
     Reason::kSkippedNameConflict},
    {"volume_of_our_name",
     R"({"metadata":{},"spec":{"containers":[{"name":"a"}],"volumes":[{"name":"tracekeeper-config"}]}})",
     Reason::kSkippedNameConflict},
    {"annotation_of_our_name",
     R"({"metadata":{"annotations":{"tracekeeper.dev/digest":"x"}},"spec":{"containers":[{"name":"a"}]}})",
     Reason::kSkippedNameConflict},
    {"record_without_a_sidecar",
     R"({"metadata":{"annotations":{"tracekeeper.dev/injection":"{}"}},"spec":{"containers":[{"name":"a"}]}})",
     Reason::kSkippedOlderInjection},
    {"record_that_is_no_json",
     R"({"metadata":{"annotations":{"tracekeeper.dev/injection":"}"}},"spec":{"containers":[{"name":"tracekeeper-sidecar"}]}})",
     Reason::kSkippedOlderInjection},
    {"job_on_old_nodes",
     R"({"metadata":{"ownerReferences":[{"kind":"Job","name":"j","controller":true}]},"spec":{"restartPolicy":"Never","containers":[{"name":"a"}]}})",
     Reason::kSkippedJobWithoutNativeSidecar, false},
    {"pod_that_ends_on_old_nodes",
     R"({"metadata":{},"spec":{"restartPolicy":"OnFailure","containers":[{"name":"a"}]}})",
     Reason::kSkippedJobWithoutNativeSidecar, false},
    {"job_on_new_nodes",
     R"({"metadata":{"ownerReferences":[{"kind":"Job","name":"j","controller":true}]},"spec":{"restartPolicy":"Never","containers":[{"name":"a"}]}})",
     Reason::kInjected},
    {"no_containers", R"({"metadata":{},"spec":{"containers":[]}})", Reason::kSkippedInvalidPod},
    {"no_metadata", R"({"spec":{"containers":[{"name":"a"}]}})", Reason::kSkippedInvalidPod},
    {"no_object", "[1,2]", Reason::kSkippedInvalidPod},
    {"container_without_a_name", R"({"metadata":{},"spec":{"containers":[{"image":"a"}]}})",
     Reason::kSkippedInvalidPod},
    {"container_that_is_none", R"({"metadata":{},"spec":{"containers":["a"]}})",
     Reason::kSkippedInvalidPod},
    {"env_of_another_kind", R"({"metadata":{},"spec":{"containers":[{"name":"a","env":{}}]}})",
     Reason::kSkippedInvalidPod},
    {"volumes_of_another_kind",
     R"({"metadata":{},"spec":{"volumes":"x","containers":[{"name":"a"}]}})",
     Reason::kSkippedInvalidPod},
    {"annotations_of_another_kind",
     R"({"metadata":{"annotations":[]},"spec":{"containers":[{"name":"a"}]}})",
     Reason::kSkippedInvalidPod},
};

class SkipReason : public testing::TestWithParam<SkipCase> {};

TEST_P(SkipReason, IsNamedAndLeavesThePodAlone) {
  const SkipCase& c = GetParam();
  const PolicyPointer policy = PolicyWith("{}");
  const Mutation mutation = MutateText(
      c.pod, *policy, {.namespace_name = "shop", .nodes = {.native_sidecars = c.native_nodes}});
  EXPECT_EQ(NameOf(mutation.reason), NameOf(c.reason));
  EXPECT_EQ(mutation.patch.empty(), c.reason != Reason::kInjected);
  ASSERT_FALSE(mutation.findings.empty());
  EXPECT_EQ(mutation.findings.front().reason, mutation.reason);
}

INSTANTIATE_TEST_SUITE_P(Table, SkipReason, testing::ValuesIn(kSkips),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Mutate, SkipsANamespaceThatOptsOut) {
  const std::vector<Label> labels = {{kInjectLabel, "false"}};
  const Mutation mutation = MutateText(kDeploymentPod, *PolicyWith("{}"),
                                       {.namespace_name = "shop", .namespace_labels = labels});
  EXPECT_EQ(mutation.reason, Reason::kSkippedOptedOut);
}

TEST(Mutate, SkipsAPodWhoseAnnotationsWouldPassTheLimit) {
  const std::string big(262'000, 'x');
  const Mutation mutation = MutateText(R"({"metadata":{"annotations":{"big":")" + big +
                                           R"("}},"spec":{"containers":[{"name":"a"}]}})",
                                       *PolicyWith("{}"));
  EXPECT_EQ(mutation.reason, Reason::kSkippedTooLarge);
  EXPECT_EQ(mutation.patch, "");
}

TEST(Mutate, WarnsWhoeverCreatesThePodAboutWhatTheyShouldKnow) {
  const Mutation skipped =
      MutateText(R"({"metadata":{},"spec":{"hostNetwork":true,"containers":[{"name":"a"}]}})",
                 *PolicyWith("{}"));
  ASSERT_EQ(skipped.Warnings().size(), 1U);
  EXPECT_THAT(skipped.Warnings().front(), testing::StartsWith("tracekeeper: The pod uses"));
  EXPECT_TRUE(MutateText(kDeploymentPod, *PolicyWith("{}")).Warnings().empty());
}

struct SecurityCase {
  std::string_view name;
  std::string_view pod_context;        // JSON
  std::string_view container_context;  // JSON
  std::string_view want;               // the container's, canonical
  std::string_view kept = "";
};

constexpr std::string_view kAllFour =
    R"({"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}})";

const SecurityCase kSecurity[] = {
    {"nothing_set", "{}", "null", kAllFour},
    {"empty", "{}", "{}", kAllFour},
    {"pod_level_counts",
     R"({"runAsNonRoot":true,"seccompProfile":{"type":"Localhost","localhostProfile":"p"}})", "{}",
     R"({"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}})"},
    {"capabilities_join", "{}", R"({"capabilities":{"add":["NET_BIND_SERVICE"]}})",
     R"({"allowPrivilegeEscalation":false,"capabilities":{"add":["NET_BIND_SERVICE"],"drop":["ALL"]},"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}})"},
    {"root_stays_root", "{}", R"({"runAsUser":0})",
     R"({"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"runAsUser":0,"seccompProfile":{"type":"RuntimeDefault"}})",
     "container app: runAsUser"},
    {"root_of_the_pod_stays_root", R"({"runAsUser":0})", "{}",
     R"({"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"seccompProfile":{"type":"RuntimeDefault"}})",
     "container app: runAsUser"},
    {"privileged_is_left_alone", "{}", R"({"privileged":true})", R"({"privileged":true})",
     "container app: privileged"},
    {"other_drops_are_kept", "{}", R"({"capabilities":{"drop":["NET_RAW"]}})",
     R"({"allowPrivilegeEscalation":false,"capabilities":{"drop":["NET_RAW"]},"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}})",
     "container app: capabilities.drop"},
};

class SecurityDefaultsTable : public testing::TestWithParam<SecurityCase> {};

TEST_P(SecurityDefaultsTable, FillsWhatNobodyChose) {
  const SecurityCase& c = GetParam();
  const PolicyPointer policy = PolicyWith(R"({"injection":{"podSecurityDefaults":"Restricted"}})");
  const std::string pod = std::string(R"({"metadata":{"name":"p"},"spec":{"securityContext":)")
                              .append(c.pod_context)
                              .append(R"(,"containers":[{"name":"app","securityContext":)")
                              .append(c.container_context)
                              .append("}]}}");
  const kube::Document after = Json(Injected(pod, *policy));
  EXPECT_EQ(ContainerOf(after.root(), "app")["securityContext"].ToCanonicalJson(), c.want);
  EXPECT_EQ(Canonical(*Undo(after.root())), Canonical(pod));
  const std::vector<Finding> findings = MutateText(pod, *policy).findings;
  const Finding kept{Reason::kSecurityKeptUserValue, std::string(c.kept)};
  EXPECT_EQ(std::ranges::count(findings, kept), c.kept.empty() ? 0 : 1);
}

INSTANTIATE_TEST_SUITE_P(Table, SecurityDefaultsTable, testing::ValuesIn(kSecurity),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace tracekeeper::domain
