#include "operator/domain/pod_view.h"

#include <algorithm>

namespace tracekeeper::domain {
namespace {

using codec::JsonValue;

ContainerView ViewContainer(const JsonValue& container, std::size_t index, bool init) {
  ContainerView view{.index = index, .init = init};
  for (const auto& [key, value] : container.Members()) {
    if (key == "name") {
      view.name = value.StringOr("");
    } else if (key == "image") {
      view.image = value.StringOr("");
    } else if (key == "env") {
      view.env = value;
    } else if (key == "envFrom") {
      view.env_from = value;
    } else if (key == "volumeMounts") {
      view.volume_mounts = value;
    } else if (key == "ports") {
      view.ports = value;
    } else if (key == "resources") {
      view.resources = value;
    } else if (key == "securityContext") {
      view.security_context = value;
    }
  }
  return view;
}

void ViewMetadata(const JsonValue& metadata, PodView& view) {
  for (const auto& [key, value] : metadata.Members()) {
    if (key == "name") {
      view.name = value.StringOr("");
    } else if (key == "labels") {
      view.labels = LabelsOf(value);
    } else if (key == "annotations") {
      view.annotations_json = value;
      view.annotations = LabelsOf(value);
    } else if (key == "ownerReferences") {
      view.owner_references = value;
    }
  }
}

JsonValue ViewSpec(const JsonValue& spec, PodView& view) {
  JsonValue containers;
  for (const auto& [key, value] : spec.Members()) {
    if (key == "containers") {
      containers = value;
    } else if (key == "initContainers") {
      view.init_containers_json = value;
    } else if (key == "volumes") {
      view.volumes = value;
    } else if (key == "securityContext") {
      view.security_context = value;
    } else if (key == "resources") {
      view.resources = value;
    } else if (key == "nodeSelector") {
      view.node_selector = value;
    } else if (key == "os") {
      view.os = value["name"].StringOr("");
    } else if (key == "restartPolicy") {
      view.restart_policy = value.StringOr("");
    } else if (key == "hostNetwork") {
      view.host_network = value.BoolOr(false);
    }
  }
  return containers;
}

bool IsOfKind(const JsonValue& value, JsonValue::Kind kind) {
  using enum JsonValue::Kind;
  return value.kind() == kMissing || value.kind() == kNull || value.kind() == kind;
}

bool IsWellFormed(const ContainerView& container) {
  using enum JsonValue::Kind;
  return !container.name.empty() && IsOfKind(container.env, kArray) &&
         IsOfKind(container.env_from, kArray) && IsOfKind(container.volume_mounts, kArray) &&
         IsOfKind(container.ports, kArray) && IsOfKind(container.security_context, kObject) &&
         IsOfKind(container.security_context["capabilities"], kObject) &&
         IsOfKind(container.security_context["capabilities"]["drop"], kArray);
}

bool IsWellFormed(const PodView& view) {
  using enum JsonValue::Kind;
  return IsOfKind(view.annotations_json, kObject) && IsOfKind(view.init_containers_json, kArray) &&
         IsOfKind(view.volumes, kArray) && IsOfKind(view.security_context, kObject) &&
         std::ranges::all_of(view.containers, [](const auto& c) { return IsWellFormed(c); });
}

}  // namespace

std::optional<PodView> ViewPod(const JsonValue& pod) {
  PodView view;
  JsonValue containers;
  bool has_metadata = false;
  for (const auto& [key, value] : pod.Members()) {
    if (key == "metadata") {
      ViewMetadata(value, view);
      has_metadata = value.is_object();
    } else if (key == "spec") {
      containers = ViewSpec(value, view);
    }
  }
  if (!has_metadata || containers.size() == 0 || !containers.is_array()) return std::nullopt;
  view.containers.reserve(containers.size() + view.init_containers_json.size());
  std::size_t index = 0;
  for (const JsonValue container : view.init_containers_json.Elements()) {
    view.containers.push_back(ViewContainer(container, index++, true));
  }
  index = 0;
  for (const JsonValue container : containers.Elements()) {
    view.containers.push_back(ViewContainer(container, index++, false));
  }
  if (!IsWellFormed(view)) return std::nullopt;
  return view;
}

bool IsVacant(const JsonValue& collection) {
  using enum JsonValue::Kind;
  const JsonValue::Kind kind = collection.kind();
  if (kind == kMissing || kind == kNull) return true;
  return (kind == kArray || kind == kObject) && collection.size() == 0;
}

}  // namespace tracekeeper::domain
