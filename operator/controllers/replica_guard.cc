#include "operator/controllers/replica_guard.h"

#include <algorithm>

#include "src/kube/eviction.h"

namespace tracekeeper::controllers {

Result<runtime::Requeue> ReplicaGuard::Reconcile(const kube::ObjectKey& /*key*/,
                                                 runtime::ReconcileContext& context) {
  const auto replicas = replicas_.List();
  watch_.KeepOnly([&](const std::string& uid) {
    return std::ranges::any_of(replicas, [&](const auto& one) { return one->meta.uid == uid; });
  });
  for (const auto& replica : replicas) {
    const bool serves = replica->is_ready && !replica->meta.IsBeingDeleted();
    if (!serves || replica->meta.key.name == options_.own_name) continue;
    LookAt(*replica, context);
  }
  return runtime::Requeue::After(kInterval);
}

void ReplicaGuard::LookAt(const ObservedReplica& replica, runtime::ReconcileContext& context) {
  const Status answer = options_.ask(replica.address, context.stop);
  if (answer) {
    watch_.Answered(replica.meta.uid);
    return;
  }
  if (answer.error().kind == ErrorKind::kCancelled) return;  // we are the one that ends
  watch_.Missed(replica.meta.uid);
  if (watch_.IsLost(replica.meta.uid, context.now)) Replace(replica, answer.error(), context);
}

void ReplicaGuard::Replace(const ObservedReplica& replica, const Error& reason,
                           runtime::ReconcileContext& context) {
  context.log.Warn("Another replica does not answer any more: evicting it",
                   {{"replica", replica.meta.key.name},
                    {"address", replica.address},
                    {"reason", reason.message}});
  const Status evicted = kube::EvictPod(client_, replica.meta.key, replica.meta.uid, context.stop);
  if (evicted || evicted.error().kind == ErrorKind::kNotFound ||
      evicted.error().kind == ErrorKind::kConflict) {
    watch_.Replaced(replica.meta.uid, context.now);
    return;
  }
  context.log.Warn("Cannot evict the replica yet", {{"reason", evicted.error().message}});
}

}  // namespace tracekeeper::controllers
