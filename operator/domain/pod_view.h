#pragma once
// PodView is a pod's JSON taken apart once: each member that injection looks at, by view, so that
// no later step searches the document again.
//
// Threads:  a value; views live as long as the parsed document.

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "operator/domain/label_selector.h"
#include "src/codec/json_value.h"

namespace tracekeeper::domain {

struct ContainerView {
  std::string_view name = "";
  std::string_view image = "";
  codec::JsonValue env;
  codec::JsonValue env_from;
  codec::JsonValue volume_mounts;
  codec::JsonValue ports;
  codec::JsonValue resources;
  codec::JsonValue security_context;
  std::size_t index = 0;  // in its list
  bool init = false;
};

struct PodView {
  codec::JsonValue annotations_json;
  codec::JsonValue owner_references;
  codec::JsonValue init_containers_json;
  codec::JsonValue volumes;
  codec::JsonValue security_context;
  codec::JsonValue resources;  // of the pod as a whole
  codec::JsonValue node_selector;
  std::string_view name;
  std::string_view os;
  std::string_view restart_policy;
  bool host_network = false;
  std::vector<Label> labels;
  std::vector<Label> annotations;
  std::vector<ContainerView> containers;  // init containers first, each in its order
};

/// Nothing where `pod` has no metadata, no container or one without a name, or where a list or
/// object that injection adds to is of another kind: the API server refuses such a pod, and nothing
/// of it may be lost.
std::optional<PodView> ViewPod(const codec::JsonValue& pod);

/// Whether a list or object holds nothing yet: absent, null, or empty. An `add` then creates it.
bool IsVacant(const codec::JsonValue& collection);

/// Whether `matches` holds for an element of `list`; false for anything but a list.
template <typename Predicate>
bool AnyElement(const codec::JsonValue& list, const Predicate& matches) {
  for (const codec::JsonValue element : list.Elements()) {
    if (matches(element)) return true;
  }
  return false;
}

}  // namespace tracekeeper::domain
