#pragma once
// OtlpEndpointController keeps the EndpointSlice behind the Service for OTLP at this replica, as
// long as it leads, and takes it away when it ends in peace. Whoever leads next takes it over.
//
// Threads:  Reconcile on its loop's worker; Leave from the owner's thread when the loop has ended.
// Owner:    wiring; client, clock and log outlive it.
// Failure:  a refused write is tried again by the loop, and the next kInterval repairs what others
//           changed. Leave gives up after kLeavePatience: then the next leader's write decides.

#include <chrono>
#include <string>

#include "operator/domain/otlp_endpoint.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/kube/client.h"
#include "src/runtime/controller.h"

namespace tracekeeper::controllers {

class OtlpEndpointController {
 public:
  static constexpr Duration kInterval = std::chrono::seconds(30);
  static constexpr Duration kLeavePatience = std::chrono::seconds(1);

  /// `owner_cluster_role`: empty for none.
  OtlpEndpointController(domain::OtlpEndpoint endpoint, std::string owner_cluster_role,
                         kube::Client& client, const Clock& clock, Logger log)
      : endpoint_(std::move(endpoint)),
        owner_cluster_role_(std::move(owner_cluster_role)),
        client_(client),
        clock_(clock),
        log_(std::move(log)) {}

  /// Its one key, for the queue.
  [[nodiscard]] kube::ObjectKey Key() const { return endpoint_.slice(); }

  Result<runtime::Requeue> Reconcile(const kube::ObjectKey& key,
                                     runtime::ReconcileContext& context);

  /// Senders find nobody from now on, unless another replica leads already.
  void Leave();

 private:
  Status Remove(const StopToken& stop);

  const domain::OtlpEndpoint endpoint_;
  const std::string owner_cluster_role_;
  kube::Client& client_;
  const Clock& clock_;
  const Logger log_;
  bool is_told_ = false;  // the loop's worker alone
};

}  // namespace tracekeeper::controllers
