#pragma once
// What can go wrong with a credential, as one table: the reason of the condition, the label of the
// metric, how it is retried, and the sentences for a person. Whoever fails puts the row's label in
// Error::reason; an error without one finds its row by its kind.
//
// Threads:  pure functions of values.
// Failure:  none. An error that no row fits is "internal".

#include <optional>
#include <span>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/error.h"

namespace tracekeeper::domain {

/// The labels, for who fails: metric label and Error::reason.
namespace failure {
inline constexpr std::string_view kSealed = "sealed";
inline constexpr std::string_view kStandby = "standby";
inline constexpr std::string_view kUnreachable = "unreachable";
inline constexpr std::string_view kRateLimited = "rate_limited";
inline constexpr std::string_view kLoginRefused = "login_refused";
inline constexpr std::string_view kReadForbidden = "read_forbidden";
inline constexpr std::string_view kWriteForbidden = "write_forbidden";
inline constexpr std::string_view kTokenRevoked = "token_revoked";
inline constexpr std::string_view kSourceAbsent = "source_absent";
inline constexpr std::string_view kSourceDeleted = "source_deleted";
inline constexpr std::string_view kSourceDestroyed = "source_destroyed";
inline constexpr std::string_view kWrongKvVersion = "wrong_kv_version";
inline constexpr std::string_view kCasConflict = "cas_conflict";
inline constexpr std::string_view kLeaseNotFound = "lease_not_found";
inline constexpr std::string_view kLeaseTruncated = "lease_truncated";
inline constexpr std::string_view kLeaseNotRenewable = "lease_not_renewable";
inline constexpr std::string_view kCaMismatch = "ca_mismatch";
inline constexpr std::string_view kBadAnswer = "bad_answer";
inline constexpr std::string_view kTooLarge = "too_large";
inline constexpr std::string_view kTemplateFailed = "template_failed";
inline constexpr std::string_view kTargetOwned = "target_owned";
inline constexpr std::string_view kTargetImmutable = "target_immutable";
inline constexpr std::string_view kTargetForbidden = "target_forbidden";
inline constexpr std::string_view kNamespaceEnding = "namespace_ending";
inline constexpr std::string_view kClockSkew = "clock_skew";
inline constexpr std::string_view kJournalUnreadable = "journal_unreadable";
inline constexpr std::string_view kFenced = "fenced";
inline constexpr std::string_view kInternal = "internal";
}  // namespace failure

enum class RetryClass {
  kBackoff,  // again after 1 to 60 s, at random within a growing range
  kReload,   // somebody else was first: read anew and go on
  kAnew,     // what was made cannot be used: make another
  kHold,     // a person must act; the last good value stays, and the source is looked at again
};

struct RotationFailure {
  std::string_view reason;  // of the condition: "VaultSealed"
  std::string_view label;
  RetryClass retry = RetryClass::kBackoff;
  std::string_view sentence;
  std::string_view advice;
};

/// Every row, in the order of the reference documentation.
[[nodiscard]] std::span<const RotationFailure> RotationFailures();

/// The row with that label; nothing for one that is unknown.
[[nodiscard]] const RotationFailure* FindRotationFailure(std::string_view label);

/// The row of `error`: by its reason, else by its kind.
[[nodiscard]] const RotationFailure& RotationFailureOf(const Error& error);

/// Full jitter: anywhere from 1 s to 2^failures s, at most 60 s; never before the peer asked to be
/// asked again, where that is within an hour. `random` is uniform in [0, 1).
[[nodiscard]] Duration RetryDelay(const RotationFailure& failure, unsigned failures, double random,
                                  std::optional<Duration> retry_after);

}  // namespace tracekeeper::domain
