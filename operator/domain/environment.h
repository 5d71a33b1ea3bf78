#pragma once
// What one container's environment gets, and what it keeps. The precedence, for every variable:
//
//   the container's env holds               then
//   nothing, and no envFrom may hold it     ours is added
//   a value equal to ours                   nothing
//   a value, also an empty one              kept; env_kept_user_value
//   valueFrom                               kept; env_kept_value_from
//   nothing, but an envFrom may hold it     nothing is added, since ours would hide the ConfigMap's
//   or
//                                           Secret's; env_from_may_define. SDKs' own defaults lead
//                                           to the sidecar too (localhost:4317 and 4318)
//
// and for variables that belong together:
//
//   OTEL_RESOURCE_ATTRIBUTES    a user's value grows by the attributes that it lacks
//   OTEL_SERVICE_NAME           not added where those attributes, or what is behind their valueFrom
//   or
//                               envFrom, may name the service: the SDK ranks the variable higher
//   endpoint and protocol       none is added beside a user's endpoint; with a user's protocol the
//                               endpoint is the sidecar's port of that protocol
//   sampler and its argument    none is added beside one that the user set
//   an agent's variables        all of an agent or none: lists grow, another user value stops it
//
// ENV of the image is not seen at admission: a variable of ours wins over it.
//
// Threads:  pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "operator/domain/compiled_policy.h"
#include "operator/domain/pod_view.h"
#include "operator/domain/reasons.h"
#include "operator/domain/resource_attributes.h"

namespace tracekeeper::domain {

/// A variable to add: {"name":...,...}.
struct EnvironmentEntry {
  std::string_view name;
  std::string json;
};

/// A list-valued variable of the user's that gets longer.
struct EnvironmentGrowth {
  std::string_view name;
  std::size_t index = 0;
  std::string value;
  /// Bytes of the user's value; kNoValue where it had no `value` at all.
  std::int64_t original_size = 0;

  static constexpr std::int64_t kNoValue = -1;
};

struct EnvironmentPlan {
  std::vector<EnvironmentEntry> first;  // that others refer to: before them
  std::vector<EnvironmentEntry> rest;
  std::vector<EnvironmentGrowth> growths;
  std::vector<std::size_t> agents;  // indices of the agents that this container uses
  std::vector<Finding> findings;
};

EnvironmentPlan PlanEnvironment(const ContainerView& container, const InjectionPlan& injection,
                                const PodIdentity& identity);

/// {"name":NAME,"value":VALUE} as JSON.
std::string VariableJson(std::string_view name, std::string_view value);
/// {"name":NAME,"valueFrom":{"fieldRef":...}} as JSON.
std::string FieldVariableJson(std::string_view name, std::string_view field_path);

}  // namespace tracekeeper::domain
