#include "operator/domain/environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "operator/domain/names.h"
#include "operator/domain/user_environment.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::domain {
namespace {

using Form = UserVariable::Form;

constexpr std::string_view kSamplerName = "parentbased_traceidratio";
constexpr std::string_view kGrpc = "grpc";
constexpr std::string_view kHttpProtobuf = "http/protobuf";
constexpr std::string_view kHttpJson = "http/json";

/// Builds the plan of one container, rule by rule.
class Planner {
 public:
  Planner(const ContainerView& container, const InjectionPlan& injection,
          const PodIdentity& identity)
      : container_(container),
        injection_(injection),
        identity_(identity),
        user_(container, injection.agents) {
    plan_.rest.reserve(8);
  }

  EnvironmentPlan Plan() {
    PlanIdentity();
    PlanEndpoint();
    if (!injection_.propagators.empty()) {
      AddOrKeep(Variable::kPropagators, injection_.propagators);
    }
    PlanSampler();
    PlanAgents();
    ReportDoubts();
    return std::move(plan_);
  }

 private:
  void PlanIdentity() {
    const UserVariable& attributes = user_[Variable::kResourceAttributes];
    bool service_may_be_named = !attributes.is_absent();
    bool refers_to_pod = false;
    if (attributes.is_absent()) {
      Append(Variable::kResourceAttributes, AttributesText(identity_, container_));
      refers_to_pod = true;
    } else if (attributes.form == Form::kValue) {
      const AttributeMerge merge = MergeAttributes(identity_, container_, attributes.value);
      service_may_be_named = merge.user_names_service;
      refers_to_pod = !merge.appended.empty();
      if (refers_to_pod) Grow(NameOf(Variable::kResourceAttributes), attributes, merge.appended);
      ReportKeptAttributes(merge);
    } else {
      Keep(Variable::kResourceAttributes);
    }
    refers_to_pod |= PlanServiceName(service_may_be_named);
    if (refers_to_pod) AddPodVariables();
  }

  /// True when the variable is added and refers to the pod's name.
  bool PlanServiceName(bool service_may_be_named) {
    const UserVariable& name = user_[Variable::kServiceName];
    if (!name.is_absent()) {
      if (name.form != Form::kValue || name.value != identity_.service_name) {
        Keep(Variable::kServiceName);
      }
      return false;
    }
    if (service_may_be_named) return false;
    Append(Variable::kServiceName, identity_.service_name);
    return identity_.service_name.starts_with("$(");
  }

  void AddPodVariables() {
    constexpr std::pair<Variable, std::string_view> kFields[] = {
        {Variable::kPodName, "metadata.name"},
        {Variable::kPodUid, "metadata.uid"},
        {Variable::kNodeName, "spec.nodeName"},
    };
    for (const auto& [variable, path] : kFields) {
      const Form form = user_[variable].form;
      if (form == Form::kValue || form == Form::kValueFrom) continue;  // serves as well
      const std::string_view name = NameOf(variable);
      plan_.first.push_back({name, FieldVariableJson(name, path)});
    }
  }

  /// The endpoint belongs to the protocol: a user's endpoint keeps ours away, and a user's protocol
  /// chooses the sidecar's port.
  void PlanEndpoint() {
    bool keeps_endpoint = false;
    for (const Variable variable : {Variable::kEndpoint, Variable::kTracesEndpoint}) {
      if (user_[variable].is_absent()) continue;
      Keep(variable);
      keeps_endpoint = true;
    }
    if (keeps_endpoint) return;

    const Variable protocol = user_[Variable::kTracesProtocol].is_absent()
                                  ? Variable::kProtocol
                                  : Variable::kTracesProtocol;
    const UserVariable& chosen = user_[protocol];
    if (chosen.is_absent()) {
      Append(Variable::kEndpoint, EndpointAt(injection_.otlp_http_port));
      Append(Variable::kProtocol, std::string(kHttpProtobuf));
      return;
    }
    if (chosen.form != Form::kValue || chosen.value != kHttpProtobuf) Keep(protocol);
    if (chosen.form != Form::kValue) return;
    if (chosen.value == kGrpc) {
      Append(Variable::kEndpoint, EndpointAt(injection_.otlp_grpc_port));
    } else if (chosen.value == kHttpProtobuf || chosen.value == kHttpJson) {
      Append(Variable::kEndpoint, EndpointAt(injection_.otlp_http_port));
    }
  }

  void PlanSampler() {
    if (injection_.sampler_ratio.empty()) return;
    const UserVariable& sampler = user_[Variable::kSampler];
    const UserVariable& argument = user_[Variable::kSamplerArgument];
    if (sampler.is_absent() && argument.is_absent()) {
      Append(Variable::kSampler, std::string(kSamplerName));
      Append(Variable::kSamplerArgument, injection_.sampler_ratio);
      return;
    }
    if (sampler.form == Form::kValue && sampler.value == kSamplerName &&
        argument.form == Form::kValue && argument.value == injection_.sampler_ratio) {
      return;
    }
    if (!sampler.is_absent()) Keep(Variable::kSampler);
    if (!argument.is_absent()) Keep(Variable::kSamplerArgument);
  }

  void PlanAgents() {
    std::size_t first = 0;
    for (std::size_t i = 0; i < injection_.agents.size(); ++i) {
      const Agent& agent = injection_.agents[i];
      PlanAgent(agent, i, first);
      first += agent.variables.size();
    }
  }

  void PlanAgent(const Agent& agent, std::size_t agent_index, std::size_t first) {
    if (container_.init) return;  // short-lived: an agent costs more than it tells
    for (std::size_t i = 0; i < agent.variables.size(); ++i) {
      const AgentVariable& ours = agent.variables[i];
      const UserVariable& theirs = user_.OfAgents(first + i);
      const bool joins =
          theirs.is_absent() ||
          (theirs.form == Form::kValue && (!ours.separator.empty() || theirs.value == ours.value));
      if (joins) continue;
      Report(Reason::kInstrumentationSkipped, fmt::format("{}: {}", agent.language, ours.name));
      return;
    }
    for (std::size_t i = 0; i < agent.variables.size(); ++i) {
      const AgentVariable& ours = agent.variables[i];
      const UserVariable& theirs = user_.OfAgents(first + i);
      if (theirs.is_absent()) {
        plan_.rest.push_back({ours.name, VariableJson(ours.name, ours.value)});
      } else if (theirs.value.find(ours.value) == std::string_view::npos) {
        Grow(ours.name, theirs, theirs.value.empty() ? ours.value : ours.separator + ours.value);
      }
    }
    plan_.agents.push_back(agent_index);
  }

  void AddOrKeep(Variable variable, std::string_view value) {
    const UserVariable& theirs = user_[variable];
    if (theirs.is_absent()) {
      Append(variable, value);
    } else if (theirs.form != Form::kValue || theirs.value != value) {
      Keep(variable);
    }
  }

  void Append(Variable variable, std::string_view value) {
    const std::string_view name = NameOf(variable);
    plan_.rest.push_back({name, VariableJson(name, value)});
  }

  void Grow(std::string_view name, const UserVariable& theirs, std::string_view appended) {
    EnvironmentGrowth growth{.name = name, .index = theirs.index};
    growth.value.reserve(theirs.value.size() + appended.size());
    growth.value.append(theirs.value).append(appended);
    growth.original_size = theirs.has_value ? static_cast<std::int64_t>(theirs.value.size())
                                            : EnvironmentGrowth::kNoValue;
    plan_.growths.push_back(std::move(growth));
    Report(Reason::kListVariableGrown, name);
  }

  void Keep(Variable variable) {
    switch (user_[variable].form) {
      case Form::kValue:
        return Report(Reason::kEnvKeptUserValue, NameOf(variable));
      case Form::kValueFrom:
        return Report(Reason::kEnvKeptValueFrom, NameOf(variable));
      case Form::kMayComeFromEnvFrom:
        doubts_.append(doubts_.empty() ? "" : ", ").append(NameOf(variable));
        return;
      case Form::kAbsent:
        return;
    }
  }

  void ReportKeptAttributes(const AttributeMerge& merge) {
    std::string keys;
    if (merge.user_names_service) keys = "service.name";
    for (const std::string_view key : merge.kept) {
      keys.append(keys.empty() ? "" : ", ").append(key);
    }
    if (keys.empty()) return;
    Report(Reason::kEnvKeptUserValue,
           fmt::format("{} {}", NameOf(Variable::kResourceAttributes), keys));
  }

  void ReportDoubts() {
    if (!doubts_.empty()) Report(Reason::kEnvFromMayDefine, doubts_);
  }

  void Report(Reason reason, std::string_view what) {
    plan_.findings.push_back({reason, fmt::format("container {}: {}", container_.name, what)});
  }

  static std::string EndpointAt(std::uint16_t port) {
    return fmt::format("http://127.0.0.1:{}", port);
  }

  const ContainerView& container_;
  const InjectionPlan& injection_;
  const PodIdentity& identity_;
  const UserEnvironment user_;
  std::string doubts_;
  EnvironmentPlan plan_;
};

}  // namespace

EnvironmentPlan PlanEnvironment(const ContainerView& container, const InjectionPlan& injection,
                                const PodIdentity& identity) {
  return Planner(container, injection, identity).Plan();
}

std::string VariableJson(std::string_view name, std::string_view value) {
  std::string json;
  json.reserve(name.size() + value.size() + 32);
  json.append(R"({"name":")").append(name).append(R"(","value":)");
  codec::AppendJsonString(json, value);
  json.push_back('}');
  return json;
}

std::string FieldVariableJson(std::string_view name, std::string_view field_path) {
  return fmt::format(R"({{"name":"{}","valueFrom":{{"fieldRef":{{"fieldPath":"{}"}}}}}})", name,
                     field_path);
}

}  // namespace tracekeeper::domain
