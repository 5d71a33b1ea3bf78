#pragma once
// RotationControl is what the leader does with the credentials of policies: one loop over all of
// them, and the caches of the Secrets that it wrote, in the namespaces that it may write in.
//
// Threads:  the loop's own workers.
// Owner:    Wiring; everything it is given outlives it.

#include <memory>

#include "operator/app/control.h"
#include "operator/app/options.h"
#include "operator/app/vault_control.h"
#include "src/runtime/health.h"
#include "src/runtime/manager.h"

namespace tracekeeper::app {

class RotationControl {
 public:
  RotationControl(const Options& options, ControlClients clients, Control& control,
                  VaultControl& vault, const Surroundings& around);
  ~RotationControl();

  void AddTo(runtime::Manager& manager);
  void AddTo(runtime::HealthChecks& livez);
  /// Before the metrics are read.
  void RefreshMetrics();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tracekeeper::app
