#pragma once
// CredentialConsumers finds out who uses the current version of a credential, as the policy's
// consumers.reload says: the sidecars of its pods report it on /status; or its workloads are
// restarted, once a version, and their pods carry the mark of the template that made them.
//
//   annotation of a pod template:  tracekeeper.dev/credentials: "backend=7,database=3"
//
// Threads:  one credential at a time; sidecars are asked by several threads at once.
// Owner:    wiring; everything it is given outlives it. `seen` is the credential's.
// Failure:  row restart_forbidden, and the client's errors. A sidecar that does not answer is a
//           consumer that has not followed.

#include <map>
#include <string>
#include <vector>

#include "operator/controllers/policy_pods.h"
#include "operator/controllers/sidecar_controller.h"
#include "operator/domain/credential_plan.h"
#include "src/kube/client.h"

namespace tracekeeper::controllers {

class CredentialConsumers {
 public:
  static constexpr std::size_t kMostAsked = 64;
  static constexpr std::size_t kParallel = 8;

  struct Parts {
    const PolicyPods& pods;
    /// Null: sidecars are not asked, and only the overlap is waited for.
    SidecarReader* reader;
    kube::Client& client;
  };
  /// The version that each pod, by uid, has said to use: it need not be asked again.
  using Seen = std::map<std::string, std::int64_t>;

  explicit CredentialConsumers(Parts parts) : parts_(parts) {}

  /// Of version `number` of the credential.
  Result<domain::ConsumerFacts> Observe(const domain::CredentialPlan& plan, std::int64_t number,
                                        Seen& seen, const StopToken& stop) const;

 private:
  struct Pod {
    std::string uid;
    std::string address;
  };

  domain::ConsumerFacts AskSidecars(const domain::CompiledPolicy& policy, std::int64_t number,
                                    Seen& seen, const StopToken& stop) const;
  Result<domain::ConsumerFacts> Restart(const domain::CredentialPlan& plan,
                                        const domain::CompiledPolicy& policy, std::int64_t number,
                                        const StopToken& stop) const;

  const Parts parts_;
};

}  // namespace tracekeeper::controllers
