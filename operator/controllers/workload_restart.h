#pragma once
// WorkloadRestart touches a workload's pod template once, so that the workload replaces its pods in
// its own way: an annotation by server-side apply, and nothing else. Repeating it changes nothing.
//
// A Deployment and an Argo Rollout are found through the owner reference of their ReplicaSet, and
// the patch carries the uid: a workload that was deleted is never made again by it.
//
// Threads:  safe from any thread; one or two calls.
// Failure:  the Client's errors; kNotFound when the workload is gone, kTerminal when the ReplicaSet
//           belongs to something that cannot be restarted so.

#include <string>

#include "operator/domain/plan_renewal.h"
#include "src/base/result.h"
#include "src/kube/client.h"

namespace tracekeeper::controllers {

Status RestartWorkload(kube::Client& client, const domain::RenewalAction& action,
                       const StopToken& stop);

}  // namespace tracekeeper::controllers
