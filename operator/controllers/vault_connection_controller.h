#pragma once
// VaultConnectionController keeps each VaultConnection open and logged in, looks now and then
// whether its Vault can be used, and says in the status which row of the failure table applies.
//
// Threads:  Reconcile on its loop's workers, one at a time for a key.
// Owner:    wiring; everything it is given outlives it.
// Failure:  what Vault or the cluster refuses becomes a condition and another look after the row's
//           retry class; only a status that cannot be written is an error of Reconcile.
// Time:     a look every kCheckPeriod while all is well; after a seal, an outage or a standby every
//           kSoon, so that a connection is Ready again within 15 s of its Vault.

#include <chrono>

#include "operator/api/vault_connection.h"
#include "operator/controllers/status_writer.h"
#include "operator/controllers/vault_connections.h"
#include "operator/domain/connection_status.h"
#include "src/kube/client.h"
#include "src/kube/events.h"
#include "src/runtime/controller.h"
#include "src/runtime/store.h"

namespace tracekeeper::controllers {

class VaultConnectionController {
 public:
  static constexpr Duration kCheckPeriod = std::chrono::minutes(1);
  static constexpr Duration kSoon = std::chrono::seconds(5);
  /// Where a person must change something: what they change in the cluster is seen at once, what
  /// they change in Vault after this.
  static constexpr Duration kSlow = std::chrono::minutes(1);

  VaultConnectionController(const runtime::Store<api::VaultConnection>& objects,
                            VaultConnections& connections, kube::Client& client,
                            kube::EventRecorder& events)
      : objects_(objects),
        connections_(connections),
        status_(api::kVaultConnections, client),
        events_(events) {}

  Result<runtime::Requeue> Reconcile(const kube::ObjectKey& key,
                                     runtime::ReconcileContext& context);

 private:
  struct Look {
    domain::ConnectionObservation seen;
    Duration next{};
  };

  Look LookAt(const api::VaultConnection& object, const StopToken& stop);
  Status Report(const api::VaultConnection& object, const domain::ConnectionStatusPlan& plan,
                runtime::ReconcileContext& context);
  const runtime::Store<api::VaultConnection>& objects_;
  VaultConnections& connections_;
  StatusWriter<api::VaultConnectionStatus> status_;
  kube::EventRecorder& events_;
};

}  // namespace tracekeeper::controllers
