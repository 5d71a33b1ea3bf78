// What `doctor` says of who leads, of a second operator, and of Pod Security where policies are.

#include <fmt/format.h>

#include <algorithm>

#include "cli/doctor.h"
#include "cli/doctor_questions.h"
#include "operator/domain/reasons.h"
#include "operator/domain/select_policy.h"
#include "src/kube/lease.h"
#include "src/kube/timestamp.h"
#include "src/net/http.h"

namespace tracekeeper::cli {
namespace {

using enum Check::State;

constexpr std::string_view kEnforceLabel = "pod-security.kubernetes.io/enforce";

bool IsAlive(const kube::LeaseRecord& record, Instant now) {
  const auto lifetime = std::chrono::seconds(record.lease_duration_seconds);
  return !record.holder_identity.empty() && record.renew_time &&
         *record.renew_time + lifetime >= now;
}

}  // namespace

void Doctor::CheckLeader() {
  const auto lease =
      kube::GetLease(client_, {options_.operator_namespace, std::string(kOperatorName)}, stop_);
  const std::string advice = fmt::format(
      "Is the operator running? kubectl get deployments,pods -n {}. If it runs elsewhere, give "
      "--operator-namespace.",
      options_.operator_namespace);
  if (!lease && lease.error().kind == ErrorKind::kNotFound) {
    Add(kMissing, "Operator",
        fmt::format("no operator has ever led in namespace {}.", options_.operator_namespace),
        advice);
    return;
  }
  if (!lease) {
    Add(kUnknown, "Operator", lease.error().message,
        "Run this as someone who may read Leases in that namespace.");
    return;
  }
  const kube::LeaseRecord& record = lease->record;
  if (!IsAlive(record, clock_.Now())) {
    Add(kMissing, "Operator",
        fmt::format("none leads now{}.",
                    record.renew_time
                        ? "; the last one renewed at " + kube::FormatTimestamp(*record.renew_time)
                        : std::string()),
        advice);
    return;
  }
  Add(kOk, "Operator", fmt::format("{} leads.", record.holder_identity));
}

/// Two operators would write one webhook configuration in turn, each with its own certificate.
void Doctor::CheckOtherOperators() {
  const auto found =
      LeasesNamed(client_, std::string(kOperatorName), options_.operator_namespace, stop_);
  if (!found) {
    Add(kUnknown, "Other operators", found.error().message,
        "Run this as someone who may list Leases in all namespaces.");
    return;
  }
  std::vector<std::string> others;
  for (const kube::ObjectKey& key : *found) {
    const auto lease = kube::GetLease(client_, key, stop_);
    if (lease && IsAlive(lease->record, clock_.Now())) {
      others.push_back(
          fmt::format("{} in namespace {}", lease->record.holder_identity, key.namespace_name));
    }
  }
  if (others.empty()) return;
  Add(kMissing, "Other operators",
      fmt::format("a second operator leads: {}. Both write the one webhook configuration in turn.",
                  Some(others)),
      "Uninstall one of them: helm list -A shows where each was installed. One operator serves all "
      "namespaces. If that is the one you mean, give --operator-namespace.");
}

/// The sidecar passes "restricted"; Redirect needs a capability that "baseline" forbids already.
void Doctor::CheckPodSecurity() {
  std::vector<std::string> enforced;
  std::vector<std::string> refused;
  for (const auto& [name, labels] : world_.namespaces) {
    const auto level = labels.find(kEnforceLabel);
    const bool is_strict = level != labels.end() && level->second != "privileged";
    if (!is_strict || domain::IsExcludedNamespace(name, options_.operator_namespace)) continue;
    bool has_policy = false;
    for (const KnownPolicy& known : world_.policies) {
      if (!known.compiled ||
          !domain::AppliesToNamespace(*known.compiled, name, domain::LabelsOf(labels))) {
        continue;
      }
      has_policy = true;
      if (!known.compiled->injection.wants_redirect) continue;
      refused.push_back(fmt::format("policy {} in namespace {} ({})",
                                    known.policy.metadata.key.ToString(), name, level->second));
    }
    if (has_policy) enforced.push_back(fmt::format("{} ({})", name, level->second));
  }
  if (!refused.empty()) {
    const domain::Reason reason = domain::Reason::kRedirectRefusedByPodSecurity;
    Add(kMissing, "Pod Security",
        fmt::format("{} {}", domain::SentenceOf(reason), Some(refused) + "."),
        std::string(domain::AdviceOf(reason)));
  } else if (!enforced.empty()) {
    Add(kOk, "Pod Security",
        fmt::format("the sidecar passes what namespaces with a policy enforce: {}.",
                    Some(enforced)));
  } else {
    Add(kOk, "Pod Security", "no namespace with a policy enforces a level.");
  }
}

}  // namespace tracekeeper::cli
