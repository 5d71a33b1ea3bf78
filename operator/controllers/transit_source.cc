// The public keys of a transit key: each rotation makes a version more, which signs once verifiers
// have had time to learn it; the private halves stay in Vault.

#include <fmt/format.h>

#include <utility>

#include "operator/controllers/credential_source.h"
#include "src/vault/transit.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kPublicKey = "public-key.pem";
constexpr std::string_view kKeyVersion = "key-version";

class TransitSource final : public CredentialSource {
 public:
  explicit TransitSource(Parts parts)
      : plan_(parts.plan),
        key_(plan_.credential.vault.path),
        stop_(std::move(parts.stop)),
        transit_(plan_.credential.vault.mount, parts.vault) {}

  Result<domain::SourceFacts> Observe() override {
    const vault::TransitKey key = TRY(transit_.ReadKey(key_, stop_));
    return domain::SourceFacts{domain::SourceState::kPresent, Number(key.latest_version)};
  }

  Result<Proposal> Propose(const domain::RotationJournal& journal, Instant /*now*/) override {
    const vault::TransitKey key = TRY(transit_.ReadKey(key_, stop_));
    Proposal proposal;
    proposal.record.base = Number(key.latest_version);
    const bool is_of_this_source =
        journal.current && journal.current->source_digest == journal.source_digest;
    const std::int64_t known = is_of_this_source ? journal.current->source_version : 0;
    if (proposal.record.base <= known) return proposal;  // the next version is made by Commit
    proposal.record.state = domain::VersionState::kStored;
    proposal.record.source_version = proposal.record.base;
    Fill(key, proposal.values);
    return proposal;
  }

  void Discard(const Proposal& /*proposal*/) override {}  // it was made nowhere

  Result<Done> Commit(const domain::RotationJournal& journal,
                      vault::SecretValues& values) override {
    vault::TransitKey key = TRY(transit_.ReadKey(key_, stop_));
    // One that is there already was made by this rotation, before a crash.
    if (Number(key.latest_version) == journal.next->base) {
      TRY(transit_.Rotate(key_, stop_));
      key = TRY(transit_.ReadKey(key_, stop_));
    }
    Fill(key, values);
    return Done{.source_version = Number(key.latest_version),
                .validity = std::nullopt,
                .request_id = std::move(key.request_id)};
  }

  /// The old version neither signs nor verifies any more.
  Result<Done> Retire(const domain::VersionRecord& version,
                      const vault::SecretValues& /*values*/) override {
    if (version.source_digest != plan_.spec.source_digest) return Done{};
    const auto least = static_cast<std::uint64_t>(version.source_version + 1);
    const vault::TransitKey key = TRY(transit_.ReadKey(key_, stop_));
    if (key.minimum_decryption_version >= least) return Done{};
    TRY(transit_.SetMinimumVersion(key_, least, stop_));
    return Done{};
  }

  Result<Done> Renew(const domain::VersionRecord& /*version*/,
                     const vault::SecretValues& /*values*/, Instant /*now*/) override {
    return Fail(ErrorKind::kInternal, "transit key {} has no lease to renew", key_);
  }

 private:
  static std::int64_t Number(std::uint64_t version) { return static_cast<std::int64_t>(version); }

  static void Fill(const vault::TransitKey& key, vault::SecretValues& values) {
    values.insert_or_assign(std::string(kKeyVersion),
                            crypto::SecretString(std::to_string(key.latest_version)));
    const auto found = key.public_keys.find(key.latest_version);
    if (found == key.public_keys.end() || found->second.empty()) return;
    values.insert_or_assign(std::string(kPublicKey), crypto::SecretString(found->second));
  }

  const domain::CredentialPlan& plan_;
  const std::string key_;
  const StopToken stop_;
  vault::Transit transit_;
};

}  // namespace

std::unique_ptr<CredentialSource> MakeTransitSource(CredentialSource::Parts parts) {
  return std::make_unique<TransitSource>(std::move(parts));
}

}  // namespace tracekeeper::controllers
