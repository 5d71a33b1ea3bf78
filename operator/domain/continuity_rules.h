#pragma once
// What policies say about judging traces, in the form that the continuity engine takes: slo of a
// policy holds for the spans of its pods; those of all, together, for spans of no policy.
//
// Threads:  pure functions.

#include <map>
#include <string>

#include "operator/api/slo.h"
#include "src/continuity/rules.h"

namespace tracekeeper::domain {

/// By "namespace/name".
using SloByPolicy = std::map<std::string, api::Slo, std::less<>>;

continuity::Rules RulesOf(const api::Slo& slo);
continuity::PolicyRules RulesOf(const SloByPolicy& policies);

}  // namespace tracekeeper::domain
