#pragma once
// EvictPod asks for the end of a pod through the Eviction API, which honours disruption budgets.
//
// Threads:  any; blocks its caller.
// Failure:  kTooManyRequests when a disruption budget does not allow it now (its sentence names the
//           budget), kConflict when another pod has that name now, kNotFound when none has.
// Source:   Kubernetes API, policy/v1 Eviction.

#include <string_view>

#include "src/base/result.h"
#include "src/kube/client.h"

namespace tracekeeper::kube {

/// `uid`: only if it is still this pod.
Status EvictPod(Client& client, const ObjectKey& pod, std::string_view uid, const StopToken& stop);

}  // namespace tracekeeper::kube
