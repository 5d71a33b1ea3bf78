#include "operator/domain/sidecar_container.h"

#include <fmt/format.h>

#include "operator/domain/environment.h"
#include "operator/domain/names.h"
#include "operator/domain/security_defaults.h"
#include "src/codec/json_writer.h"
#include "src/config/sidecar_config.h"

namespace tracekeeper::domain {
namespace {

using codec::JsonWriter;

constexpr std::string_view kStatusPortName = "tk-status";
constexpr std::string_view kAgentVolumeLimit = "512Mi";
constexpr std::string_view kAgentResources =
    R"({"requests":{"cpu":"50m","memory":"64Mi"},"limits":{"cpu":"500m","memory":"256Mi"}})";

std::string MountJson(std::string_view name, std::string_view path, bool read_only) {
  return fmt::format(R"({{"name":"{}","mountPath":"{}"{}}})", name, path,
                     read_only ? R"(,"readOnly":true)" : "");
}

/// A probe of the status port. Health, not readiness, holds the start: a sidecar whose
/// configuration is late must not hold the application back.
std::string ProbeJson(std::string_view path, int period_seconds, int failures) {
  return fmt::format(
      R"({{"httpGet":{{"path":"{}","port":"{}"}},"periodSeconds":{},"timeoutSeconds":2,)"
      R"("failureThreshold":{}}})",
      path, kStatusPortName, period_seconds, failures);
}

std::string EmptyVolumeJson(std::string_view name, std::string_view limit) {
  return fmt::format(R"({{"name":"{}","emptyDir":{{"sizeLimit":"{}"}}}})", name, limit);
}

std::string Head(const SidecarShape& shape) {
  JsonWriter json;
  json.BeginObject().Member("name", kSidecarContainer).Member("image", shape.image);
  json.Key("env").BeginArray();
  json.Raw(FieldVariableJson(kPodNameVariable, "metadata.name"));
  json.Raw(FieldVariableJson(kPodUidVariable, "metadata.uid"));
  json.Raw(FieldVariableJson("TRACEKEEPER_POD_NAMESPACE", "metadata.namespace"));
  json.Raw(FieldVariableJson(kNodeNameVariable, "spec.nodeName"));
  return json.Take();  // open: the variables that depend on the pod come next
}

std::string Tail(const SidecarShape& shape, const CompileOptions& options,
                 std::string_view extra_members) {
  std::string json =
      fmt::format(R"(,"ports":[{{"name":"{}","containerPort":{},"protocol":"TCP"}}])",
                  kStatusPortName, options.status_port);
  if (options.status_port != config::kSidecarStatusPort) {
    json.append(fmt::format(R"(,"args":["--status-port","{}"])", options.status_port));
  }
  json.append(R"(,"securityContext":)").append(OwnSecurityContextJson(options.sidecar_user));
  json.append(R"(,"startupProbe":)").append(ProbeJson("/healthz", 1, 60));
  json.append(R"(,"livenessProbe":)").append(ProbeJson("/healthz", 10, 3));
  if (shape.takes_ingress) json.append(R"(,"readinessProbe":)").append(ProbeJson("/readyz", 5, 3));
  json.append(R"(,"volumeMounts":[)");
  for (const SidecarVolume& volume : shape.volumes) {
    json.append(MountJson(volume.name, volume.mount_path, true)).append(",");
  }
  json.append(MountJson(kNoTokenVolume, kServiceAccountPath, true)).append("]");
  return json.append(extra_members).append("}");
}

std::string CopyCommand(std::string_view language) {
  const std::string target = fmt::format("{}/{}", kAgentMountPath, language);
  if (language == "java") {
    return fmt::format("mkdir -p {0} && cp /javaagent.jar {0}/javaagent.jar", target);
  }
  return fmt::format("mkdir -p {0} && cp -r /autoinstrumentation/. {0}", target);
}

std::vector<AgentVariable> VariablesOf(std::string_view language) {
  const std::string home = fmt::format("{}/{}", kAgentMountPath, language);
  if (language == "java") {
    return {{"JAVA_TOOL_OPTIONS", "-javaagent:" + home + "/javaagent.jar", " "}};
  }
  if (language == "nodejs") {
    return {{"NODE_OPTIONS", "--require " + home + "/autoinstrumentation.js", " "}};
  }
  if (language == "python") {
    return {
        {"PYTHONPATH", home + "/opentelemetry/instrumentation/auto_instrumentation:" + home, ":"}};
  }
  return {
      {"CORECLR_ENABLE_PROFILING", "1", ""},
      {"CORECLR_PROFILER", "{918728DD-259F-4A6A-AC2B-B85E1B658318}", ""},
      {"CORECLR_PROFILER_PATH", home + "/linux-x64/OpenTelemetry.AutoInstrumentation.Native.so",
       ""},
      {"DOTNET_STARTUP_HOOKS", home + "/net/OpenTelemetry.AutoInstrumentation.StartupHook.dll",
       ":"},
      {"DOTNET_ADDITIONAL_DEPS", home + "/AdditionalDeps", ":"},
      {"DOTNET_SHARED_STORE", home + "/store", ":"},
      {"OTEL_DOTNET_AUTO_HOME", home, ""},
  };
}

}  // namespace

void WriteSidecar(const SidecarShape& shape, const CompileOptions& options, InjectionPlan& plan) {
  plan.sidecar_head_json = Head(shape);
  plan.sidecar_resources_json = shape.resources_json;
  plan.sidecar_native_tail_json = Tail(shape, options, R"(,"restartPolicy":"Always")");
  plan.sidecar_plain_tail_json = Tail(shape, options, "");
  for (const SidecarVolume& volume : shape.volumes) {
    plan.volume_names.push_back(volume.name);
    plan.volumes_json.push_back(
        fmt::format(R"({{"name":"{}",{}}})", volume.name, volume.source_json));
  }
  plan.volume_names.emplace_back(kNoTokenVolume);
  plan.volumes_json.push_back(EmptyVolumeJson(kNoTokenVolume, "1Mi"));
  plan.agent_volume_json = AgentVolumeJson();
}

std::string AgentVolumeJson() { return EmptyVolumeJson(kAgentVolume, kAgentVolumeLimit); }

Agent MakeAgent(std::string_view language, std::string_view image, const CompileOptions& options) {
  Agent agent;
  agent.language = language;
  agent.container_name = fmt::format("{}{}", kAgentContainerPrefix, language);
  JsonWriter json;
  json.BeginObject().Member("name", agent.container_name).Member("image", image);
  json.Key("command").BeginArray().String("sh").String("-c").String(CopyCommand(language));
  json.EndArray();
  json.Key("securityContext").Raw(OwnSecurityContextJson(options.sidecar_user));
  json.Key("volumeMounts").BeginArray();
  json.Raw(MountJson(kAgentVolume, kAgentMountPath, false));
  json.Raw(MountJson(kNoTokenVolume, kServiceAccountPath, true));
  json.EndArray();
  agent.container_json = json.Take();  // open: resources depend on the pod
  agent.resources_json = kAgentResources;
  agent.variables = VariablesOf(language);
  return agent;
}

}  // namespace tracekeeper::domain
