#pragma once
// ObjectKey and ObjectMeta: how a Kubernetes object is named, and what every object carries.
//
// Threads:  plain values.
// Failure:  decoding never invents: an object without a name is kDecode, a timestamp that is none
//           reads as absent.

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/codec/json_value.h"

namespace tracekeeper::kube {

struct ObjectKey {
  std::string namespace_name;  // empty for objects of the cluster
  std::string name;

  auto operator<=>(const ObjectKey&) const = default;

  /// "shop/checkout", or "node-1" for an object of the cluster.
  [[nodiscard]] std::string ToString() const;
};

/// Reads "shop/checkout" or "node-1".
Result<ObjectKey> ParseObjectKey(std::string_view text);

using StringMap = std::map<std::string, std::string, std::less<>>;

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
  bool controller = false;
  bool block_owner_deletion = false;

  bool operator==(const OwnerReference&) const = default;
};

struct ObjectMeta {
  ObjectKey key;
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  std::optional<Instant> creation_timestamp;
  std::optional<Instant> deletion_timestamp;  // set: the object is being deleted
  StringMap labels;
  StringMap annotations;
  std::vector<std::string> finalizers;
  std::vector<OwnerReference> owner_references;

  bool operator==(const ObjectMeta&) const = default;

  [[nodiscard]] bool IsBeingDeleted() const { return deletion_timestamp.has_value(); }
  [[nodiscard]] bool HasFinalizer(std::string_view finalizer) const;
  /// The one owner that is marked as controller, or null.
  [[nodiscard]] const OwnerReference* Controller() const;
};

/// Reads `object.metadata`.
Result<ObjectMeta> DecodeMeta(codec::JsonValue object);

/// Namespace and name of `object` alone: no allocation beyond the two strings.
Result<ObjectKey> DecodeKey(codec::JsonValue object);

/// Reads a JSON object of strings (labels, annotations, matchLabels); other values are left out.
StringMap DecodeStringMap(codec::JsonValue object);

}  // namespace tracekeeper::kube

template <>
struct std::hash<tracekeeper::kube::ObjectKey> {
  std::size_t operator()(const tracekeeper::kube::ObjectKey& key) const noexcept {
    const std::size_t first = std::hash<std::string>{}(key.namespace_name);
    return first ^ (std::hash<std::string>{}(key.name) + 0x9e3779b97f4a7c15ULL + (first << 6U) +
                    (first >> 2U));
  }
};
