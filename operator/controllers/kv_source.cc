// A secret of the KV engine, version 2: made here and written with CAS, or written by somebody else
// and followed.

#include <fmt/format.h>

#include <utility>

#include "operator/controllers/credential_source.h"
#include "src/crypto/secret_generator.h"
#include "src/vault/kv.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kRotationMetadata = "tracekeeper-rotation";

Result<crypto::SecretString> Generate(const api::Generator& generate) {
  switch (generate.type) {
    case api::GeneratorType::kRsa:
      return crypto::MakePrivateKey(crypto::KeyKind::kRsa, static_cast<unsigned>(generate.bits));
    case api::GeneratorType::kEcdsa:
      return crypto::MakePrivateKey(crypto::KeyKind::kEcdsaP256, 0);
    case api::GeneratorType::kEd25519:
      return crypto::MakePrivateKey(crypto::KeyKind::kEd25519, 0);
    default:
      return crypto::MakePassword(static_cast<std::size_t>(generate.length));
  }
}

domain::SourceState StateOf(vault::VersionState state) {
  switch (state) {
    case vault::VersionState::kDeleted:
      return domain::SourceState::kDeleted;
    case vault::VersionState::kDestroyed:
      return domain::SourceState::kDestroyed;
    case vault::VersionState::kLive:
      break;
  }
  return domain::SourceState::kPresent;
}

class KvSource final : public CredentialSource {
 public:
  explicit KvSource(Parts parts)
      : plan_(parts.plan),
        path_(plan_.credential.vault.path),
        stop_(std::move(parts.stop)),
        kv_(plan_.credential.vault.mount, parts.vault) {}

  Result<domain::SourceFacts> Observe() override {
    const auto metadata = kv_.ReadMetadata(path_, stop_);
    if (!metadata && vault::FailureOf(metadata.error()) == vault::Failure::kNotFound) {
      return domain::SourceFacts{domain::SourceState::kAbsent, 0};
    }
    if (!metadata) return Fail(metadata.error());
    const auto newest = metadata->versions.find(metadata->current_version);
    if (newest == metadata->versions.end()) {
      return domain::SourceFacts{domain::SourceState::kAbsent, 0};
    }
    return domain::SourceFacts{StateOf(newest->second),
                               static_cast<std::int64_t>(metadata->current_version)};
  }

  Result<Proposal> Propose(const domain::RotationJournal& journal, Instant /*now*/) override {
    const domain::SourceFacts facts = TRY(Observe());
    Proposal proposal;
    proposal.record.base = facts.version;
    if (IsTaken(facts, journal)) {
      vault::KvSecret secret =
          TRY(kv_.Read(path_, static_cast<std::uint64_t>(facts.version), stop_));
      proposal.record.state = domain::VersionState::kStored;
      proposal.record.source_version = facts.version;
      proposal.values = std::move(secret.values);
      return proposal;
    }
    if (plan_.spec.source == domain::RotationSource::kFollowed) {
      return Fail(vault::MakeError(vault::Failure::kNotFound, "read " + Place()));
    }
    proposal.values = TRY(OthersOf(facts));
    const api::Generator& generate = plan_.credential.rotation.generate;
    proposal.values.insert_or_assign(generate.key, TRY(Generate(generate)));
    return proposal;
  }

  void Discard(const Proposal& /*proposal*/) override {}  // it was written nowhere

  Result<Done> Commit(const domain::RotationJournal& journal,
                      vault::SecretValues& values) override {
    const auto base = static_cast<std::uint64_t>(journal.next->base);
    auto written = kv_.Write(path_, values, base, stop_);
    if (written) {
      Mark(journal);
      return Done{.source_version = static_cast<std::int64_t>(written->version),
                  .validity = std::nullopt,
                  .request_id = std::move(written->request_id)};
    }
    if (vault::FailureOf(written.error()) != vault::Failure::kCasConflict) {
      return Fail(std::move(written).error());
    }
    // Ours, when it is the very value that the journal holds: a crash came after the write.
    auto there = kv_.Read(path_, base + 1, stop_);
    if (!there || !IsSame(values, there->values)) return Fail(std::move(written).error());
    const domain::SourceFacts facts = TRY(Observe());
    if (facts.version != static_cast<std::int64_t>(there->version)) {
      return Fail(std::move(written).error());
    }
    Mark(journal);
    return Done{.source_version = facts.version,
                .validity = std::nullopt,
                .request_id = std::move(there->request_id)};
  }

  Result<Done> Retire(const domain::VersionRecord& version,
                      const vault::SecretValues& /*values*/) override {
    // What others write is theirs to destroy; so is what an earlier policy took from elsewhere.
    const bool is_ours = plan_.spec.source == domain::RotationSource::kGenerated &&
                         version.source_digest == plan_.spec.source_digest;
    if (!is_ours) return Done{};
    TRY(kv_.Destroy(path_, {static_cast<std::uint64_t>(version.source_version)}, stop_));
    return Done{};
  }

  Result<Done> Renew(const domain::VersionRecord& /*version*/,
                     const vault::SecretValues& /*values*/, Instant /*now*/) override {
    return Fail(ErrorKind::kInternal, "{} has no lease to renew", Place());
  }

 private:
  [[nodiscard]] std::string Place() const {
    return fmt::format("{}/{}", plan_.credential.vault.mount, path_);
  }

  /// Whether the source has a version that is newer than ours: that is the next, and none is made.
  static bool IsTaken(const domain::SourceFacts& facts, const domain::RotationJournal& journal) {
    const bool is_of_this_source =
        journal.current && journal.current->source_digest == journal.source_digest;
    const std::int64_t known = is_of_this_source ? journal.current->source_version : 0;
    return facts.state == domain::SourceState::kPresent && facts.version > known;
  }

  /// The keys that a new version keeps: a user name beside a password.
  Result<vault::SecretValues> OthersOf(const domain::SourceFacts& facts) {
    if (facts.state != domain::SourceState::kPresent) return vault::SecretValues{};
    vault::KvSecret secret = TRY(kv_.Read(path_, static_cast<std::uint64_t>(facts.version), stop_));
    return std::move(secret.values);
  }

  static bool IsSame(const vault::SecretValues& ours, const vault::SecretValues& theirs) {
    if (ours.size() != theirs.size()) return false;
    auto other = theirs.begin();
    for (const auto& [key, value] : ours) {
      if (other->first != key || !other->second.Equals(value)) return false;
      ++other;
    }
    return true;
  }

  /// For people: which rotation wrote it. Where the role may not, the journal knows it all the
  /// same.
  void Mark(const domain::RotationJournal& journal) {
    static_cast<void>(kv_.PatchCustomMetadata(
        path_, {{std::string(kRotationMetadata), journal.rotation}}, stop_));
  }

  const domain::CredentialPlan& plan_;
  const std::string path_;
  const StopToken stop_;
  vault::Kv2 kv_;
};

}  // namespace

std::unique_ptr<CredentialSource> MakeKvSource(CredentialSource::Parts parts) {
  return std::make_unique<KvSource>(std::move(parts));
}

}  // namespace tracekeeper::controllers
