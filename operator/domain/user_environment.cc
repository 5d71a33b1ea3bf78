#include "operator/domain/user_environment.h"

#include <algorithm>

#include "operator/domain/names.h"

namespace tracekeeper::domain {
namespace {

using codec::JsonValue;

constexpr std::array<std::string_view, kVariableCount> kNames = {
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_PROPAGATORS",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "OTEL_SERVICE_NAME",
    "OTEL_RESOURCE_ATTRIBUTES",
    kPodNameVariable,
    kPodUidVariable,
    kNodeNameVariable,
};

UserVariable ReadVariable(const JsonValue& entry, std::size_t index) {
  UserVariable variable{.form = UserVariable::Form::kValue, .index = index};
  if (const auto value = entry["value"].String()) {
    variable.value = *value;
    variable.has_value = true;
  }
  if (entry["valueFrom"].is_object()) variable.form = UserVariable::Form::kValueFrom;
  return variable;
}

std::vector<std::string_view> PrefixesOf(const JsonValue& env_from) {
  std::vector<std::string_view> prefixes;
  for (const JsonValue source : env_from.Elements()) {
    prefixes.push_back(source["prefix"].StringOr(""));
  }
  return prefixes;
}

}  // namespace

std::string_view NameOf(Variable variable) { return kNames[static_cast<std::size_t>(variable)]; }

UserEnvironment::UserEnvironment(const ContainerView& container, const std::vector<Agent>& agents) {
  std::size_t count = 0;
  for (const Agent& agent : agents) count += agent.variables.size();
  agents_.resize(count);

  std::size_t index = 0;
  for (const JsonValue entry : container.env.Elements()) {
    const std::string_view name = entry["name"].StringOr("");
    if (UserVariable* variable = Find(name, agents)) *variable = ReadVariable(entry, index);
    ++index;
  }

  const std::vector<std::string_view> prefixes = PrefixesOf(container.env_from);
  if (prefixes.empty()) return;
  const auto doubt = [&](UserVariable& variable, std::string_view name) {
    if (!variable.is_absent()) return;
    const auto may_define = [&](std::string_view prefix) { return name.starts_with(prefix); };
    if (std::ranges::any_of(prefixes, may_define)) {
      variable.form = UserVariable::Form::kMayComeFromEnvFrom;
    }
  };
  for (std::size_t i = 0; i < kVariableCount; ++i) doubt(known_[i], kNames[i]);
  std::size_t next = 0;
  for (const Agent& agent : agents) {
    for (const AgentVariable& variable : agent.variables) doubt(agents_[next++], variable.name);
  }
}

UserVariable* UserEnvironment::Find(std::string_view name, const std::vector<Agent>& agents) {
  if (name.starts_with("OTEL_") || name.starts_with("TRACEKEEPER_")) {
    const auto known = std::ranges::find(kNames, name);
    if (known != kNames.end()) return &known_[static_cast<std::size_t>(known - kNames.begin())];
  }
  std::size_t index = 0;
  for (const Agent& agent : agents) {
    for (const AgentVariable& variable : agent.variables) {
      if (variable.name == name) return &agents_[index];
      ++index;
    }
  }
  return nullptr;
}

}  // namespace tracekeeper::domain
