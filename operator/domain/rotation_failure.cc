#include "operator/domain/rotation_failure.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tracekeeper::domain {
namespace {

constexpr auto kBackoff = RetryClass::kBackoff;
constexpr auto kReload = RetryClass::kReload;
constexpr auto kAnew = RetryClass::kAnew;
constexpr auto kHold = RetryClass::kHold;

constexpr std::array kFailures = {
    RotationFailure{"VaultSealed", failure::kSealed, kBackoff, "Vault is sealed.",
                    "Unseal it; rotation goes on by itself."},
    RotationFailure{"VaultStandby", failure::kStandby, kBackoff,
                    "The Vault that answers is a standby and does not forward.",
                    "Give the address of the active one, or allow forwarding."},
    RotationFailure{"VaultUnreachable", failure::kUnreachable, kBackoff,
                    "Vault, or the API server, does not answer.",
                    "Check address, network policy and DNS."},
    RotationFailure{"VaultRateLimited", failure::kRateLimited, kBackoff,
                    "Vault asks for fewer requests.",
                    "Lower limits.qps of the VaultConnection, or raise the quota."},
    RotationFailure{"VaultLoginRefused", failure::kLoginRefused, kBackoff,
                    "Vault refuses the login.",
                    "Check role, audiences and mount of the VaultConnection's auth."},
    RotationFailure{"VaultReadForbidden", failure::kReadForbidden, kBackoff,
                    "The role may not read this path.", "Add `read` for it to the role's policy."},
    RotationFailure{"VaultWriteForbidden", failure::kWriteForbidden, kBackoff,
                    "The role may not write this path.",
                    "Add `create` and `update` for it to the role's policy."},
    RotationFailure{"VaultTokenRevoked", failure::kTokenRevoked, kBackoff,
                    "The token was revoked before its time.",
                    "Nothing, unless it comes again: then see who revokes it in Vault's audit."},
    RotationFailure{"SourceAbsent", failure::kSourceAbsent, kBackoff,
                    "There is nothing at this path.", "Write it, or correct mount and path."},
    RotationFailure{"SourceDeleted", failure::kSourceDeleted, kHold,
                    "The newest version was deleted; the last good value stays in use.",
                    "Undelete it, or write a new version; or ask for a rotation by annotation."},
    RotationFailure{"SourceDestroyed", failure::kSourceDestroyed, kHold,
                    "The newest version was destroyed; the last good value stays in use.",
                    "Write a new version, or ask for a rotation by annotation."},
    RotationFailure{"WrongKvVersion", failure::kWrongKvVersion, kBackoff,
                    "The mount is of the other KV version.", "Correct `engine`."},
    RotationFailure{"CasConflict", failure::kCasConflict, kAnew,
                    "Another writer stored a version first; it is taken instead.",
                    "Let one writer rotate this path."},
    RotationFailure{"LeaseNotFound", failure::kLeaseNotFound, kAnew,
                    "The lease is gone before its time; a new one is asked for.",
                    "See in Vault's audit who revoked it."},
    RotationFailure{"LeaseTruncated", failure::kLeaseTruncated, kAnew,
                    "The lease came to its longest life; a new one is asked for.",
                    "Raise max_ttl of the role where that is too often."},
    RotationFailure{"LeaseNotRenewable", failure::kLeaseNotRenewable, kAnew,
                    "The lease cannot be renewed; a new one is asked for.",
                    "Let the role give renewable leases."},
    RotationFailure{"CaMismatch", failure::kCaMismatch, kBackoff,
                    "The CA does not match the certificate.",
                    "Check the mount's issuer and the VaultConnection's CA."},
    RotationFailure{"BadAnswer", failure::kBadAnswer, kBackoff,
                    "What answers is no Vault, or its answer cannot be read.",
                    "Check that no proxy answers in its place."},
    RotationFailure{"SecretTooLarge", failure::kTooLarge, kBackoff,
                    "The value does not fit a Secret.", "Name the keys that are needed."},
    RotationFailure{"TemplateFailed", failure::kTemplateFailed, kBackoff,
                    "The template cannot be filled in.", "Correct secret.template."},
    RotationFailure{"TargetOwned", failure::kTargetOwned, kBackoff,
                    "The target Secret belongs to somebody else.",
                    "Name another Secret, or delete that one."},
    RotationFailure{"TargetImmutable", failure::kTargetImmutable, kBackoff,
                    "The target Secret is immutable.", "Name another Secret, or delete that one."},
    RotationFailure{"TargetForbidden", failure::kTargetForbidden, kBackoff,
                    "The operator may not write Secrets in this namespace.",
                    "Add the namespace to the chart's rbac.secretAccess."},
    RotationFailure{"NamespaceEnding", failure::kNamespaceEnding, kBackoff,
                    "The namespace is being deleted.", "Nothing."},
    RotationFailure{"ClockSkew", failure::kClockSkew, kBackoff,
                    "The clocks of the node and of Vault differ by more than 30 s.",
                    "Check the time synchronisation of both."},
    RotationFailure{"JournalUnreadable", failure::kJournalUnreadable, kHold,
                    "The journal of this credential cannot be read; nothing is changed.",
                    "Run the operator that wrote it; or delete the journal's Secret, and the "
                    "credential is adopted anew."},
    RotationFailure{"Superseded", failure::kFenced, kReload,
                    "Another replica is further than this one.", "Nothing."},
    RotationFailure{"InternalError", failure::kInternal, kBackoff,
                    "The operator came upon a state that it does not know.",
                    "Please report it with the operator's log."},
};

std::string_view LabelOfKind(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNotFound:
      return failure::kSourceAbsent;
    case ErrorKind::kAlreadyExists:
    case ErrorKind::kConflict:
    case ErrorKind::kExpired:
      return failure::kFenced;
    case ErrorKind::kUnauthorized:
      return failure::kLoginRefused;
    case ErrorKind::kForbidden:
      return failure::kReadForbidden;
    case ErrorKind::kTooManyRequests:
      return failure::kRateLimited;
    case ErrorKind::kTimeout:
    case ErrorKind::kCancelled:
    case ErrorKind::kUnavailable:
      return failure::kUnreachable;
    case ErrorKind::kInvalid:
    case ErrorKind::kDecode:
      return failure::kBadAnswer;
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
  constexpr Duration kMost = std::chrono::seconds(60);
  constexpr Duration kLongestAsked = std::chrono::hours(1);
  if (failure.retry == RetryClass::kReload || failure.retry == RetryClass::kAnew) return kFirst;
  if (failure.retry == RetryClass::kHold) return kMost;
  const double range = std::min(std::exp2(std::min(failures, 16U)), 60.0);
  const auto jittered = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(range * std::clamp(random, 0.0, 1.0)));
  const Duration wait = std::clamp(jittered, kFirst, kMost);
  if (!retry_after) return wait;
  return std::max(wait, std::min(*retry_after, kLongestAsked));
}

}  // namespace tracekeeper::domain
