#pragma once
// Replicas is how the replicas of the operator look after each other: a watch of their pods and the
// loop that asks them. Without --replica-selector there is nothing to watch and nothing runs.
//
// Threads:  the loop's own worker.
// Owner:    Wiring; client and surroundings outlive it.

#include <memory>

#include "operator/app/control.h"
#include "operator/app/options.h"
#include "operator/controllers/replica_guard.h"
#include "src/runtime/informer.h"

namespace tracekeeper::app {

class Replicas {
 public:
  /// `options.identity` is the name of this replica's pod.
  Replicas(const Options& options, kube::Client& client, const Surroundings& around);
  ~Replicas();

  void AddTo(runtime::Manager& manager);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;  // null: off
};

}  // namespace tracekeeper::app
