#pragma once
// ConfigMaps writes and removes the sidecar's configuration of a policy in the pods' namespaces.
// In the policy's own namespace the object is owned by it and goes with it; in others a label names
// the policy, and a finalizer on the policy makes us clean up.
//
// Threads:  all methods are safe from any thread for different policies.
// Owner:    wiring; client and store outlive it.
// Failure:  the client's errors. Removing what is gone is a success.

#include <string>
#include <vector>

#include "operator/controllers/observed.h"
#include "operator/domain/compile_policy.h"
#include "src/kube/client.h"
#include "src/runtime/store.h"

namespace tracekeeper::controllers {

class ConfigMaps {
 public:
  ConfigMaps(kube::Client& client, const runtime::Store<ObservedConfigMap>& store,
             runtime::IndexId by_policy_uid)
      : client_(client), store_(store), by_policy_uid_(by_policy_uid) {}

  /// Writes it into `namespace_name`, unless it stands there already.
  Status Ensure(const domain::PolicyCompilation& compilation, const std::string& namespace_name,
                const StopToken& stop);

  /// Removes those of the policy that stand elsewhere than in `namespaces`.
  Status RemoveStale(const domain::CompiledPolicy& policy,
                     const std::vector<std::string>& namespaces, const StopToken& stop);

  /// Removes all of a policy's, as the API server knows them: a cache may lag behind our own write.
  Status RemoveAll(const std::string& policy_uid, const StopToken& stop);

 private:
  Status Remove(const kube::ObjectKey& key, const std::string& uid, const StopToken& stop);

  kube::Client& client_;
  const runtime::Store<ObservedConfigMap>& store_;
  const runtime::IndexId by_policy_uid_;
};

}  // namespace tracekeeper::controllers
