#pragma once
// WorkloadRestart touches a workload's pod template once, so that the workload replaces its pods in
// its own way: an annotation by server-side apply, and nothing else. Repeating it changes nothing.
// One annotation is for pods that run with an older injection, another for those that use an older
// credential.
//
// A Deployment and an Argo Rollout are found through the owner reference of their ReplicaSet, and
// the patch carries the uid: a workload that was deleted is never made again by it.
//
// Threads:  safe from any thread; one or two calls.
// Failure:  the Client's errors; kNotFound when the workload is gone, kTerminal when the ReplicaSet
//           belongs to something that cannot be restarted so.

#include <cstdint>
#include <string>
#include <string_view>

#include "operator/domain/plan_renewal.h"
#include "src/base/result.h"
#include "src/kube/client.h"

namespace tracekeeper::controllers {

Status RestartWorkload(kube::Client& client, const domain::RenewalAction& action,
                       const StopToken& stop);

/// The workload of a pod, and the owner that its pod names: a ReplicaSet, or the workload itself.
struct PodWorkload {
  domain::RenewableWorkload workload;
  std::string owner_name;

  auto operator<=>(const PodWorkload&) const = default;
};

/// Raises the mark of `credential` in the template to `number`; a mark that is as high already, or
/// higher, stays. kConflict when the workload was written in between.
Status MarkCredential(kube::Client& client, const PodWorkload& workload,
                      std::string_view credential, std::int64_t number, const StopToken& stop);

}  // namespace tracekeeper::controllers
