#pragma once
// CredentialSource is one engine of Vault as rotation uses it: where versions of a credential come
// from and how they end. Each call may be the second of its kind (rotation_runner.h).
//
// Threads:  one thread at a time; blocks.
// Owner:    made for one run with the connection that it asks through.
// Failure:  rows of src/vault/failure.h; whatever is missing in a version's values is kInternal.

#include <memory>
#include <optional>

#include "operator/controllers/credential_journal.h"
#include "operator/controllers/rotation_runner.h"
#include "operator/domain/credential_plan.h"
#include "src/vault/answer.h"
#include "src/vault/session.h"

namespace tracekeeper::controllers {

/// Values that serve the operator alone (a lease's id, its token) have keys that begin so. They lie
/// in the journal and never in the target.
inline constexpr std::string_view kPrivateKeyPrefix = "tracekeeper.";

class CredentialSource {
 public:
  using Done = RotationPorts::Done;
  struct Proposal {
    domain::VersionRecord record;
    vault::SecretValues values;
  };
  /// What the engine is given.
  struct Parts {
    const domain::CredentialPlan& plan;
    vault::Session& vault;
    StopToken stop;
  };

  virtual ~CredentialSource() = default;

  virtual Result<domain::SourceFacts> Observe() = 0;
  /// `now` is trusted time: leases count from it.
  virtual Result<Proposal> Propose(const domain::RotationJournal& journal, Instant now) = 0;
  /// Ends a version that was issued and will not be used.
  virtual void Discard(const Proposal& proposal) = 0;
  virtual Result<Done> Commit(const domain::RotationJournal& journal,
                              vault::SecretValues& values) = 0;
  virtual Result<Done> Retire(const domain::VersionRecord& version,
                              const vault::SecretValues& values) = 0;
  virtual Result<Done> Renew(const domain::VersionRecord& version,
                             const vault::SecretValues& values, Instant now) = 0;
};

/// The engine that the plan names.
std::unique_ptr<CredentialSource> MakeCredentialSource(CredentialSource::Parts parts);

std::unique_ptr<CredentialSource> MakeKvSource(CredentialSource::Parts parts);
std::unique_ptr<CredentialSource> MakeDatabaseSource(CredentialSource::Parts parts);
std::unique_ptr<CredentialSource> MakePkiSource(CredentialSource::Parts parts);
std::unique_ptr<CredentialSource> MakeTransitSource(CredentialSource::Parts parts);

}  // namespace tracekeeper::controllers
