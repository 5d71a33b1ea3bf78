// A user of a database that Vault makes for a role, and that ends with its lease: two leases
// overlap while a rotation is under way.

#include <fmt/format.h>

#include <utility>

#include "operator/controllers/credential_source.h"
#include "src/vault/database.h"
#include "src/vault/lease.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kLeaseKey = "tracekeeper.lease";

class DatabaseSource final : public CredentialSource {
 public:
  explicit DatabaseSource(Parts parts)
      : role_(parts.plan.credential.vault.role),
        stop_(std::move(parts.stop)),
        database_(parts.plan.credential.vault.mount, parts.vault),
        leases_(parts.vault) {}

  /// Whether Vault can be asked shows when it is: a role has no version.
  Result<domain::SourceFacts> Observe() override {
    return domain::SourceFacts{domain::SourceState::kPresent, 0};
  }

  Result<Proposal> Propose(const domain::RotationJournal& /*journal*/, Instant now) override {
    vault::DynamicCredentials made = TRY(database_.Create(role_, stop_));
    Proposal proposal;
    proposal.record.state = domain::VersionState::kStored;
    proposal.record.source_id = made.lease.id_hash;
    proposal.record.valid_from = domain::Moment::Of(now);
    proposal.record.valid_until = domain::Moment::Of(now + made.lease.duration);
    proposal.record.fixed = !made.lease.is_renewable;
    proposal.values.insert_or_assign("username", crypto::SecretString(made.username));
    proposal.values.insert_or_assign("password", std::move(made.password));
    proposal.values.insert_or_assign(std::string(kLeaseKey), std::move(made.lease.id));
    return proposal;
  }

  void Discard(const Proposal& proposal) override {
    const auto lease = LeaseOf(proposal.values);
    if (lease) static_cast<void>(leases_.Revoke(**lease, stop_));  // else it ends by itself
  }

  Result<Done> Commit(const domain::RotationJournal& /*journal*/,
                      vault::SecretValues& /*values*/) override {
    return Fail(ErrorKind::kInternal, "a lease of role {} is stored when it is made", role_);
  }

  Result<Done> Retire(const domain::VersionRecord& /*version*/,
                      const vault::SecretValues& values) override {
    TRY(leases_.Revoke(*TRY(LeaseOf(values)), stop_));
    return Done{};
  }

  Result<Done> Renew(const domain::VersionRecord& version, const vault::SecretValues& values,
                     Instant now) override {
    vault::Lease lease;
    lease.id = TRY(LeaseOf(values))->Clone();
    lease.id_hash = version.source_id;
    lease.is_renewable = true;
    const Duration granted = version.valid_until->at - version.valid_from->at;
    vault::LeaseRenewal renewal = TRY(leases_.Renew(lease, granted, stop_));
    return Done{.source_version = 0,
                .validity = domain::Validity{now, now + renewal.duration},
                .request_id = std::move(renewal.request_id)};
  }

 private:
  static Result<const crypto::SecretString*> LeaseOf(const vault::SecretValues& values) {
    const auto found = values.find(kLeaseKey);
    if (found != values.end()) return &found->second;
    return Fail(ErrorKind::kInternal, "the journal holds no lease of this version");
  }

  const std::string role_;
  const StopToken stop_;
  vault::Database database_;
  vault::Leases leases_;
};

}  // namespace

std::unique_ptr<CredentialSource> MakeDatabaseSource(CredentialSource::Parts parts) {
  return std::make_unique<DatabaseSource>(std::move(parts));
}

}  // namespace tracekeeper::controllers
