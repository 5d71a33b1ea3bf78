#pragma once
// VaultControl is what the leader does with Vault: it keeps each VaultConnection logged in and says
// in its status how it stands. A replica that ends in peace revokes the tokens that it held.
//
// Threads:  the loop's own workers.
// Owner:    Wiring; clients, events and surroundings outlive it.

#include <memory>

#include "operator/api/vault_connection.h"
#include "operator/app/control.h"
#include "operator/app/options.h"
#include "operator/controllers/vault_connections.h"
#include "src/runtime/health.h"
#include "src/runtime/manager.h"
#include "src/runtime/store.h"

namespace tracekeeper::app {

class VaultControl {
 public:
  VaultControl(const Options& options, ControlClients clients, kube::EventRecorder& events,
               const Surroundings& around);
  ~VaultControl();

  [[nodiscard]] const controllers::VaultConnections& connections() const;
  [[nodiscard]] runtime::Store<api::VaultConnection>& objects();

  void AddTo(runtime::Manager& manager);
  void AddTo(runtime::HealthChecks& readyz, runtime::HealthChecks& livez);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tracekeeper::app
