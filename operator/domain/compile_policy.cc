#include "operator/domain/compile_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "operator/api/tracing_policy.h"
#include "operator/domain/names.h"
#include "operator/domain/select_policy.h"
#include "operator/domain/sidecar_container.h"
#include "operator/domain/sidecar_document.h"
#include "src/codec/json_writer.h"
#include "src/crypto/digest.h"

namespace tracekeeper::domain {
namespace {

constexpr std::size_t kMaxObjectName = 253;
constexpr std::size_t kNameHashDigits = 8;
constexpr std::size_t kDigestDigits = 16;
// Said once a policy: a change of what injection means for equal policies must change the digest.
constexpr std::string_view kInjectionVersion = "injection/1";

LabelSelector::Operator OperatorOf(api::SelectorOperator op) {
  switch (op) {
    case api::SelectorOperator::kIn:
      return LabelSelector::Operator::kIn;
    case api::SelectorOperator::kNotIn:
      return LabelSelector::Operator::kNotIn;
    case api::SelectorOperator::kExists:
      return LabelSelector::Operator::kExists;
    case api::SelectorOperator::kDoesNotExist:
      return LabelSelector::Operator::kDoesNotExist;
  }
  return LabelSelector::Operator::kExists;
}

LabelSelector CompileSelector(const std::optional<api::LabelSelector>& selector) {
  if (!selector) return {};
  std::vector<LabelSelector::Requirement> requirements;
  for (const auto& [key, value] : selector->match_labels) {
    requirements.push_back({key, LabelSelector::Operator::kIn, {value}});
  }
  for (const api::LabelRequirement& requirement : selector->match_expressions) {
    requirements.push_back({requirement.key, OperatorOf(requirement.op), requirement.values});
  }
  return LabelSelector(std::move(requirements));
}

/// What the SDKs know of the policy's formats: an unknown name stops some of them at start.
std::string SdkPropagators(const api::Propagation& propagation, std::vector<Finding>& findings) {
  std::string names;
  for (const api::Propagator propagator : propagation.propagators) {
    const std::string_view name = codec::NameOfEnum(propagator);
    const bool every_sdk_has_it =
        propagator == api::Propagator::kTraceContext || propagator == api::Propagator::kBaggage;
    if (!every_sdk_has_it) {
      findings.push_back({Reason::kPropagatorUnknownToSdks, std::string(name)});
      continue;
    }
    names.append(names.empty() ? "" : ",").append(name);
  }
  return names;
}

std::vector<Agent> CompileAgents(const api::Instrumentation& wanted,
                                 const CompileOptions& options) {
  std::vector<Agent> agents;
  const auto add = [&](std::string_view language, const std::optional<api::Agent>& agent) {
    if (agent) agents.push_back(MakeAgent(language, agent->image, options));
  };
  add("java", wanted.java);
  add("nodejs", wanted.nodejs);
  add("python", wanted.python);
  add("dotnet", wanted.dotnet);
  return agents;
}

/// Requests and limits, the operator's defaults under the policy's own.
struct CompiledResources {
  SidecarResources figures;
  std::string json;
};

CompiledResources CompileResources(const api::Sidecar& sidecar, const CompileOptions& options) {
  using Figures = std::map<std::string, std::string>;
  const SidecarResources& defaults = options.default_resources;
  Figures requests = {{"cpu", defaults.cpu_request}, {"memory", defaults.memory_request}};
  Figures limits = {{"cpu", defaults.cpu_limit}, {"memory", defaults.memory_limit}};
  if (sidecar.resources) {
    // Whoever writes resources means them as a whole: a default limit below a request of the
    // policy would be refused by the API server.
    requests.clear();
    limits.clear();
    for (const auto& [name, quantity] : sidecar.resources->requests) {
      requests[name] = quantity.text();
    }
    for (const auto& [name, quantity] : sidecar.resources->limits) limits[name] = quantity.text();
  }
  codec::JsonWriter json;
  const auto write = [&](std::string_view key, const Figures& figures) {
    json.Key(key).BeginObject();
    for (const auto& [name, text] : figures) {
      if (!text.empty()) json.Member(name, text);
    }
    json.EndObject();
  };
  json.BeginObject();
  write("requests", requests);
  write("limits", limits);
  json.EndObject();
  return {{requests["cpu"], limits["cpu"], requests["memory"], limits["memory"]}, json.Take()};
}

InjectionPlan CompileInjection(const api::TracingPolicySpec& spec, const CompileOptions& options,
                               std::string_view config_map_name, std::vector<Finding>& findings) {
  const api::Injection& injection = spec.injection;
  InjectionPlan plan;
  plan.containers = injection.containers;
  plan.native = static_cast<NativePreference>(injection.sidecar.native);
  plan.security = injection.pod_security_defaults == api::PodSecurityDefaults::kRestricted
                      ? SecurityDefaults::kRestricted
                      : SecurityDefaults::kNone;
  plan.propagators = SdkPropagators(spec.propagation, findings);
  if (spec.sampling.head) plan.sampler_ratio = spec.sampling.head->ratio.text();
  plan.otlp_grpc_port = static_cast<std::uint16_t>(options.ports.otlp_grpc);
  plan.otlp_http_port = static_cast<std::uint16_t>(options.ports.otlp_http);
  plan.agents = CompileAgents(injection.instrumentation, options);

  const bool egress = spec.propagation.egress.mode != api::EgressMode::kNone;
  const bool ingress = spec.propagation.ingress.mode != api::IngressMode::kNone;
  plan.wants_proxy = egress || ingress;
  plan.wants_redirect = spec.propagation.egress.mode == api::EgressMode::kRedirect ||
                        spec.propagation.ingress.mode == api::IngressMode::kRedirect;
  if (plan.wants_proxy) findings.push_back({Reason::kProxyNotActive, ""});
  plan.ports = {plan.otlp_grpc_port, plan.otlp_http_port, options.status_port};
  if (egress) plan.ports.push_back(static_cast<std::uint16_t>(options.ports.egress));
  if (ingress) plan.ports.push_back(static_cast<std::uint16_t>(options.ports.ingress));

  CompiledResources resources = CompileResources(injection.sidecar, options);
  plan.sidecar_resources = std::move(resources.figures);
  const std::string& image = injection.sidecar.image;
  WriteSidecar({.image = image.empty() ? options.sidecar_image : image,
                .resources_json = std::move(resources.json),
                .volumes = SidecarVolumes(spec, config_map_name),
                .takes_ingress = ingress},
               options, plan);
  return plan;
}

/// Digest of what injection adds. Policies whose difference lies in the sidecar's configuration
/// alone have one digest: their pods need no restart.
std::string DigestOf(const InjectionPlan& plan) {
  std::string text(kInjectionVersion);
  const auto add = [&](std::string_view part) {
    fmt::format_to(std::back_inserter(text), "\n{}:", part.size());
    text.append(part);
  };
  for (const std::string& name : plan.containers) add(name);
  add(fmt::format("{} {}", static_cast<int>(plan.native), static_cast<int>(plan.security)));
  add(plan.propagators);
  add(plan.sampler_ratio);
  add(fmt::format("{} {}", plan.otlp_grpc_port, plan.otlp_http_port));
  add(plan.sidecar_head_json);
  add(plan.sidecar_resources_json);
  add(plan.sidecar_native_tail_json);
  add(plan.sidecar_plain_tail_json);
  for (const std::string& volume : plan.volumes_json) add(volume);
  for (const Agent& agent : plan.agents) {
    add(agent.container_json);
    add(agent.resources_json);
    for (const AgentVariable& variable : agent.variables) add(variable.value);
  }
  return crypto::Sha256Hex(text).substr(0, kDigestDigits);
}

void CompileScope(const api::TracingPolicy& policy, const CompileOptions& options,
                  CompiledPolicy& compiled, std::vector<Finding>& findings) {
  const std::string& own_namespace = compiled.key.namespace_name;
  const bool has_selector = policy.spec.namespace_selector.has_value();
  if (own_namespace == options.operator_namespace) {
    if (has_selector) {
      compiled.namespaces = CompileSelector(policy.spec.namespace_selector);
    } else {
      findings.push_back({Reason::kFleetWithoutNamespaceSelector, ""});
    }
    return;
  }
  if (has_selector) findings.push_back({Reason::kNamespaceSelectorIgnored, ""});
  if (IsExcludedNamespace(own_namespace, options.operator_namespace)) {
    findings.push_back({Reason::kNamespaceExcluded, own_namespace});
  }
}

}  // namespace

Result<PolicyCompilation> CompilePolicy(const api::TracingPolicy& policy,
                                        const CompileOptions& options) {
  PolicyCompilation result;
  auto compiled = std::make_shared<CompiledPolicy>();
  compiled->key = policy.metadata.key;
  compiled->uid = policy.metadata.uid;
  compiled->generation = policy.metadata.generation;
  compiled->priority = policy.spec.priority;
  compiled->created = policy.metadata.creation_timestamp.value_or(Instant{});
  compiled->selector = CompileSelector(policy.spec.selector);
  compiled->mode = policy.spec.injection.mode == api::InjectionMode::kRequired
                       ? InjectionMode::kRequired
                       : InjectionMode::kBestEffort;
  compiled->qualified_name = compiled->key.ToString();
  compiled->generation_text = std::to_string(compiled->generation);
  compiled->config_map_name = ConfigMapNameFor(compiled->key);
  CompileScope(policy, options, *compiled, result.findings);

  const bool has_image =
      !policy.spec.injection.sidecar.image.empty() || !options.sidecar_image.empty();
  if (!has_image) {
    return Fail(ErrorKind::kInvalid,
                "policy {}: no image for the sidecar: set injection.sidecar.image, or start the "
                "operator with --sidecar-image",
                compiled->qualified_name);
  }
  result.config_map = TRY(SidecarDocument(policy, options));
  compiled->injection =
      CompileInjection(policy.spec, options, compiled->config_map_name, result.findings);
  compiled->digest = DigestOf(compiled->injection);
  result.policy = std::move(compiled);
  return result;
}

std::string ConfigMapNameFor(const kube::ObjectKey& policy) {
  constexpr std::string_view kPrefix = "tracekeeper-";
  const std::string hash = crypto::Sha256Hex(policy.ToString()).substr(0, kNameHashDigits);
  std::string name = policy.name.substr(0, kMaxObjectName - kPrefix.size() - 1 - hash.size());
  while (name.ends_with('.') || name.ends_with('-')) name.pop_back();
  return fmt::format("{}{}-{}", kPrefix, name, hash);
}

namespace {

void WriteOwner(codec::JsonWriter& json, const CompiledPolicy& policy) {
  json.Key("ownerReferences").BeginArray().BeginObject();
  json.Member("apiVersion", api::kTracingPolicies.ApiVersion());
  json.Member("kind", api::kTracingPolicyKind);
  json.Member("name", policy.key.name).Member("uid", policy.uid);
  json.Key("controller").Bool(true).EndObject().EndArray();
}

}  // namespace

std::string ConfigMapJson(const ConfigMapContent& content, const CompiledPolicy& policy,
                          std::string_view namespace_name) {
  codec::JsonWriter json;
  json.BeginObject().Member("apiVersion", "v1").Member("kind", "ConfigMap");
  json.Key("metadata").BeginObject();
  json.Member("name", content.name).Member("namespace", namespace_name);
  json.Key("labels").BeginObject().Member(kManagedByLabel, kManagedByValue);
  json.Member(kPolicyNamespaceLabel, policy.key.namespace_name);
  json.Member(kPolicyUidLabel, policy.uid).EndObject();
  json.Key("annotations").BeginObject();
  json.Member(kPolicyAnnotation, policy.qualified_name).EndObject();
  // An owner must be in the same namespace; elsewhere the policy's finalizer makes us clean up.
  if (namespace_name == policy.key.namespace_name) WriteOwner(json, policy);
  json.EndObject();
  json.Key("data").BeginObject().Member(content.key, content.text);
  if (!content.ca_certificate.empty()) json.Member(kCaCertificateKey, content.ca_certificate);
  json.EndObject().EndObject();
  return json.Take();
}

}  // namespace tracekeeper::domain
