#pragma once
// RotationController rotates the credentials of policies: for each it resolves the plan, lends the
// runner a connection and a time that can be trusted, and says how it went in the ledger, the
// metrics and the log.
//
// Keys:     one a credential: the policy's namespace, and "policy/credential" (KeyOf).
// Threads:  Reconcile on several workers at once, never twice for one key; the other methods from
//           any thread.
// Owner:    wiring, for as long as it leads; everything it is given outlives it.
// Failure:  what fails is a report with the row's reason and another look after its retry class;
//           Reconcile itself succeeds.

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "operator/api/tracing_policy.h"
#include "operator/controllers/credential_ledger.h"
#include "operator/controllers/credential_ports.h"
#include "operator/controllers/rotation_metrics.h"
#include "operator/controllers/vault_connections.h"
#include "src/runtime/controller.h"
#include "src/runtime/store.h"

namespace tracekeeper::controllers {

class RotationController {
 public:
  struct Parts {
    const runtime::Store<api::TracingPolicy>& policies;
    const VaultConnections& connections;
    TrustedClock& time;
    CredentialLedger& ledger;
    RotationMetrics& metrics;
    CredentialPorts::Parts ports;
    /// This replica, for the audit.
    std::string actor;
    /// Uniform in [0, 1), for the wait after a failure.
    std::function<double()> random;
  };
  /// The longest time without a look, whatever the schedule says.
  static constexpr Duration kLongestWait = std::chrono::hours(1);

  explicit RotationController(Parts parts) : parts_(std::move(parts)) {}

  static kube::ObjectKey KeyOf(const kube::ObjectKey& policy, std::string_view credential);

  /// A policy was seen, in the order of its changes: every value of its annotations counts, also
  /// one that the next change takes away.
  void Note(const api::TracingPolicy& policy);
  /// The target Secret of that credential is at `resource_version`; empty: it is gone. True when
  /// that is not how it was last written.
  bool NoteTarget(const kube::ObjectKey& key, std::string_view resource_version);

  Result<runtime::Requeue> Reconcile(const kube::ObjectKey& key,
                                     runtime::ReconcileContext& context);

 private:
  struct Entry {
    explicit Entry(CredentialPorts::Parts parts) : ports(parts), runner(ports) {}

    // Of whoever reconciles it.
    CredentialPorts ports;
    RotationRunner runner;
    unsigned failures = 0;  // before a run could begin
    // Guarded by mutex_.
    std::vector<std::string> requests;
    std::string target_version;  // as it was last written or found right; empty: look at it
    bool must_compare = true;
  };
  using EntryPointer = std::shared_ptr<Entry>;

  EntryPointer EntryOf(const kube::ObjectKey& key);
  runtime::Requeue Forget(const kube::ObjectKey& key);
  Result<CredentialPorts::Connection> Connect(const domain::CredentialPlan& plan,
                                              const StopToken& stop) const;
  Result<RotationRun> Run(Entry& entry, const domain::CredentialPlan& plan,
                          const CredentialPorts::Connection& connection, const StopToken& stop);
  void Accept(Entry& entry, const RotationRun& run);
  runtime::Requeue TellFailure(Entry& entry, const domain::CredentialPlan& plan, const Error& error,
                               runtime::ReconcileContext& context);
  void Tell(const domain::CredentialPlan& plan, const RotationRun& run,
            runtime::ReconcileContext& context);

  const Parts parts_;
  mutable std::mutex mutex_;
  std::unordered_map<kube::ObjectKey, EntryPointer> entries_;
};

}  // namespace tracekeeper::controllers
