#pragma once
// Leases renews, revokes and looks up what Vault has lent: credentials that end by themselves.
//
// Threads:  as its Caller: safe from any thread, blocking.
// Secrets:  whoever has a lease's id can revoke it, so it is held as a secret; people see its hash.
// Failure:  rows kLeaseNotFound, kLeaseNotRenewable and those of the endpoint.

#include <optional>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/crypto/secret_string.h"
#include "src/vault/answer.h"

namespace tracekeeper::vault {

struct Lease {
  crypto::SecretString id;
  std::string id_hash;
  Duration duration{};
  bool is_renewable = false;
};

struct LeaseRenewal {
  Duration duration{};
  /// kLeaseTruncated (less than asked was given) or kLeaseNotRenewable from now on: time to ask for
  /// new credentials, while these are still valid.
  std::optional<Failure> ending;
  std::string request_id;
};

struct LeaseInfo {
  Instant issued;
  Instant expires;
  Duration left{};
  bool is_renewable = false;
};

/// How long after it began a lease is renewed: L * (2/3 - 0.10 * share), so that a third is always
/// left. `share` in [0, 1) comes from what is leased, so renewals spread and survive restarts.
[[nodiscard]] Duration RenewAfter(Duration lease, double share);

/// The lease of an answer that lends something.
Result<Lease> ReadLease(const Answer& answer, std::string_view tried);

class Leases {
 public:
  explicit Leases(Caller& caller) : caller_(caller) {}

  /// Asks for `increment` from now on.
  Result<LeaseRenewal> Renew(const Lease& lease, Duration increment, const StopToken& stop);
  /// Returns when Vault has revoked it. A lease that is gone already is a success.
  Status Revoke(const crypto::SecretString& id, const StopToken& stop);
  Result<LeaseInfo> Lookup(const crypto::SecretString& id, const StopToken& stop);

 private:
  Caller& caller_;
};

}  // namespace tracekeeper::vault
