#pragma once
// ReplicaGuard asks the other replicas of the operator each second whether they are there, and
// evicts one that is not any more: the API server then stops sending it pods at once, and its
// Deployment makes another. Which one counts as lost: operator/domain/replica_watch.h.
//
// Threads:  Reconcile on the controller's one worker; every replica runs it, leader or not.
// Owner:    wiring.
// Failure:  a disruption budget that does not allow it, or an API server that is away, is said in
//           the log and tried again.
// Safety:   the Eviction API honours the chart's disruption budget, so two replicas that lose sight
//           of each other never take away both; after one eviction there is a pause.

#include <functional>
#include <string>
#include <string_view>

#include "operator/controllers/observed.h"
#include "operator/domain/replica_watch.h"
#include "src/kube/client.h"
#include "src/runtime/controller.h"
#include "src/runtime/store.h"

namespace tracekeeper::controllers {

class ReplicaGuard {
 public:
  static constexpr Duration kInterval = std::chrono::seconds(1);

  struct Options {
    std::string own_name;  // this replica's pod
    /// Success when the replica at that address answers; returns within a second.
    std::function<Status(std::string_view address, const StopToken& stop)> ask;
  };

  ReplicaGuard(Options options, kube::Client& client,
               const runtime::Store<ObservedReplica>& replicas)
      : options_(std::move(options)), client_(client), replicas_(replicas) {}

  /// Its one key, for the queue.
  static kube::ObjectKey Key() { return {"", "replicas"}; }

  Result<runtime::Requeue> Reconcile(const kube::ObjectKey& key,
                                     runtime::ReconcileContext& context);

 private:
  void LookAt(const ObservedReplica& replica, runtime::ReconcileContext& context);
  void Replace(const ObservedReplica& replica, const Error& reason,
               runtime::ReconcileContext& context);

  const Options options_;
  kube::Client& client_;
  const runtime::Store<ObservedReplica>& replicas_;
  domain::ReplicaWatch watch_;
};

}  // namespace tracekeeper::controllers
