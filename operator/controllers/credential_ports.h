#pragma once
// CredentialPorts is the world of one credential as RotationRunner sees it: the journal's Secret,
// its source in Vault, the target Secret, its consumers and the audit.
//
//   CredentialPorts::Run run(ports, plan, connection, stop);
//   runner.Run(input);
//
// Threads:  one run at a time.
// Owner:    the rotation controller, one for each credential for as long as it leads. Between runs
//           it holds no secret and no connection, only who follows.
// Failure:  rows of domain/rotation_failure.h.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "operator/controllers/credential_consumers.h"
#include "operator/controllers/credential_journal.h"
#include "operator/controllers/credential_source.h"
#include "operator/controllers/rotation_audit.h"
#include "operator/controllers/rotation_runner.h"
#include "operator/controllers/trusted_clock.h"
#include "operator/domain/credential_plan.h"
#include "src/kube/client.h"
#include "src/vault/connection.h"

namespace tracekeeper::controllers {

class CredentialPorts final : public RotationPorts {
 public:
  struct Parts {
    kube::Client& secrets;
    kube::Client& config_maps;
    TrustedClock& time;
    const CredentialConsumers& consumers;
    RotationAudit& audit;
  };
  using Connection = std::shared_ptr<vault::Connection>;

  explicit CredentialPorts(Parts parts) : parts_(parts) {}

  /// Lends the ports what they need for one run, and takes it back. The plan outlives it.
  class Run {
   public:
    Run(CredentialPorts& ports, const domain::CredentialPlan& plan, Connection connection,
        StopToken stop);
    ~Run();
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

   private:
    CredentialPorts& ports_;
  };

  /// Whether the target still holds what the journal says. Only within a run.
  Result<domain::TargetState> CompareWithTarget();
  /// The resourceVersion of the target as it was last written or compared; empty: not yet.
  [[nodiscard]] const std::string& target_version() const { return target_version_; }

  Instant Now() override;
  Result<std::optional<Loaded>> Load() override;
  Result<std::string> Persist(const domain::RotationJournal& journal,
                              const std::string& resource_version) override;
  Result<domain::SourceFacts> ObserveSource() override;
  Result<domain::TargetMarks> ObserveTarget() override;
  Result<domain::VersionRecord> Propose(const domain::RotationJournal& journal) override;
  void Discard() override;
  Result<Done> Commit(const domain::RotationJournal& journal) override;
  Status Publish(const domain::RotationJournal& journal) override;
  Result<domain::ConsumerFacts> ObserveConsumers(const domain::RotationJournal& journal) override;
  Result<Done> Retire(const domain::RotationJournal& journal) override;
  Result<Done> Renew(const domain::VersionRecord& version) override;
  Status Audit(std::span<const std::string> lines) override;

 private:
  struct Lent {
    const domain::CredentialPlan& plan;
    Connection connection;
    StopToken stop;
    std::unique_ptr<CredentialSource> source;
    VersionValues values;  // as the journal was last read or written
    std::string journal_version;
    std::optional<CredentialSource::Proposal> proposal;
  };

  Result<vault::SecretValues*> ValuesOf(std::int64_t number);

  const Parts parts_;
  std::optional<Lent> lent_;
  CredentialConsumers::Seen seen_;
  std::string target_version_;
};

}  // namespace tracekeeper::controllers
