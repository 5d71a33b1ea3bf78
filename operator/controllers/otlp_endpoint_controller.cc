#include "operator/controllers/otlp_endpoint_controller.h"

#include <optional>

#include "operator/controllers/role_owner.h"
#include "src/runtime/timer.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kFieldManager = "tracekeeper-otlp";

}  // namespace

Result<runtime::Requeue> OtlpEndpointController::Reconcile(const kube::ObjectKey& key,
                                                           runtime::ReconcileContext& context) {
  std::optional<kube::OwnerReference> owner;
  if (!owner_cluster_role_.empty()) {
    owner = TRY(ReadRoleOwner(client_, owner_cluster_role_, context.stop));
  }
  // By force: the endpoint is the leader's, whoever wrote it before.
  TRY(client_.Apply(domain::kEndpointSlices, key, domain::EndpointSliceJson(endpoint_, owner),
                    {.field_manager = std::string(kFieldManager), .force = kube::Force::kYes},
                    context.stop));
  if (!std::exchange(is_told_, true)) {
    context.log.Info("Took over the endpoint for OTLP",
                     {{"service", endpoint_.service}, {"address", endpoint_.address}});
  }
  return runtime::Requeue::After(kInterval);
}

void OtlpEndpointController::Leave() {
  const runtime::DeadlineStop limit(clock_, kLeavePatience, StopToken());
  const Status removed = Remove(limit.token());
  if (removed) return;
  log_.Warn("Could not take away the endpoint for OTLP: the next leader replaces it",
            {{"error", removed.error()}});
}

Status OtlpEndpointController::Remove(const StopToken& stop) {
  const auto slice = client_.Get(domain::kEndpointSlices, Key(), stop);
  if (!slice && slice.error().kind == ErrorKind::kNotFound) return {};
  if (!slice) return Fail(slice.error());
  if (!domain::IsEndpointOf(slice->root(), endpoint_)) return {};
  const codec::JsonValue metadata = (*slice)["metadata"];
  Status removed =
      client_.Delete(domain::kEndpointSlices, Key(),
                     {.uid = std::string(metadata["uid"].StringOr("")),
                      .resource_version = std::string(metadata["resourceVersion"].StringOr(""))},
                     stop);
  // Another replica took it over, or took it away, since we looked.
  const bool is_done = !removed && (removed.error().kind == ErrorKind::kConflict ||
                                    removed.error().kind == ErrorKind::kNotFound);
  if (is_done) return {};
  return removed;
}

}  // namespace tracekeeper::controllers
