#include "tests/operator/domain/pod_generator.h"

#include <fmt/format.h>

#include <array>
#include <vector>

namespace tracekeeper::domain {
namespace {

using codec::JsonWriter;

constexpr std::array<std::string_view, 14> kTexts = {"",
                                                     "plain",
                                                     "a=b",
                                                     "a=b,c=d",
                                                     "$(HOME)",
                                                     "$$(HOME)",
                                                     "100%",
                                                     "z\xc3\xbcrich",
                                                     "\xf0\x9f\x90\xb3 whale",
                                                     "line\nbreak",
                                                     "\"quoted\\",
                                                     "a,b;c",
                                                     "true",
                                                     "-Xmx1g -Da=$(B)"};

constexpr std::array<std::string_view, 16> kKnownVariables = {"OTEL_EXPORTER_OTLP_ENDPOINT",
                                                              "OTEL_EXPORTER_OTLP_PROTOCOL",
                                                              "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                                                              "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
                                                              "OTEL_PROPAGATORS",
                                                              "OTEL_TRACES_SAMPLER",
                                                              "OTEL_TRACES_SAMPLER_ARG",
                                                              "OTEL_SERVICE_NAME",
                                                              "OTEL_RESOURCE_ATTRIBUTES",
                                                              "JAVA_TOOL_OPTIONS",
                                                              "NODE_OPTIONS",
                                                              "PYTHONPATH",
                                                              "DOTNET_STARTUP_HOOKS",
                                                              "CORECLR_ENABLE_PROFILING",
                                                              "OTEL_SDK_DISABLED",
                                                              "TRACEKEEPER_POD_NAME"};

constexpr std::array<std::string_view, 8> kAttributeTexts = {
    "service.name=mine", "team=a,k8s.pod.name=x", "", "broken", "a=b,", " service.name = spaced ",
    "v=%2C,e==",         "k8s.node.name=$(NODE)"};

}  // namespace

std::string PodGenerator::Text() { return std::string(kTexts[Below(kTexts.size())]); }

std::string PodGenerator::LabelValue() {
  constexpr std::array<std::string_view, 5> kValues = {"", "cart", "v1.2", "7c9d", "A_b-c.d"};
  return std::string(kValues[Below(kValues.size())]);
}

bool PodGenerator::Vacant(JsonWriter& json, std::string_view key, std::string_view empty) {
  const std::size_t choice = Below(10);
  if (choice == 0) return true;
  if (choice == 1) json.Key(key).Null();
  if (choice == 2) json.Key(key).Raw(empty);
  return choice <= 2;
}

void PodGenerator::Unknown(JsonWriter& json) {
  if (!options_.wild || !Chance(15)) return;
  constexpr std::array<std::string_view, 7> kValues = {
      "null",     "{}", "[]", "9007199254740993", "-0.125", R"({"deep":[{"er":[null,true,"x"]}]})",
      R"("text")"};
  json.Key(fmt::format("futureField{}", Below(3))).Raw(kValues[Below(kValues.size())]);
}

std::string PodGenerator::Next() {
  ++serial_;
  JsonWriter json;
  json.BeginObject();
  if (Chance(80)) json.Member("apiVersion", "v1").Member("kind", "Pod");
  Unknown(json);
  json.Key("metadata").BeginObject();
  Metadata(json);
  json.EndObject().Key("spec").BeginObject();
  Spec(json);
  json.EndObject();
  if (options_.wild && Chance(30)) json.Key("status").Raw(R"({"phase":"Pending"})");
  json.EndObject();
  return json.Take();
}

void PodGenerator::Metadata(JsonWriter& json) {
  // The API server refuses a pod with neither; a controller's pod has the latter.
  if (Chance(60) || !options_.wild) {
    json.Member("name", fmt::format("pod-{}", serial_));
  } else {
    json.Member("generateName", "pod-");
  }
  if (Chance(30)) json.Key("creationTimestamp").Null();
  if (!Vacant(json, "labels", "{}")) Labels(json);
  if (!Vacant(json, "annotations", "{}")) Annotations(json);
  if (Chance(50)) Owner(json);
  Unknown(json);
}

void PodGenerator::Labels(JsonWriter& json) {
  json.Key("labels").BeginObject();
  json.Member("app", LabelValue());
  for (const std::string_view key :
       {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/version",
        "pod-template-hash", "rollouts-pod-template-hash"}) {
    if (Chance(25)) json.Member(key, LabelValue());
  }
  if (Chance(3)) json.Member("tracekeeper.dev/inject", Chance(50) ? "false" : "true");
  json.EndObject();
}

void PodGenerator::Annotations(JsonWriter& json) {
  json.Key("annotations").BeginObject();
  json.Member("example.com/note", Text());
  for (const std::string_view key :
       {"resource.opentelemetry.io/service.name", "resource.opentelemetry.io/service.version",
        "resource.opentelemetry.io/deployment.environment.name"}) {
    if (Chance(20)) json.Member(key, Text());
  }
  if (options_.wild && Chance(1)) json.Member("tracekeeper.dev/policy", "somebody/elses");
  json.EndObject();
}

void PodGenerator::Owner(JsonWriter& json) {
  constexpr std::array<std::string_view, 6> kOwners = {
      R"({"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-7c9d","uid":"1","controller":true})",
      R"({"apiVersion":"apps/v1","kind":"StatefulSet","name":"db","uid":"2","controller":true})",
      R"({"apiVersion":"apps/v1","kind":"DaemonSet","name":"agent","uid":"3","controller":true})",
      R"({"apiVersion":"batch/v1","kind":"Job","name":"backup-29123456","uid":"4","controller":true})",
      R"({"apiVersion":"batch/v1","kind":"Job","name":"once","uid":"5"})",
      R"({"apiVersion":"example.com/v1","kind":"Thing","name":"t","uid":"6","controller":true})"};
  json.Key("ownerReferences").BeginArray().Raw(kOwners[Below(kOwners.size())]).EndArray();
}

void PodGenerator::Spec(JsonWriter& json) {
  Containers(json, "containers", "app", 1 + Below(3));
  if (!Vacant(json, "initContainers", "[]")) {
    Containers(json, "initContainers", "init", 1 + Below(3));
  }
  if (!Vacant(json, "volumes", "[]")) {
    json.Key("volumes").Raw(R"([{"name":"data","emptyDir":{}},{"name":"tmp","emptyDir":{}}])");
  }
  if (options_.wild && Chance(20)) {
    json.Key("ephemeralContainers").Raw(R"([{"name":"debug","image":"d"}])");
  }
  if (options_.restricted || Chance(30)) Security(json, true);
  if (options_.wild && Chance(2)) json.Key("hostNetwork").Bool(true);
  if (options_.wild && Chance(2)) json.Key("os").Raw(R"({"name":"windows"})");
  if (Chance(20)) {
    constexpr std::array<std::string_view, 3> kPolicies = {"Always", "OnFailure", "Never"};
    json.Member("restartPolicy", kPolicies[Below(kPolicies.size())]);
  }
  Unknown(json);
}

void PodGenerator::Containers(JsonWriter& json, std::string_view list, std::string_view prefix,
                              std::size_t count) {
  json.Key(list).BeginArray();
  for (std::size_t i = 0; i < count; ++i) {
    Container(json, fmt::format("{}-{}", prefix, i), list == "initContainers");
  }
  json.EndArray();
}

void PodGenerator::Container(JsonWriter& json, std::string_view name, bool init) {
  constexpr std::array<std::string_view, 4> kImages = {
      "busybox", "r.test:5000/shop/cart:1.4", "nginx:1.27",
      "c@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};
  json.BeginObject().Member("name", name).Member("image", kImages[Below(kImages.size())]);
  if (init && Chance(20)) json.Member("restartPolicy", "Always");
  if (!Vacant(json, "env", "[]")) Env(json);
  if (Chance(25)) EnvFrom(json);
  if (!Vacant(json, "volumeMounts", "[]")) Mounts(json);
  if (Chance(20)) Ports(json, Below(1000));
  if (Chance(50)) Resources(json);
  if (options_.restricted || Chance(40)) Security(json, false);
  Unknown(json);
  json.EndObject();
}

void PodGenerator::Env(JsonWriter& json) {
  json.Key("env").BeginArray();
  const std::size_t count = Below(6);
  for (std::size_t i = 0; i < count; ++i) {
    if (Chance(50)) {
      Variable(json, kKnownVariables[Below(kKnownVariables.size())]);
    } else {
      Variable(json, fmt::format("VAR_{}", Below(4)));  // a name may come twice: that is allowed
    }
  }
  json.EndArray();
}

void PodGenerator::Variable(JsonWriter& json, std::string_view name) {
  constexpr std::array<std::string_view, 3> kSources = {
      R"({"configMapKeyRef":{"name":"c","key":"k","optional":true}})",
      R"({"secretKeyRef":{"name":"s","key":"k"}})",
      R"({"fieldRef":{"fieldPath":"metadata.name"}})"};
  json.BeginObject().Member("name", name);
  const std::size_t form = Below(10);
  if (form < 2) {
    json.Key("valueFrom").Raw(kSources[Below(kSources.size())]);
  } else if (form < 9) {
    const bool attributes = name == "OTEL_RESOURCE_ATTRIBUTES";
    json.Member("value",
                attributes ? std::string(kAttributeTexts[Below(kAttributeTexts.size())]) : Text());
  }
  if (options_.wild && Chance(5)) json.Key("valueFromFuture").Raw(R"({"x":1})");
  json.EndObject();
}

void PodGenerator::EnvFrom(JsonWriter& json) {
  constexpr std::array<std::string_view, 4> kSources = {
      R"({"configMapRef":{"name":"c"}})", R"({"prefix":"DB_","configMapRef":{"name":"c"}})",
      R"({"prefix":"OTEL_","secretRef":{"name":"s","optional":true}})",
      R"({"prefix":"J","secretRef":{"name":"s"}})"};
  json.Key("envFrom").BeginArray().Raw(kSources[Below(kSources.size())]).EndArray();
}

void PodGenerator::Mounts(JsonWriter& json) {
  // Only sane pods promise that the volume they mount is there.
  if (!options_.wild) return;
  json.Key("volumeMounts").Raw(R"([{"name":"data","mountPath":"/data","readOnly":true}])");
}

void PodGenerator::Ports(JsonWriter& json, std::size_t first) {
  constexpr std::array<std::size_t, 4> kTaken = {4317, 4318, 9465, 8080};
  const std::size_t port = Chance(8) ? kTaken[Below(kTaken.size())] : 10000 + first;
  json.Key("ports").BeginArray().BeginObject();
  json.Key("containerPort").Integer(static_cast<std::int64_t>(port));
  json.Member("protocol", Chance(90) ? "TCP" : "UDP").EndObject().EndArray();
}

void PodGenerator::Resources(JsonWriter& json) {
  constexpr std::array<std::string_view, 5> kResources = {
      "{}", R"({"requests":{"cpu":"100m","memory":"64Mi"}})",
      R"({"requests":{"cpu":"0.1","memory":"64Mi"},"limits":{"cpu":"100m","memory":"65536Ki"}})",
      R"({"limits":{"cpu":"1","memory":"1Gi"}})", R"({"limits":{"memory":"1Gi"}})"};
  json.Key("resources").Raw(kResources[Below(kResources.size())]);
}

void PodGenerator::Security(JsonWriter& json, bool of_pod) {
  if (options_.restricted) {
    json.Key("securityContext")
        .Raw(
            of_pod
                ? R"({"runAsNonRoot":true,"runAsUser":1000,"seccompProfile":{"type":"RuntimeDefault"}})"
                : R"({"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}})");
    return;
  }
  constexpr std::array<std::string_view, 4> kPod = {"null", "{}", R"({"runAsUser":0})",
                                                    R"({"runAsNonRoot":true,"fsGroup":2000})"};
  constexpr std::array<std::string_view, 10> kContainer = {
      "null",
      "{}",
      R"({"privileged":true})",
      R"({"runAsUser":0})",
      R"({"runAsNonRoot":false})",
      R"({"capabilities":{"add":["NET_BIND_SERVICE"]}})",
      R"({"capabilities":{"drop":[]},"readOnlyRootFilesystem":true})",
      R"({"capabilities":null,"seccompProfile":null})",
      R"({"capabilities":{"drop":["NET_RAW"]},"allowPrivilegeEscalation":true})",
      R"({"seccompProfile":{"type":"Localhost","localhostProfile":"p"}})"};
  json.Key("securityContext")
      .Raw(of_pod ? kPod[Below(kPod.size())] : kContainer[Below(kContainer.size())]);
}

}  // namespace tracekeeper::domain
