#include "operator/controllers/credential_ports.h"

#include <utility>

#include "operator/controllers/credential_target.h"
#include "operator/controllers/public_keys.h"

namespace tracekeeper::controllers {

CredentialPorts::Run::Run(CredentialPorts& ports, const domain::CredentialPlan& plan,
                          Connection connection, StopToken stop)
    : ports_(ports) {
  auto source = MakeCredentialSource({plan, connection->session(), stop});
  ports_.lent_.emplace(
      Lent{plan, std::move(connection), std::move(stop), std::move(source), {}, {}, {}});
}

CredentialPorts::Run::~Run() { ports_.lent_.reset(); }

Result<domain::TargetState> CredentialPorts::CompareWithTarget() {
  const LoadedJournal loaded = TRY(LoadJournal(parts_.secrets, lent_->plan, lent_->stop));
  // The machine writes it for the first time by itself.
  if (!loaded.journal || !loaded.journal->current) return domain::TargetState::kIntact;
  TargetLook look =
      TRY(CompareTarget(parts_.secrets, lent_->plan, *loaded.journal, loaded.values, lent_->stop));
  target_version_ = std::move(look.resource_version);
  return look.state;
}

Instant CredentialPorts::Now() {
  // A run begins only once there is a time, and then it does not end.
  return parts_.time.Now(lent_->plan.connection, lent_->connection->endpoint()).value_or(Instant{});
}

Result<std::optional<RotationPorts::Loaded>> CredentialPorts::Load() {
  LoadedJournal loaded = TRY(LoadJournal(parts_.secrets, lent_->plan, lent_->stop));
  lent_->values = std::move(loaded.values);
  lent_->journal_version = loaded.resource_version;
  if (!loaded.journal) return std::nullopt;
  return Loaded{*std::move(loaded.journal), std::move(loaded.resource_version)};
}

Result<std::string> CredentialPorts::Persist(const domain::RotationJournal& journal,
                                             const std::string& resource_version) {
  VersionValues& values = lent_->values;
  auto& proposal = lent_->proposal;
  const bool takes_proposal = proposal && journal.next && !values.contains(journal.next->number);
  if (takes_proposal) values[journal.next->number] = std::move(proposal->values);
  // A Secret that was made and not yet written has a version, and no journal.
  const std::string& over = resource_version.empty() ? lent_->journal_version : resource_version;
  auto written = StoreJournal(parts_.secrets, lent_->plan, journal, values, over, lent_->stop);
  if (!written) {
    if (takes_proposal) proposal->values = std::move(values[journal.next->number]);
    if (takes_proposal) values.erase(journal.next->number);
    return written;
  }
  if (takes_proposal) proposal.reset();
  std::erase_if(values, [&](const auto& entry) { return !IsNamed(journal, entry.first); });
  lent_->journal_version = *written;
  return written;
}

Result<domain::SourceFacts> CredentialPorts::ObserveSource() { return lent_->source->Observe(); }

Result<domain::TargetMarks> CredentialPorts::ObserveTarget() {
  return ReadTargetMarks(parts_.secrets, lent_->plan, lent_->stop);
}

Result<domain::VersionRecord> CredentialPorts::Propose(const domain::RotationJournal& journal) {
  lent_->proposal = TRY(lent_->source->Propose(journal, Now()));
  return lent_->proposal->record;
}

void CredentialPorts::Discard() {
  if (!lent_->proposal) return;
  lent_->source->Discard(*lent_->proposal);
  lent_->proposal.reset();
}

Result<vault::SecretValues*> CredentialPorts::ValuesOf(std::int64_t number) {
  const auto found = lent_->values.find(number);
  if (found != lent_->values.end()) return &found->second;
  return Fail(ErrorKind::kInternal, "the journal {} holds no values of version {}",
              lent_->plan.journal.ToString(), number);
}

Result<RotationPorts::Done> CredentialPorts::Commit(const domain::RotationJournal& journal) {
  vault::SecretValues* const values = TRY(ValuesOf(journal.next->number));
  return lent_->source->Commit(journal, *values);
}

Status CredentialPorts::Publish(const domain::RotationJournal& journal) {
  // Verifiers first: nobody signs with what they do not know.
  TRY(WritePublicKeys(parts_.config_maps, lent_->plan, journal, lent_->values, lent_->stop));
  target_version_ =
      TRY(WriteTarget(parts_.secrets, lent_->plan, journal, lent_->values, lent_->stop));
  return {};
}

Result<domain::ConsumerFacts> CredentialPorts::ObserveConsumers(
    const domain::RotationJournal& journal) {
  return parts_.consumers.Observe(lent_->plan, journal.current->number, seen_, lent_->stop);
}

Result<RotationPorts::Done> CredentialPorts::Retire(const domain::RotationJournal& journal) {
  const vault::SecretValues* const values = TRY(ValuesOf(journal.retiring->number));
  return lent_->source->Retire(*journal.retiring, *values);
}

Result<RotationPorts::Done> CredentialPorts::Renew(const domain::VersionRecord& version) {
  const vault::SecretValues* const values = TRY(ValuesOf(version.number));
  return lent_->source->Renew(version, *values, Now());
}

Status CredentialPorts::Audit(std::span<const std::string> lines) {
  parts_.audit.Write(lent_->plan, lines);
  return {};
}

}  // namespace tracekeeper::controllers
