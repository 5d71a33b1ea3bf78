#pragma once
// UserEnvironment is what a container's author wrote about the variables that injection knows. One
// pass over `env`, however long it is.
//
// Threads:  a value; views live as long as the pod's document and the plan.
// Source:   Kubernetes: of two entries with one name the last counts; env hides envFrom.

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "operator/domain/compiled_policy.h"
#include "operator/domain/pod_view.h"

namespace tracekeeper::domain {

/// The variables with a rule of their own.
enum class Variable : std::uint8_t {
  kEndpoint,
  kProtocol,
  kTracesEndpoint,
  kTracesProtocol,
  kPropagators,
  kSampler,
  kSamplerArgument,
  kServiceName,
  kResourceAttributes,
  kPodName,
  kPodUid,
  kNodeName,
};
inline constexpr std::size_t kVariableCount = 12;

std::string_view NameOf(Variable variable);

struct UserVariable {
  enum class Form : std::uint8_t { kAbsent, kValue, kValueFrom, kMayComeFromEnvFrom };
  Form form = Form::kAbsent;
  std::string_view value;
  std::size_t index = 0;   // in env
  bool has_value = false;  // `value` is there, maybe empty

  [[nodiscard]] bool is_absent() const { return form == Form::kAbsent; }
};

class UserEnvironment {
 public:
  UserEnvironment(const ContainerView& container, const std::vector<Agent>& agents);

  [[nodiscard]] const UserVariable& operator[](Variable variable) const {
    return known_[static_cast<std::size_t>(variable)];
  }
  /// Of the agents' variables, numbered through all agents.
  [[nodiscard]] const UserVariable& OfAgents(std::size_t index) const { return agents_[index]; }

 private:
  UserVariable* Find(std::string_view name, const std::vector<Agent>& agents);

  std::array<UserVariable, kVariableCount> known_;
  std::vector<UserVariable> agents_;
};

}  // namespace tracekeeper::domain
