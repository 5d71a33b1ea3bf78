#include <fmt/format.h>

#include <iterator>

#include "cli/explain.h"
#include "operator/domain/explain_credential.h"

namespace tracekeeper::cli {
namespace {

void AppendCredential(std::string& text, const std::string& name,
                      const domain::ExplainedCredential& credential) {
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "  {}: {}.\n", name, credential.what);
  if (!credential.status.empty()) fmt::format_to(out, "    Now:      {}\n", credential.status);
  fmt::format_to(out, "    Next:     {}\n", credential.when);
  for (const domain::ExplainedPhase& phase : credential.phases) {
    fmt::format_to(out, "    {:<9} {}{}\n", phase.name, phase.is_under_way ? "(under way) " : "",
                   phase.sentence);
  }
  for (const std::string& problem : credential.problems) {
    fmt::format_to(out, "    ! {}\n", problem);
  }
}

}  // namespace

void AppendCredentials(std::string& text, const api::TracingPolicy& policy) {
  if (policy.spec.credentials.empty()) return;
  text.append("Credentials, and what a rotation of each does:\n");
  for (const api::Credential& credential : policy.spec.credentials) {
    AppendCredential(text, credential.name, domain::ExplainCredential(policy, credential));
  }
}

}  // namespace tracekeeper::cli
