#include "operator/domain/plan_credentials.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/kube/timestamp.h"

namespace tracekeeper::domain {
namespace {

using kube::ConditionStatus;

api::CredentialStatus StatusOf(const std::string& name, const CredentialReport& report) {
  api::CredentialStatus status;
  status.name = name;
  status.phase = codec::NameOfEnum(report.phase);
  status.version = report.version;
  if (report.last_rotation) status.last_rotation = kube::FormatTimestamp(*report.last_rotation);
  if (report.next_rotation) status.next_rotation = kube::FormatTimestamp(*report.next_rotation);
  status.reason = report.reason;
  return status;
}

/// The worse of two comes first; what is under way is told before what is done.
int RankOf(const CredentialReport& report) {
  switch (report.rotated) {
    case ConditionStatus::kFalse:
      return report.is_stalled ? 0 : 1;
    case ConditionStatus::kUnknown:
      return 2;
    case ConditionStatus::kTrue:
      break;
  }
  return report.phase == RotationPhase::kIdle ? 4 : 3;
}

std::string MessageOf(const std::string& name, const CredentialReport& report, std::size_t others) {
  std::string message = fmt::format("Credential {}: {}", name, report.message);
  if (others > 0) {
    fmt::format_to(std::back_inserter(message), " ({} more {} not as it should be)", others,
                   others == 1 ? "is" : "are");
  }
  return message;
}

}  // namespace

CredentialsPlan PlanCredentials(const CredentialsObservation& seen, std::int64_t generation) {
  CredentialsPlan plan;
  const std::string* worst = nullptr;
  const CredentialReport* report = nullptr;
  std::size_t bad = 0;
  for (const std::string& name : seen.names) {
    const auto found = seen.reports.find(name);
    if (found == seen.reports.end()) {
      const auto before = std::ranges::find(seen.published, name, &api::CredentialStatus::name);
      if (before != seen.published.end()) plan.statuses.push_back(*before);
      continue;
    }
    plan.statuses.push_back(StatusOf(name, found->second));
    if (found->second.rotated == ConditionStatus::kFalse) ++bad;
    if (report == nullptr || RankOf(found->second) < RankOf(*report)) {
      worst = &name;
      report = &found->second;
    }
    if (!found->second.may_be_ready && !plan.hindrance) {
      plan.hindrance = {found->second.reason,
                        fmt::format("Credential {}: {}", name, found->second.message),
                        found->second.is_stalled};
    }
  }
  if (report == nullptr) return plan;
  plan.condition = kube::Condition{.type = std::string(kCredentialsRotatedCondition),
                                   .status = report->rotated,
                                   .reason = report->reason,
                                   .message = MessageOf(*worst, *report, bad > 0 ? bad - 1 : 0),
                                   .observed_generation = generation};
  return plan;
}

}  // namespace tracekeeper::domain
