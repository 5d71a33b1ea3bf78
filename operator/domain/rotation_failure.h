#pragma once
// What can go wrong with a credential, as one table: the rows of Vault (src/vault/failure.h), and
// those of the cluster and of rotation itself. Each has the reason of the condition, the label of
// the metric, how it is retried, and two sentences for a person. Whoever fails puts the row's label
// in Error::reason; an error without one finds its row by its kind.
//
// Threads:  pure functions of values.
// Failure:  none. An error that no row fits is "internal".

#include <optional>
#include <span>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/error.h"

namespace tracekeeper::domain {

/// The labels of the rows that are not Vault's, for who fails: metric label and Error::reason.
namespace failure {
inline constexpr std::string_view kConnectionMissing = "connection_missing";
inline constexpr std::string_view kConnectionForbidden = "connection_forbidden";
inline constexpr std::string_view kClusterUnavailable = "cluster_unavailable";
inline constexpr std::string_view kTooLarge = "too_large";
inline constexpr std::string_view kTemplateFailed = "template_failed";
inline constexpr std::string_view kTargetOwned = "target_owned";
inline constexpr std::string_view kTargetImmutable = "target_immutable";
inline constexpr std::string_view kTargetForbidden = "target_forbidden";
inline constexpr std::string_view kTargetRefused = "target_refused";
inline constexpr std::string_view kRestartForbidden = "restart_forbidden";
inline constexpr std::string_view kNamespaceEnding = "namespace_ending";
inline constexpr std::string_view kJournalUnreadable = "journal_unreadable";
inline constexpr std::string_view kFenced = "fenced";
inline constexpr std::string_view kInternal = "internal";
}  // namespace failure

enum class RetryClass {
  kBackoff,  // again after 1 to 60 s, at random within a growing range
  kSlow,     // a person must act: the same, up to 5 min
  kReload,   // somebody else was first: read anew and go on
  kAnew,     // what was made cannot be used: make another
  kHold,     // a person must act; the last good value stays, and the source is looked at again
};

struct RotationFailure {
  std::string_view reason;  // of the condition: "VaultSealed"
  std::string_view label;
  RetryClass retry = RetryClass::kBackoff;
  std::string_view what;    // happened
  std::string_view remedy;  // what to do
};

/// Every row, in the order of the reference documentation.
[[nodiscard]] std::span<const RotationFailure> RotationFailures();

/// The row with that label; nothing for one that is unknown.
[[nodiscard]] const RotationFailure* FindRotationFailure(std::string_view label);

/// The row of `error`: by its reason, else by its kind.
[[nodiscard]] const RotationFailure& RotationFailureOf(const Error& error);

/// Full jitter: anywhere from 1 s to 2^failures s, at most 60 s, or 5 min for kSlow; never before
/// the peer asked to be asked again, where that is within an hour. `random` is uniform in [0, 1).
[[nodiscard]] Duration RetryDelay(const RotationFailure& failure, unsigned failures, double random,
                                  std::optional<Duration> retry_after);

}  // namespace tracekeeper::domain
