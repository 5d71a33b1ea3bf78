// The precedence matrix: for each variable and each way in which a container can hold it, what the
// container has afterwards and what is said about it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/operator/domain/test_policies.h"

namespace tracekeeper::domain {
namespace {

constexpr std::string_view kSpec = R"({
  "propagation": {"propagators": ["tracecontext", "baggage"], "emit": ["tracecontext"]},
  "sampling": {"head": {"ratio": "0.25"}},
  "injection": {"instrumentation": {"java": {"image": "agents.test/java:2"},
                                    "python": {"image": "agents.test/python:2"}}}})";

constexpr std::string_view kAttributes =
    "tracekeeper.policy=shop/checkout,service.namespace=shop,k8s.namespace.name=shop,"
    "k8s.pod.name=$(TRACEKEEPER_POD_NAME),k8s.pod.uid=$(TRACEKEEPER_POD_UID),"
    "k8s.node.name=$(TRACEKEEPER_NODE_NAME),k8s.container.name=app,service.version=1.4,"
    "service.instance.id=shop.$(TRACEKEEPER_POD_NAME).app";

struct PrecedenceCase {
  std::string_view name;
  std::string_view container;  // members of the container, comma first
  std::string_view variable;
  std::string want;               // as VariableOf says it
  std::string_view finding = "";  // a finding that is there; "none": nothing but qos_changed
};

const PrecedenceCase kCases[] = {
    // Single-valued.
    {"absent_is_added", "", "OTEL_PROPAGATORS", "=tracecontext,baggage", "none"},
    {"null_env_is_added", R"(,"env":null)", "OTEL_PROPAGATORS", "=tracecontext,baggage", "none"},
    {"empty_env_is_added", R"(,"env":[])", "OTEL_PROPAGATORS", "=tracecontext,baggage", "none"},
    {"beside_others_is_added", R"(,"env":[{"name":"A","value":"1"}])", "OTEL_PROPAGATORS",
     "=tracecontext,baggage", "none"},
    {"user_value_wins", R"(,"env":[{"name":"OTEL_PROPAGATORS","value":"b3"}])", "OTEL_PROPAGATORS",
     "=b3", "env_kept_user_value: container app: OTEL_PROPAGATORS"},
    {"equal_value_is_no_conflict",
     R"(,"env":[{"name":"OTEL_PROPAGATORS","value":"tracecontext,baggage"}])", "OTEL_PROPAGATORS",
     "=tracecontext,baggage", "none"},
    {"empty_string_is_a_value", R"(,"env":[{"name":"OTEL_PROPAGATORS","value":""}])",
     "OTEL_PROPAGATORS", "=", "env_kept_user_value: container app: OTEL_PROPAGATORS"},
    {"no_value_at_all_is_a_value", R"(,"env":[{"name":"OTEL_PROPAGATORS"}])", "OTEL_PROPAGATORS",
     "=", "env_kept_user_value: container app: OTEL_PROPAGATORS"},
    {"value_from_is_left_alone",
     R"(,"env":[{"name":"OTEL_PROPAGATORS","valueFrom":{"configMapKeyRef":{"name":"c","key":"k"}}}])",
     "OTEL_PROPAGATORS", R"(<-{"configMapKeyRef":{"name":"c","key":"k"}})",
     "env_kept_value_from: container app: OTEL_PROPAGATORS"},
    {"env_from_may_hold_it", R"(,"envFrom":[{"configMapRef":{"name":"c"}}])", "OTEL_PROPAGATORS",
     "absent",
     "env_from_may_define: container app: OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME, "
     "OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_PROPAGATORS, "
     "OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG"},
    {"env_from_with_a_prefix_cannot_hold_it",
     R"(,"envFrom":[{"prefix":"DB_","configMapRef":{"name":"c"}}])", "OTEL_PROPAGATORS",
     "=tracecontext,baggage", "none"},
    {"env_from_with_a_fitting_prefix_may",
     R"(,"envFrom":[{"prefix":"OTEL_P","configMapRef":{"name":"c"}}])", "OTEL_PROPAGATORS",
     "absent", "env_from_may_define: container app: OTEL_PROPAGATORS"},
    {"env_beside_env_from_is_seen",
     R"(,"envFrom":[{"secretRef":{"name":"c"}}],"env":[{"name":"OTEL_PROPAGATORS","value":"b3"}])",
     "OTEL_PROPAGATORS", "=b3", "env_kept_user_value: container app: OTEL_PROPAGATORS"},
    {"of_two_entries_the_last_counts",
     R"(,"env":[{"name":"OTEL_PROPAGATORS","value":"b3"},{"name":"OTEL_PROPAGATORS","value":"tracecontext,baggage"}])",
     "OTEL_PROPAGATORS", "=tracecontext,baggage", "none"},

    // Endpoint and protocol belong together.
    {"endpoint_is_the_sidecar", "", "OTEL_EXPORTER_OTLP_ENDPOINT", "=http://127.0.0.1:4318"},
    {"protocol_fits_the_endpoint", "", "OTEL_EXPORTER_OTLP_PROTOCOL", "=http/protobuf"},
    {"grpc_of_the_user_chooses_the_port",
     R"(,"env":[{"name":"OTEL_EXPORTER_OTLP_PROTOCOL","value":"grpc"}])",
     "OTEL_EXPORTER_OTLP_ENDPOINT", "=http://127.0.0.1:4317",
     "env_kept_user_value: container app: OTEL_EXPORTER_OTLP_PROTOCOL"},
    {"http_json_of_the_user_chooses_the_port",
     R"(,"env":[{"name":"OTEL_EXPORTER_OTLP_PROTOCOL","value":"http/json"}])",
     "OTEL_EXPORTER_OTLP_ENDPOINT", "=http://127.0.0.1:4318",
     "env_kept_user_value: container app: OTEL_EXPORTER_OTLP_PROTOCOL"},
    {"protocol_of_traces_counts_more",
     R"(,"env":[{"name":"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL","value":"grpc"}])",
     "OTEL_EXPORTER_OTLP_ENDPOINT", "=http://127.0.0.1:4317"},
    {"unknown_protocol_gets_no_endpoint",
     R"(,"env":[{"name":"OTEL_EXPORTER_OTLP_PROTOCOL","value":"pigeon"}])",
     "OTEL_EXPORTER_OTLP_ENDPOINT", "absent"},
    {"protocol_from_elsewhere_gets_no_endpoint",
     R"(,"env":[{"name":"OTEL_EXPORTER_OTLP_PROTOCOL","valueFrom":{"fieldRef":{"fieldPath":"x"}}}])",
     "OTEL_EXPORTER_OTLP_ENDPOINT", "absent",
     "env_kept_value_from: container app: OTEL_EXPORTER_OTLP_PROTOCOL"},
    {"endpoint_of_the_user_gets_no_protocol",
     R"(,"env":[{"name":"OTEL_EXPORTER_OTLP_ENDPOINT","value":"http://c:4317"}])",
     "OTEL_EXPORTER_OTLP_PROTOCOL", "absent",
     "env_kept_user_value: container app: OTEL_EXPORTER_OTLP_ENDPOINT"},
    {"endpoint_of_traces_keeps_ours_away",
     R"(,"env":[{"name":"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT","value":"http://c:4317"}])",
     "OTEL_EXPORTER_OTLP_ENDPOINT", "absent",
     "env_kept_user_value: container app: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"},

    // Sampler and its argument belong together.
    {"sampler_is_added", "", "OTEL_TRACES_SAMPLER", "=parentbased_traceidratio"},
    {"sampler_argument_is_added", "", "OTEL_TRACES_SAMPLER_ARG", "=0.25"},
    {"no_argument_beside_a_users_sampler",
     R"(,"env":[{"name":"OTEL_TRACES_SAMPLER","value":"always_on"}])", "OTEL_TRACES_SAMPLER_ARG",
     "absent", "env_kept_user_value: container app: OTEL_TRACES_SAMPLER"},
    {"no_sampler_beside_a_users_argument",
     R"(,"env":[{"name":"OTEL_TRACES_SAMPLER_ARG","value":"0.5"}])", "OTEL_TRACES_SAMPLER",
     "absent", "env_kept_user_value: container app: OTEL_TRACES_SAMPLER_ARG"},

    // The service's name ranks above the attributes in every SDK.
    {"service_name_is_derived", "", "OTEL_SERVICE_NAME", "=web-1"},
    {"service_name_of_the_user", R"(,"env":[{"name":"OTEL_SERVICE_NAME","value":"cart"}])",
     "OTEL_SERVICE_NAME", "=cart", "env_kept_user_value: container app: OTEL_SERVICE_NAME"},
    {"service_name_inside_attributes_is_not_defeated",
     R"(,"env":[{"name":"OTEL_RESOURCE_ATTRIBUTES","value":"service.name=cart"}])",
     "OTEL_SERVICE_NAME", "absent",
     "env_kept_user_value: container app: OTEL_RESOURCE_ATTRIBUTES service.name"},
    {"service_name_with_blanks_inside_attributes",
     R"(,"env":[{"name":"OTEL_RESOURCE_ATTRIBUTES","value":"a=1, service.name = cart"}])",
     "OTEL_SERVICE_NAME", "absent"},
    {"service_name_beside_other_attributes_is_derived",
     R"(,"env":[{"name":"OTEL_RESOURCE_ATTRIBUTES","value":"team=cart,my.service.name=x"}])",
     "OTEL_SERVICE_NAME", "=web-1"},
    {"service_name_may_be_behind_value_from",
     R"(,"env":[{"name":"OTEL_RESOURCE_ATTRIBUTES","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}])",
     "OTEL_SERVICE_NAME", "absent", "env_kept_value_from: container app: OTEL_RESOURCE_ATTRIBUTES"},

    // Attributes grow at their end.
    {"attributes_are_added", "", "OTEL_RESOURCE_ATTRIBUTES", "=" + std::string(kAttributes)},
    {"attributes_grow", R"(,"env":[{"name":"OTEL_RESOURCE_ATTRIBUTES","value":"team=cart"}])",
     "OTEL_RESOURCE_ATTRIBUTES", "=team=cart," + std::string(kAttributes),
     "list_variable_grown: container app: OTEL_RESOURCE_ATTRIBUTES"},
    {"attributes_after_a_comma_grow",
     R"(,"env":[{"name":"OTEL_RESOURCE_ATTRIBUTES","value":"team=cart,"}])",
     "OTEL_RESOURCE_ATTRIBUTES", "=team=cart," + std::string(kAttributes)},
    {"empty_attributes_grow", R"(,"env":[{"name":"OTEL_RESOURCE_ATTRIBUTES","value":""}])",
     "OTEL_RESOURCE_ATTRIBUTES", "=" + std::string(kAttributes)},
    {"attributes_without_value_grow", R"(,"env":[{"name":"OTEL_RESOURCE_ATTRIBUTES"}])",
     "OTEL_RESOURCE_ATTRIBUTES", "=" + std::string(kAttributes)},
    {"attribute_of_the_user_wins",
     R"(,"env":[{"name":"OTEL_RESOURCE_ATTRIBUTES","value":"service.version=9=9,k8s.pod.name=mine"}])",
     "OTEL_RESOURCE_ATTRIBUTES",
     "=service.version=9=9,k8s.pod.name=mine,tracekeeper.policy=shop/checkout,"
     "service.namespace=shop,k8s.namespace.name=shop,k8s.pod.uid=$(TRACEKEEPER_POD_UID),"
     "k8s.node.name=$(TRACEKEEPER_NODE_NAME),k8s.container.name=app,"
     "service.instance.id=shop.$(TRACEKEEPER_POD_NAME).app",
     "env_kept_user_value: container app: OTEL_RESOURCE_ATTRIBUTES k8s.pod.name, "
     "service.version"},
    {"attributes_from_elsewhere_are_left_alone",
     R"(,"env":[{"name":"OTEL_RESOURCE_ATTRIBUTES","valueFrom":{"fieldRef":{"fieldPath":"x"}}}])",
     "OTEL_RESOURCE_ATTRIBUTES", R"(<-{"fieldRef":{"fieldPath":"x"}})"},
    {"user_references_stay_as_they_are",
     R"(,"env":[{"name":"OTEL_RESOURCE_ATTRIBUTES","value":"v=$(VERSION),e=%2C,u=\u00fc"}])",
     "OTEL_RESOURCE_ATTRIBUTES", "=v=$(VERSION),e=%2C,u=\u00fc," + std::string(kAttributes)},

    // Agents: all of one or none of it.
    {"agent_is_switched_on", "", "JAVA_TOOL_OPTIONS",
     "=-javaagent:/opt/tracekeeper/agent/java/javaagent.jar"},
    {"agent_joins_a_list", R"(,"env":[{"name":"JAVA_TOOL_OPTIONS","value":"-Xmx1g"}])",
     "JAVA_TOOL_OPTIONS", "=-Xmx1g -javaagent:/opt/tracekeeper/agent/java/javaagent.jar",
     "list_variable_grown: container app: JAVA_TOOL_OPTIONS"},
    {"agent_joins_a_path", R"(,"env":[{"name":"PYTHONPATH","value":"/app"}])", "PYTHONPATH",
     "=/app:/opt/tracekeeper/agent/python/opentelemetry/instrumentation/auto_instrumentation:"
     "/opt/tracekeeper/agent/python"},
    {"agent_stays_off_behind_value_from",
     R"(,"env":[{"name":"JAVA_TOOL_OPTIONS","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}])",
     "JAVA_TOOL_OPTIONS", R"(<-{"secretKeyRef":{"name":"s","key":"k"}})",
     "instrumentation_skipped: container app: java: JAVA_TOOL_OPTIONS"},
    {"agent_stays_off_beside_env_from", R"(,"envFrom":[{"configMapRef":{"name":"c"}}])",
     "JAVA_TOOL_OPTIONS", "absent",
     "instrumentation_skipped: container app: java: JAVA_TOOL_OPTIONS"},
};

class EnvPrecedence : public testing::TestWithParam<PrecedenceCase> {};

TEST_P(EnvPrecedence, KeepsWhatTheUserWroteAndSaysSo) {
  const PrecedenceCase& c = GetParam();
  const PolicyPointer policy = PolicyWith(kSpec);
  const std::string pod = PodWithContainer(c.container);
  const Mutation mutation = MutateText(pod, *policy);
  ASSERT_EQ(mutation.outcome, Outcome::kInjected);

  const kube::Document after = Json(Injected(pod, *policy));
  EXPECT_EQ(VariableOf(after.root(), "app", c.variable), c.want);

  std::vector<std::string> remarks;
  for (const Finding& finding : mutation.findings) {
    if (finding.reason == Reason::kInjected || finding.reason == Reason::kQosChanged) continue;
    remarks.push_back(finding.ToString());
  }
  if (c.finding == "none") {
    EXPECT_THAT(remarks, testing::IsEmpty());
  } else if (!c.finding.empty()) {
    EXPECT_THAT(remarks, testing::Contains(std::string(c.finding)));
  }
}

INSTANTIATE_TEST_SUITE_P(Matrix, EnvPrecedence, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Environment, DefinesThePodsNameBeforeAValueThatRefersToIt) {
  const PolicyPointer policy = PolicyWith("{}");
  const kube::Document pod = Json(Injected(
      PodWithContainer(
          R"(,"env":[{"name":"A","value":"1"},{"name":"OTEL_RESOURCE_ATTRIBUTES","value":"a=b"}])"),
      *policy));
  std::vector<std::string> names;
  for (const codec::JsonValue entry : ContainerOf(pod.root(), "app")["env"].Elements()) {
    names.emplace_back(entry["name"].StringOr(""));
  }
  EXPECT_THAT(names, testing::ElementsAre("TRACEKEEPER_POD_NAME", "TRACEKEEPER_POD_UID",
                                          "TRACEKEEPER_NODE_NAME", "A", "OTEL_RESOURCE_ATTRIBUTES",
                                          "OTEL_SERVICE_NAME", "OTEL_EXPORTER_OTLP_ENDPOINT",
                                          "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_PROPAGATORS"));
}

TEST(Environment, LeavesOutASamplerThatThePolicyDoesNotName) {
  const PolicyPointer policy = PolicyWith("{}");
  const kube::Document pod = Json(Injected(PodWithContainer(""), *policy));
  EXPECT_EQ(VariableOf(pod.root(), "app", "OTEL_TRACES_SAMPLER"), "absent");
}

TEST(Environment, LeavesOutWhatAnSdkWithoutItWouldStopAt) {
  const PolicyPointer policy = PolicyWith(
      R"({"propagation":{"propagators":["datadog","b3","tracecontext"],"emit":["tracecontext"]}})");
  const kube::Document pod = Json(Injected(PodWithContainer(""), *policy));
  EXPECT_EQ(VariableOf(pod.root(), "app", "OTEL_PROPAGATORS"), "=tracecontext");
}

TEST(Environment, SkipsThePodWhenAVariableWouldPassTheKernelsLimit) {
  const PolicyPointer policy = PolicyWith("{}");
  const std::string big(131000, 'x');
  const Mutation mutation =
      MutateText(PodWithContainer(R"(,"env":[{"name":"OTEL_RESOURCE_ATTRIBUTES","value":"a=)" +
                                  big + R"("}])"),
                 *policy);
  EXPECT_EQ(mutation.reason, Reason::kSkippedTooLarge);
  EXPECT_TRUE(mutation.patch.empty());
}

}  // namespace
}  // namespace tracekeeper::domain
