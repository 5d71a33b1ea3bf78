#include "operator/domain/continuity_rules.h"

#include <vector>

namespace tracekeeper::domain {
namespace {

void Append(std::vector<std::string>& list, const std::vector<std::string>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

/// What any of them says.
api::Slo Together(const SloByPolicy& policies) {
  api::Slo all;
  for (const auto& [name, slo] : policies) {
    Append(all.entrypoints, slo.entrypoints);
    Append(all.exclude.services, slo.exclude.services);
    Append(all.exclude.scopes, slo.exclude.scopes);
    Append(all.exclude.span_names, slo.exclude.span_names);
  }
  return all;
}

}  // namespace

continuity::Rules RulesOf(const api::Slo& slo) {
  return {.entrypoints = slo.entrypoints,
          .excluded_services = slo.exclude.services,
          .excluded_scopes = slo.exclude.scopes,
          .excluded_span_names = slo.exclude.span_names};
}

continuity::PolicyRules RulesOf(const SloByPolicy& policies) {
  continuity::PolicyRules rules(RulesOf(Together(policies)));
  for (const auto& [name, slo] : policies) rules.Add(name, RulesOf(slo));
  return rules;
}

}  // namespace tracekeeper::domain
