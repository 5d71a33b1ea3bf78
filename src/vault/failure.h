#pragma once
// Failure is every way in which asking Vault can fail, and kFailures says of each what the rest of
// the program makes of it: the reason of a condition, the label of a metric, when to try again, and
// two sentences for a person. The table is public: reasons and labels are never renamed.
//
// Every error that leaves this folder has the row's label as Error::reason; FailureOf() leads back
// from it to the row. Errors that are not Vault's doing (our stop, a bug of ours) have none.
//
// Threads:  pure functions over constants.
// Failure:  none. What Vault wrote reaches an error only through Scrub().

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/error.h"

namespace tracekeeper::vault {

enum class Failure : std::uint8_t {
  kSealed,
  kUnavailable,
  kStandby,
  kRateLimited,
  kNotInitialised,
  kCertificateRefused,
  kEngineFailed,
  kLoginRefused,
  kPermissionDenied,
  kTokenRevoked,
  kBatchToken,
  kNamespaceWrong,
  kNotFound,
  kVersionDeleted,
  kVersionDestroyed,
  kWrongKvVersion,
  kCasConflict,
  kLeaseNotFound,
  kLeaseTruncated,
  kLeaseNotRenewable,
  kRequestRefused,
  kClockSkew,
  kAnswerNotVault,
  kAnswerTooLarge,
  kMalformedSecret,
};

/// When the same thing is worth another try.
enum class Retry : std::uint8_t {
  kSoon,         // with full jitter: it may pass by itself
  kAfterProbe,   // the circuit breaker opens: nobody asks until a probe of sys/health is good
  kAfterAnswer,  // after as long as the answer asked for (Error::retry_after)
  kRelogin,      // with a new token, once
  kSlow,         // a person must change something: every few minutes
  kNever,        // the same call cannot succeed: read anew and decide anew
};

struct FailureRow {
  Failure failure;
  std::string_view reason;  // of a condition
  std::string_view label;   // of metrics and logs, and Error::reason
  Retry retry;
  ErrorKind kind;
  std::string_view what;    // happened
  std::string_view remedy;  // what to do
};

inline constexpr std::array kFailures = {
    FailureRow{Failure::kSealed, "VaultSealed", "sealed", Retry::kAfterProbe,
               ErrorKind::kUnavailable, "Vault is sealed",
               "unseal it; work goes on by itself within seconds"},
    FailureRow{Failure::kUnavailable, "VaultUnavailable", "unavailable", Retry::kAfterProbe,
               ErrorKind::kUnavailable, "Vault could not be asked",
               "check address, network policies and that Vault runs"},
    FailureRow{Failure::kStandby, "VaultStandby", "standby", Retry::kSoon, ErrorKind::kUnavailable,
               "a standby node answered that cannot serve this yet",
               "wait for the cluster to elect its active node, or use the address of that node"},
    FailureRow{Failure::kRateLimited, "VaultRateLimited", "rate_limited", Retry::kAfterAnswer,
               ErrorKind::kTooManyRequests, "Vault's rate limit was reached",
               "raise the quota, or lower the queries per second of this connection"},
    FailureRow{Failure::kNotInitialised, "VaultNotInitialised", "not_initialised",
               Retry::kAfterProbe, ErrorKind::kUnavailable, "Vault is not initialised",
               "initialise and unseal it"},
    FailureRow{Failure::kCertificateRefused, "VaultCertificateRefused", "certificate_refused",
               Retry::kAfterProbe, ErrorKind::kUnavailable,
               "Vault's certificate is not signed by a trusted authority for its name",
               "give the authority that signed it, or the server name it was made for"},
    FailureRow{Failure::kEngineFailed, "VaultEngineFailed", "engine_failed", Retry::kSoon,
               ErrorKind::kUnavailable, "an engine of Vault failed at the request",
               "look in Vault's log; for the database engine, check that Vault reaches the "
               "database"},
    FailureRow{Failure::kLoginRefused, "VaultLoginRefused", "login_refused", Retry::kSlow,
               ErrorKind::kForbidden, "Vault refused the login",
               "check mount, role and what the role is bound to"},
    FailureRow{Failure::kPermissionDenied, "VaultPermissionDenied", "permission_denied",
               Retry::kSlow, ErrorKind::kForbidden, "the token's policies do not allow it",
               "allow the path in a policy of the role"},
    FailureRow{Failure::kTokenRevoked, "VaultTokenRevoked", "token_revoked", Retry::kRelogin,
               ErrorKind::kUnauthorized, "the token is no longer valid",
               "nothing: a new login follows"},
    FailureRow{Failure::kBatchToken, "VaultBatchToken", "batch_token", Retry::kRelogin,
               ErrorKind::kInvalid, "a batch token can be neither renewed nor revoked",
               "nothing: a new login follows; for leases that outlive it use service tokens"},
    FailureRow{Failure::kNamespaceWrong, "VaultNamespaceWrong", "namespace_wrong", Retry::kSlow,
               ErrorKind::kInvalid, "Vault does not know the namespace",
               "correct the namespace; Vault's community edition has none"},
    FailureRow{Failure::kNotFound, "VaultNotFound", "not_found", Retry::kSlow, ErrorKind::kNotFound,
               "there is nothing at that path", "check mount and path, or write the secret first"},
    FailureRow{Failure::kVersionDeleted, "SourceDeleted", "version_deleted", Retry::kSlow,
               ErrorKind::kNotFound, "the version was deleted",
               "undelete it or write a new version; the last good value stays in use"},
    FailureRow{Failure::kVersionDestroyed, "SourceDestroyed", "version_destroyed", Retry::kSlow,
               ErrorKind::kNotFound, "the version was destroyed",
               "write a new version; the last good value stays in use"},
    FailureRow{Failure::kWrongKvVersion, "VaultWrongKvVersion", "wrong_kv_version", Retry::kSlow,
               ErrorKind::kInvalid, "the mount is another version of the KV engine",
               "name the version that the mount has, or another mount"},
    FailureRow{Failure::kCasConflict, "VaultCasConflict", "cas_conflict", Retry::kNever,
               ErrorKind::kConflict, "somebody else wrote the secret in between",
               "read it anew and decide anew"},
    FailureRow{Failure::kLeaseNotFound, "VaultLeaseNotFound", "lease_not_found", Retry::kNever,
               ErrorKind::kNotFound, "the lease does not exist any more",
               "nothing: new credentials follow"},
    FailureRow{Failure::kLeaseTruncated, "VaultLeaseTruncated", "lease_truncated", Retry::kNever,
               ErrorKind::kExpired, "the lease was renewed for less than asked: it nears its end",
               "nothing: new credentials follow"},
    FailureRow{Failure::kLeaseNotRenewable, "VaultLeaseNotRenewable", "lease_not_renewable",
               Retry::kNever, ErrorKind::kInvalid, "the lease cannot be renewed",
               "nothing: new credentials follow"},
    FailureRow{Failure::kRequestRefused, "VaultRequestRefused", "request_refused", Retry::kSlow,
               ErrorKind::kInvalid, "Vault refused the request", "correct what it names"},
    FailureRow{Failure::kClockSkew, "VaultClockSkew", "clock_skew", Retry::kSoon,
               ErrorKind::kTerminal, "Vault's clock and ours differ",
               "set both by NTP: leases and certificates end at other times than they seem to"},
    FailureRow{Failure::kAnswerNotVault, "VaultAnswerUnreadable", "answer_not_vault", Retry::kSlow,
               ErrorKind::kDecode, "what answered is not Vault's API",
               "check the address: a proxy or another server may answer there"},
    FailureRow{Failure::kAnswerTooLarge, "VaultAnswerTooLarge", "answer_too_large", Retry::kSlow,
               ErrorKind::kDecode, "the answer is larger than a secret may be", "split the secret"},
    FailureRow{Failure::kMalformedSecret, "VaultSecretMalformed", "secret_malformed", Retry::kSlow,
               ErrorKind::kDecode, "the secret is not of the form asked for",
               "correct the secret, or the key that is read from it"},
};

[[nodiscard]] constexpr const FailureRow& RowOf(Failure failure) {
  return kFailures[static_cast<std::size_t>(failure)];
}

/// The row whose label is the error's reason.
[[nodiscard]] std::optional<Failure> FailureOf(const Error& error);

/// "TRIED: WHAT (DETAIL): REMEDY". `detail` is taken as it is: ours, or scrubbed.
[[nodiscard]] Error MakeError(Failure failure, std::string_view tried,
                              std::string_view detail = {});

/// What a peer wrote, made fit for a log line: one line of at most 240 bytes, no control
/// characters, valid UTF-8, and words that may be tokens, keys or ids left out.
[[nodiscard]] std::string Scrub(std::string_view text);

}  // namespace tracekeeper::vault
