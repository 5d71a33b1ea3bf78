#pragma once
// Who a pod's containers are, in OpenTelemetry's words: OTEL_SERVICE_NAME and the attributes of
// OTEL_RESOURCE_ATTRIBUTES, derived in the order of OpenTelemetry's conventions for Kubernetes
// (https://opentelemetry.io/docs/specs/semconv/non-normative/k8s-attributes/):
//
//   service.name         annotation, label instance, label name, Deployment, ReplicaSet,
//                        StatefulSet, DaemonSet, CronJob, Job, pod
//   service.namespace    annotation, namespace
//   service.version      annotation, label version, image tag@digest, digest, tag
//   service.instance.id  annotation, namespace.pod.container
//
// Beyond them: an Argo Rollout names its service as a Deployment does, and a controller of another
// kind (a ReplicationController, an operator's own) gives its name rather than the pod's, whose
// random part would make one service of each pod. Any other annotation
// resource.opentelemetry.io/KEY becomes the attribute KEY.
//
// Encoding: attribute values are percent-encoded outside W3C baggage's set; and in every value `$`
//           is doubled where Kubernetes would read `$(NAME)`, so no annotation can pull another
//           variable into telemetry. Names of pod, uid and node come by $(TRACEKEEPER_POD_NAME) and
//           its like, because a pod has no name yet when it is admitted.
//
// Threads:  pure.

#include <string>
#include <string_view>
#include <vector>

#include "operator/domain/pod_view.h"

namespace tracekeeper::domain {

/// One attribute; `value` is encoded already, `key` is a constant or a view of the pod.
struct ResourceAttribute {
  std::string_view key;
  std::string value;
};

/// What all containers of a pod share, worked out once.
struct PodIdentity {
  std::string service_name;  // ready for `value`: `$` is doubled
  std::vector<ResourceAttribute> attributes;
  std::string joined;               // the same as the variable holds them
  std::string service_version;      // encoded; empty: the container's image says it
  std::string service_instance_id;  // encoded; empty: made for each container
  std::string instance_prefix;      // "shop.$(TRACEKEEPER_POD_NAME)."
};

PodIdentity IdentityOf(const PodView& pod, std::string_view namespace_name,
                       std::string_view policy_qualified_name);

/// The value of OTEL_RESOURCE_ATTRIBUTES for a container that has none.
std::string AttributesText(const PodIdentity& identity, const ContainerView& container);

/// What a container's own OTEL_RESOURCE_ATTRIBUTES lacks.
struct AttributeMerge {
  std::string appended;                // to go behind the user's value, comma included
  std::vector<std::string_view> kept;  // keys that the user set to another value
  bool user_names_service = false;     // service.name is among the user's keys
};

AttributeMerge MergeAttributes(const PodIdentity& identity, const ContainerView& container,
                               std::string_view user_value);

/// Percent-encodes what may not stand in an attribute's value and doubles `$` before `(` and `$`.
std::string EncodeAttributeValue(std::string_view value);
/// Doubles `$` before `(` and `$`: a plain variable's value that is to arrive as it is.
std::string EscapeReferences(std::string_view value);

}  // namespace tracekeeper::domain
