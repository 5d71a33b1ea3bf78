// A user of a database that Vault makes for a role, and that ends with its lease: two leases
// overlap while a rotation is under way.
//
// Vault revokes a lease when the token under which it was made ends. That of our session ends with
// this leader, so each lease has a token of its own, which lies beside it in the journal: whoever
// leads next renews both. The session itself renews and revokes leases; it may do so for all.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "operator/controllers/credential_source.h"
#include "src/vault/database.h"
#include "src/vault/lease.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kLeaseKey = "tracekeeper.lease";
constexpr std::string_view kTokenKey = "tracekeeper.token";

/// Of what ends with two leases; zero: a token that does not end.
Duration Shorter(Duration lease, Duration token) {
  return token > Duration::zero() ? std::min(lease, token) : lease;
}

class DatabaseSource final : public CredentialSource {
 public:
  explicit DatabaseSource(Parts parts)
      : role_(parts.plan.credential.vault.role),
        mount_(parts.plan.credential.vault.mount),
        stop_(std::move(parts.stop)),
        session_(parts.vault),
        leases_(parts.vault) {}

  /// Whether Vault can be asked shows when it is: a role has no version.
  Result<domain::SourceFacts> Observe() override {
    return domain::SourceFacts{domain::SourceState::kPresent, 0};
  }

  Result<Proposal> Propose(const domain::RotationJournal& /*journal*/, Instant now) override {
    vault::Token token = TRY(session_.LogInApart(stop_));
    if (token.is_batch) return Fail(RefusalOfBatchToken());
    vault::TokenCaller caller = session_.CallerWith(token.value.Clone());
    auto created = vault::Database(mount_, caller).Create(role_, stop_);
    if (!created) {
      static_cast<void>(caller.RevokeSelf(stop_));  // else it ends by itself
      return Fail(std::move(created).error());
    }
    vault::DynamicCredentials made = *std::move(created);
    Proposal proposal;
    proposal.record.state = domain::VersionState::kStored;
    proposal.record.source_id = made.lease.id_hash;
    proposal.record.valid_from = domain::Moment::Of(now);
    proposal.record.valid_until =
        domain::Moment::Of(now + Shorter(made.lease.duration, token.lease));
    // One that cannot be renewed shows when it is due: then it is fixed, and the next one comes.
    proposal.values.insert_or_assign("username", crypto::SecretString(made.username));
    proposal.values.insert_or_assign("password", std::move(made.password));
    proposal.values.insert_or_assign(std::string(kLeaseKey), std::move(made.lease.id));
    proposal.values.insert_or_assign(std::string(kTokenKey), std::move(token.value));
    return proposal;
  }

  void Discard(const Proposal& proposal) override {
    // What cannot be revoked ends by itself.
    const auto lease = LeaseOf(proposal.values);
    if (lease) static_cast<void>(leases_.Revoke(**lease, stop_));
    RevokeToken(proposal.values);
  }

  Result<Done> Commit(const domain::RotationJournal& /*journal*/,
                      vault::SecretValues& /*values*/) override {
    return Fail(ErrorKind::kInternal, "a lease of role {} is stored when it is made", role_);
  }

  Result<Done> Retire(const domain::VersionRecord& /*version*/,
                      const vault::SecretValues& values) override {
    TRY(leases_.Revoke(*TRY(LeaseOf(values)), stop_));
    RevokeToken(values);
    return Done{};
  }

  Result<Done> Renew(const domain::VersionRecord& version, const vault::SecretValues& values,
                     Instant now) override {
    const Duration token = TRY(RenewToken(values));
    vault::Lease lease;
    lease.id = TRY(LeaseOf(values))->Clone();
    lease.id_hash = version.source_id;
    lease.is_renewable = true;
    const Duration granted = version.valid_until->at - version.valid_from->at;
    vault::LeaseRenewal renewal = TRY(leases_.Renew(lease, granted, stop_));
    return Done{.source_version = 0,
                .validity = domain::Validity{now, now + Shorter(renewal.duration, token)},
                .request_id = std::move(renewal.request_id)};
  }

 private:
  [[nodiscard]] Error RefusalOfBatchToken() const {
    return vault::MakeError(vault::Failure::kBatchToken,
                            fmt::format("log in for a user of database role {}/{}", mount_, role_),
                            "the login's role must give service tokens: token_type=service");
  }

  /// For how long; zero where it does not end, and where there is none: a user that an older
  /// operator asked for ends with that one's session.
  Result<Duration> RenewToken(const vault::SecretValues& values) {
    const auto found = values.find(kTokenKey);
    if (found == values.end()) return Duration::zero();
    auto renewed = session_.CallerWith(found->second.Clone()).RenewSelf(stop_);
    if (renewed || vault::FailureOf(renewed.error()) != vault::Failure::kTokenRevoked)
      return renewed;
    // With its token the lease has ended, or will.
    return Fail(vault::MakeError(vault::Failure::kLeaseNotFound, "renew the token of a lease",
                                 "Vault does not take its token any more"));
  }

  void RevokeToken(const vault::SecretValues& values) {
    const auto found = values.find(kTokenKey);
    if (found == values.end()) return;
    // Best effort: nothing is lent under it by now, and it ends by itself.
    static_cast<void>(session_.CallerWith(found->second.Clone()).RevokeSelf(stop_));
  }

  static Result<const crypto::SecretString*> LeaseOf(const vault::SecretValues& values) {
    const auto found = values.find(kLeaseKey);
    if (found != values.end()) return &found->second;
    return Fail(ErrorKind::kInternal, "the journal holds no lease of this version");
  }

  const std::string role_;
  const std::string mount_;
  const StopToken stop_;
  vault::Session& session_;
  vault::Leases leases_;
};

}  // namespace

std::unique_ptr<CredentialSource> MakeDatabaseSource(CredentialSource::Parts parts) {
  return std::make_unique<DatabaseSource>(std::move(parts));
}

}  // namespace tracekeeper::controllers
