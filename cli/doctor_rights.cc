// What `doctor` says of rights: those of whoever runs it, and those of the operator.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/doctor.h"
#include "cli/doctor_questions.h"
#include "operator/domain/rights.h"
#include "src/kube/discovery.h"

namespace tracekeeper::cli {
namespace {

using enum Check::State;

constexpr std::string_view kInstallRights =
    "Install the RBAC objects of the chart tracekeeper of this release.";

}  // namespace

/// What this command itself reads; a missing right explains an "unknown" below.
void Doctor::CheckOwnRights() {
  const kube::AccessQuestion questions[] = {
      {.verb = "list", .group = "tracekeeper.dev", .resource = "tracingpolicies"},
      {.verb = "list", .resource = "namespaces"},
      {.verb = "list", .resource = "nodes"},
      {.verb = "get", .group = "apiextensions.k8s.io", .resource = "customresourcedefinitions"},
      {.verb = "get",
       .group = "admissionregistration.k8s.io",
       .resource = "mutatingwebhookconfigurations"},
      {.verb = "list", .group = "coordination.k8s.io", .resource = "leases"},
  };
  std::vector<std::string> refused;
  for (const kube::AccessQuestion& question : questions) {
    const auto answer = kube::MayI(client_, question, stop_);
    if (answer && !answer->allowed) {
      refused.push_back(fmt::format("{} {}", question.verb, question.resource));
    }
  }
  if (refused.empty()) {
    Add(kOk, "Your rights", "enough for every check below.");
  } else {
    Add(kRemark, "Your rights", fmt::format("you may not {}.", fmt::join(refused, ", ")),
        "Some checks below are unknown for this reason: run this as someone who may.");
  }
}

/// In the namespaces of VaultConnections, which the chart's rbac.secretAccess must list.
void Doctor::CheckSecretRights(const std::string& account) {
  const auto namespaces = NamespacesOfConnections(client_, stop_);
  if (!namespaces) return Add(kUnknown, "Rights on Secrets", namespaces.error().message);
  std::vector<std::string> refused;
  for (const std::string& name : *namespaces) {
    for (const domain::Right& right : domain::OperatorRights()) {
      if (right.scope != domain::RightScope::kSecretNamespace) continue;
      const auto denied = DeniedVerbs(client_, account, right, name, stop_);
      if (!denied) return Add(kUnknown, "Rights on Secrets", denied.error().message);
      for (const std::string& verb : *denied) {
        refused.push_back(fmt::format("{} in namespace {}", domain::Describe(right, verb), name));
      }
    }
  }
  if (refused.empty()) return;
  Add(kMissing, "Rights on Secrets",
      fmt::format("a namespace has a VaultConnection, and {} may not {}.", account,
                  fmt::join(refused, "; ")),
      "Add the namespace to the chart value rbac.secretAccess.");
}

void Doctor::CheckOperatorRights() {
  const std::string account =
      fmt::format("system:serviceaccount:{}:{}", options_.operator_namespace, kOperatorName);
  std::vector<std::string> refused;
  std::vector<std::string> for_template;
  for (const domain::Right& right : domain::OperatorRights()) {
    const bool is_for_template = right.value == "rollout.template";
    // The chart's values say whether the others are wanted.
    if (right.scope == domain::RightScope::kSecretNamespace) continue;
    if (!right.value.empty() && !is_for_template) continue;
    if (is_for_template && !AnyPolicyRestartsByTemplate()) continue;
    const auto denied = DeniedVerbs(client_, account, right, options_.operator_namespace, stop_);
    if (!denied) {
      Add(kUnknown, "Operator's rights", denied.error().message,
          "To ask about another account you need the right to create subjectaccessreviews.");
      return;
    }
    for (const std::string& verb : *denied) {
      (is_for_template ? for_template : refused).push_back(domain::Describe(right, verb));
    }
  }
  if (refused.empty()) {
    Add(kOk, "Operator's rights", fmt::format("{} may do all it needs.", account));
  } else {
    Add(kMissing, "Operator's rights",
        fmt::format("{} may not {}.", account, fmt::join(refused, "; ")),
        std::string(kInstallRights));
  }
  if (!for_template.empty()) {
    Add(kMissing, "Operator's rights",
        fmt::format("a policy renews pods by their template, and {} may not {}.", account,
                    fmt::join(for_template, "; ")),
        "Set the chart value rollout.template to true, or the policy's strategy to Evict.");
  }
  CheckSecretRights(account);
}

bool Doctor::AnyPolicyRestartsByTemplate() const {
  return std::ranges::any_of(world_.policies, [](const KnownPolicy& known) {
    return known.policy.spec.injection.rollout.strategy == api::RolloutStrategy::kTemplate;
  });
}

}  // namespace tracekeeper::cli
