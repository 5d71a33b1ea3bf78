#pragma once
// RotationRunner takes one credential through the phases of domain/rotation_machine.h. It persists
// the journal before every effect, so that after a crash the next leader, or this one, repeats the
// effect that was under way; and it gives up at once when the journal was written by somebody else.
//
// What keeps two leaders that overlap from doing harm is split between both sides:
//   the journal   one write wins (resourceVersion); who loses does nothing more
//   the source    Commit writes with the version it expects, under an id that both leaders share
//   the target    refuses what belongs to an older sequence
//   the old value is revoked only on a journal that says it was drained and withdrawn, and no
//                 journal says otherwise afterwards
//
// Threads:  Run belongs to one thread at a time; it does not sleep.
// Owner:    the controller holds one runner a credential for as long as it leads; the ports outlive
//           it. Between runs a runner holds only how often it failed.
// Failure:  in RotationRun::error and in the report; the next run goes on.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "operator/domain/rotation_failure.h"
#include "operator/domain/rotation_journal.h"
#include "operator/domain/rotation_machine.h"
#include "operator/domain/rotation_report.h"
#include "src/base/result.h"

namespace tracekeeper::controllers {

/// The world of one credential. Each call may be the second of its kind: after a crash, or by a
/// leader that was replaced. Errors carry a label of rotation_failure.h in `reason`.
class RotationPorts {
 public:
  struct Loaded {
    domain::RotationJournal journal;
    std::string resource_version;
  };
  /// What Vault answered to a write.
  struct Done {
    std::int64_t source_version = 0;
    std::optional<domain::Validity> validity;
    std::string request_id;
  };

  virtual ~RotationPorts() = default;

  /// Trusted time (domain/trusted_time.h). Asked again after each effect: one may take long, and
  /// what follows counts from when it was done.
  virtual Instant Now() = 0;

  /// The journal; nothing where there is none yet.
  virtual Result<std::optional<Loaded>> Load() = 0;
  /// Writes the journal, with the value that Propose made if it is of journal.next, over
  /// `resource_version` (empty: there must be none). Values of versions that stand in no slot are
  /// dropped. kConflict: somebody else wrote. The new resourceVersion.
  virtual Result<std::string> Persist(const domain::RotationJournal& journal,
                                      const std::string& resource_version) = 0;

  /// Metadata of the source, no value.
  virtual Result<domain::SourceFacts> ObserveSource() = 0;
  virtual Result<domain::TargetMarks> ObserveTarget() = 0;

  /// The next version: what its source holds that is newer than journal.current (kStored), a new
  /// lease or certificate (kStored), or a value made here (kPending). The value stays with the port
  /// until Persist or Discard.
  virtual Result<domain::VersionRecord> Propose(const domain::RotationJournal& journal) = 0;
  /// The proposal was not persisted: wipe its value; revoke what was issued.
  virtual void Discard() = 0;
  /// Stores journal.next in its source after journal.next.base, marked with journal.rotation. Found
  /// already there under this mark it is done. Any other version there:
  /// vault::Failure::kCasConflict.
  virtual Result<Done> Commit(const domain::RotationJournal& journal) = 0;

  /// Writes the target as the slots of the journal say, with its sequence, epoch and begun. A
  /// target of a newer sequence: kConflict with failure::kFenced.
  virtual Status Publish(const domain::RotationJournal& journal) = 0;
  /// Who uses journal.current. Those that must restart for it are asked to, once a version, and
  /// never for one that is older than what they were last asked for.
  virtual Result<domain::ConsumerFacts> ObserveConsumers(
      const domain::RotationJournal& journal) = 0;
  /// Revokes or destroys journal.retiring; that it is gone already is success.
  virtual Result<Done> Retire(const domain::RotationJournal& journal) = 0;
  /// Renews the lease of `version`; Done::validity says for how long.
  virtual Result<Done> Renew(const domain::VersionRecord& version) = 0;

  /// Writes lines of the audit where they are kept, in this order.
  virtual Status Audit(std::span<const std::string> lines) = 0;
};

struct RotationInput {
  domain::CredentialIdentity identity;
  domain::RotationSpec spec;
  domain::TargetState target = domain::TargetState::kIntact;
  std::vector<std::string> requests;  // RotationFacts::requests
  std::string actor;                  // this replica
  double random = 0.0;                // in [0, 1), for the wait after a failure
};

struct RotationRun {
  /// When to come again, unless something is seen before.
  Instant again{};
  /// So many of the requests, from the front, are written down and need not be handed in again.
  std::size_t accepted_requests = 0;
  std::optional<domain::RotationJournal> journal;  // as it was last persisted
  domain::CredentialReport report;
  std::optional<Error> error;
  /// The row of `error`.
  const domain::RotationFailure* failure = nullptr;
};

class RotationRunner {
 public:
  explicit RotationRunner(RotationPorts& ports) : ports_(ports) {}

  /// Does all that can be done now.
  RotationRun Run(const RotationInput& input);

 private:
  class Drive;

  RotationPorts& ports_;
  unsigned failures_ = 0;     // one after the other
  std::int64_t audited_ = 0;  // records of the chain that were written, by number
};

}  // namespace tracekeeper::controllers
