#pragma once
// What a rotation of one credential does, before it does it: in sentences for `tracekeeper explain
// policy`, from the policy and its status alone.
//
// Threads:  pure.
// Failure:  none: what cannot be used is one of `problems`.

#include <string>
#include <string_view>
#include <vector>

namespace tracekeeper::api {
struct Credential;
struct TracingPolicy;
}  // namespace tracekeeper::api

namespace tracekeeper::domain {

struct ExplainedPhase {
  std::string_view name;  // "Prepare"
  std::string sentence;
  bool is_under_way = false;
};

struct ExplainedCredential {
  std::string what;    // "a password of 40 characters that the operator makes, ..."
  std::string status;  // empty: the policy has none of it
  std::string when;
  std::vector<ExplainedPhase> phases;  // of one rotation, in order
  std::vector<std::string> problems;
};

[[nodiscard]] ExplainedCredential ExplainCredential(const api::TracingPolicy& policy,
                                                    const api::Credential& credential);

}  // namespace tracekeeper::domain
