#include "operator/domain/rotation_failure.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "src/vault/failure.h"

namespace tracekeeper::domain {
namespace {

constexpr auto kBackoff = RetryClass::kBackoff;
constexpr auto kSlow = RetryClass::kSlow;
constexpr auto kReload = RetryClass::kReload;
constexpr auto kHold = RetryClass::kHold;

constexpr std::array kOwnRows = {
    RotationFailure{"ConnectionMissing", failure::kConnectionMissing, kBackoff,
                    "the VaultConnection is not there, or not open yet",
                    "see kubectl get vaultconnections, or correct connectionRef"},
    RotationFailure{"ConnectionForbidden", failure::kConnectionForbidden, kSlow,
                    "the VaultConnection does not allow this namespace",
                    "add it to allowedNamespaces of the VaultConnection"},
    RotationFailure{"ClusterUnavailable", failure::kClusterUnavailable, kBackoff,
                    "the API server did not answer", "nothing: it is asked again"},
    RotationFailure{"SecretTooLarge", failure::kTooLarge, kSlow,
                    "the values do not fit a Secret, which holds 1 MiB",
                    "name the keys that are needed in vault.keys"},
    RotationFailure{"TemplateFailed", failure::kTemplateFailed, kSlow,
                    "a template cannot be filled in", "correct secret.template"},
    RotationFailure{"TargetOwned", failure::kTargetOwned, kSlow,
                    "the target belongs to somebody else", "name another, or delete that one"},
    RotationFailure{"TargetImmutable", failure::kTargetImmutable, kSlow,
                    "the target Secret is immutable, or of another type",
                    "name another, or delete that one"},
    RotationFailure{"TargetForbidden", failure::kTargetForbidden, kSlow,
                    "the operator may not read or write Secrets in this namespace",
                    "add the namespace to the chart's rbac.secretAccess"},
    RotationFailure{"TargetRefused", failure::kTargetRefused, kSlow,
                    "the API server refused the target as it would be",
                    "correct what it names: a policy of the cluster, a quota or the type"},
    RotationFailure{"RestartForbidden", failure::kRestartForbidden, kSlow,
                    "the operator may not restart workloads",
                    "set rollout.template of the chart to true"},
    RotationFailure{"NamespaceEnding", failure::kNamespaceEnding, kSlow,
                    "the namespace is being deleted", "nothing"},
    RotationFailure{"JournalUnreadable", failure::kJournalUnreadable, kHold,
                    "the journal of this credential cannot be read, so nothing is changed",
                    "run the operator that wrote it; or delete the journal's Secret, and the "
                    "credential is adopted anew"},
    RotationFailure{"Superseded", failure::kFenced, kReload,
                    "another replica is further than this one", "nothing"},
    RotationFailure{"InternalError", failure::kInternal, kBackoff,
                    "the operator came upon a state that it does not know",
                    "report it with the operator's log"},
};

constexpr RetryClass RetryOf(const vault::FailureRow& row) {
  using enum vault::Failure;
  if (row.failure == kVersionDeleted || row.failure == kVersionDestroyed) return kHold;
  switch (row.retry) {
    case vault::Retry::kSlow:
      return kSlow;
    case vault::Retry::kNever:
      return RetryClass::kAnew;
    default:
      return kBackoff;
  }
}

constexpr auto AllRows() {
  std::array<RotationFailure, vault::kFailures.size() + kOwnRows.size()> rows;
  std::size_t at = 0;
  for (const vault::FailureRow& row : vault::kFailures) {
    rows[at++] = {row.reason, row.label, RetryOf(row), row.what, row.remedy};
  }
  for (const RotationFailure& row : kOwnRows) rows[at++] = row;
  return rows;
}

constexpr std::array kFailures = AllRows();

std::string_view LabelOfKind(ErrorKind kind) {
  using enum vault::Failure;
  switch (kind) {
    case ErrorKind::kNotFound:
      return vault::RowOf(kNotFound).label;
    case ErrorKind::kAlreadyExists:
    case ErrorKind::kConflict:
    case ErrorKind::kExpired:
      return failure::kFenced;
    case ErrorKind::kUnauthorized:
      return vault::RowOf(kLoginRefused).label;
    case ErrorKind::kForbidden:
      return failure::kTargetForbidden;
    case ErrorKind::kTooManyRequests:
    case ErrorKind::kTimeout:
    case ErrorKind::kCancelled:
    case ErrorKind::kUnavailable:
      return failure::kClusterUnavailable;
    case ErrorKind::kInvalid:
      return vault::RowOf(kRequestRefused).label;
    case ErrorKind::kDecode:
      return vault::RowOf(kAnswerNotVault).label;
    case ErrorKind::kTerminal:
    case ErrorKind::kInternal:
      break;
  }
  return failure::kInternal;
}

}  // namespace

std::span<const RotationFailure> RotationFailures() { return kFailures; }

const RotationFailure* FindRotationFailure(std::string_view label) {
  const auto* const found = std::ranges::find(kFailures, label, &RotationFailure::label);
  return found == kFailures.end() ? nullptr : found;
}

const RotationFailure& RotationFailureOf(const Error& error) {
  if (const RotationFailure* row = FindRotationFailure(error.reason)) return *row;
  return *FindRotationFailure(LabelOfKind(error.kind));
}

Duration RetryDelay(const RotationFailure& failure, unsigned failures, double random,
                    std::optional<Duration> retry_after) {
  constexpr Duration kFirst = std::chrono::seconds(1);
  const Duration most =
      failure.retry == RetryClass::kSlow ? std::chrono::seconds(300) : std::chrono::seconds(60);
  constexpr Duration kLongestAsked = std::chrono::hours(1);
  if (failure.retry == RetryClass::kReload || failure.retry == RetryClass::kAnew) return kFirst;
  if (failure.retry == RetryClass::kHold) return most;
  const double range =
      std::min(std::exp2(std::min(failures, 16U)), std::chrono::duration<double>(most).count());
  const auto jittered = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(range * std::clamp(random, 0.0, 1.0)));
  const Duration wait = std::clamp(jittered, kFirst, most);
  if (!retry_after) return wait;
  return std::max(wait, std::min(*retry_after, kLongestAsked));
}

}  // namespace tracekeeper::domain
