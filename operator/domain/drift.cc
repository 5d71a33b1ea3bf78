#include "operator/domain/drift.h"

#include "operator/domain/mutate.h"
#include "operator/domain/names.h"
#include "operator/domain/pod_view.h"
#include "operator/domain/skip_rules.h"

namespace tracekeeper::domain {
namespace {

using codec::JsonValue;

bool IsEnded(const JsonValue& pod) {
  const std::string_view phase = pod["status"]["phase"].StringOr("");
  return phase == "Succeeded" || phase == "Failed" ||
         pod["metadata"]["deletionTimestamp"].is_string();
}

}  // namespace

PodProjection ProjectPod(const JsonValue& pod, std::span<const std::uint16_t> sidecar_ports) {
  PodProjection projection;
  const auto view = ViewPod(pod);
  if (!view) {
    projection.skip = Reason::kSkippedInvalidPod;
    return projection;
  }
  projection.ended = IsEnded(pod);
  if (const auto finding = NeverInjected(*view)) projection.skip = finding->reason;
  projection.has_controller = AnyElement(view->owner_references, [](const JsonValue& owner) {
    return owner["controller"].BoolOr(false);
  });
  // Annotations alone are only a claim: the sidecar must be there.
  bool has_sidecar = false;
  for (const ContainerView& container : view->containers) {
    has_sidecar |= container.name == kSidecarContainer;
  }
  if (has_sidecar) {
    projection.policy = FindLabel(view->annotations, kPolicyAnnotation);
    projection.digest = FindLabel(view->annotations, kDigestAnnotation);
  }
  projection.is_to_end = EndsWithoutNativeSidecar(*view).has_value();
  if (projection.policy.empty() && !projection.skip) {
    if (const auto finding = NameConflict(*view, {})) projection.skip = finding->reason;
    if (const auto finding = PortConflict(*view, sidecar_ports)) projection.skip = finding->reason;
  }
  return projection;
}

Drift DriftOf(const PodProjection& pod, const CompiledPolicy& policy, NodeCapability nodes) {
  if (pod.ended) return {InjectionState::kEnded, Reason::kNoPolicy};
  if (!pod.policy.empty()) {
    const bool current = pod.policy == policy.qualified_name && pod.digest == policy.digest;
    if (current) return {InjectionState::kInjected, Reason::kInjected};
    return {InjectionState::kOutdated, Reason::kOutdatedInjection};
  }
  if (pod.skip) return {InjectionState::kSkipped, *pod.skip};
  if (pod.is_to_end && !UsesNativeSidecar(policy.injection, nodes)) {
    return {InjectionState::kSkipped, Reason::kSkippedJobWithoutNativeSidecar};
  }
  return {InjectionState::kMissing, Reason::kMissingInjection};
}

}  // namespace tracekeeper::domain
