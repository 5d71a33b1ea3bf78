#pragma once
// The operator's ClusterRole owns what the operator makes for itself, so that it goes when the
// chart goes.
//
// Threads:  safe from any thread.
// Failure:  nothing where there is no such role; other refusals are passed on.

#include <optional>
#include <string>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/kube/client.h"
#include "src/kube/meta.h"

namespace tracekeeper::controllers {

Result<std::optional<kube::OwnerReference>> ReadRoleOwner(kube::Client& client,
                                                          const std::string& cluster_role,
                                                          const StopToken& stop);

}  // namespace tracekeeper::controllers
