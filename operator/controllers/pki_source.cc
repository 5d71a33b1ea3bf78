// A certificate with its key that Vault issues for a role, under the names of kubernetes.io/tls.

#include <fmt/format.h>

#include <utility>

#include "operator/controllers/credential_source.h"
#include "src/vault/pki.h"

namespace tracekeeper::controllers {
namespace {

class PkiSource final : public CredentialSource {
 public:
  explicit PkiSource(Parts parts)
      : credential_(parts.plan.credential),
        stop_(std::move(parts.stop)),
        pki_(credential_.vault.mount, parts.vault) {}

  /// Whether Vault can be asked shows when it is: a role has no version.
  Result<domain::SourceFacts> Observe() override {
    return domain::SourceFacts{domain::SourceState::kPresent, 0};
  }

  Result<Proposal> Propose(const domain::RotationJournal& /*journal*/, Instant now) override {
    vault::IssueRequest request;
    request.common_name = credential_.vault.common_name;
    request.dns_names = credential_.vault.alternative_names;
    vault::IssuedCertificate issued = TRY(pki_.Issue(credential_.vault.role, request, stop_));
    Proposal proposal;
    proposal.record.state = domain::VersionState::kStored;
    proposal.record.source_id = issued.serial;
    proposal.record.valid_from = domain::Moment::Of(now);
    proposal.record.valid_until = domain::Moment::Of(issued.not_after);
    proposal.record.fixed = true;
    proposal.values.insert_or_assign(
        "tls.crt", crypto::SecretString(issued.certificate_pem + issued.chain_pem));
    proposal.values.insert_or_assign("tls.key", std::move(issued.private_key_pem));
    proposal.values.insert_or_assign("ca.crt", crypto::SecretString(TRY(pki_.Authorities(stop_))));
    return proposal;
  }

  void Discard(const Proposal& proposal) override {
    static_cast<void>(pki_.Revoke(proposal.record.source_id, stop_));  // else it ends by itself
  }

  Result<Done> Commit(const domain::RotationJournal& /*journal*/,
                      vault::SecretValues& /*values*/) override {
    return Fail(ErrorKind::kInternal, "a certificate is stored when it is issued");
  }

  Result<Done> Retire(const domain::VersionRecord& version,
                      const vault::SecretValues& /*values*/) override {
    TRY(pki_.Revoke(version.source_id, stop_));
    return Done{};
  }

  Result<Done> Renew(const domain::VersionRecord& version, const vault::SecretValues& /*values*/,
                     Instant /*now*/) override {
    return Fail(ErrorKind::kInternal, "certificate {} has no lease to renew", version.source_id);
  }

 private:
  const api::Credential& credential_;
  const StopToken stop_;
  vault::Pki pki_;
};

}  // namespace

std::unique_ptr<CredentialSource> MakePkiSource(CredentialSource::Parts parts) {
  return std::make_unique<PkiSource>(std::move(parts));
}

}  // namespace tracekeeper::controllers
