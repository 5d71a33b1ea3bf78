#include "src/kube/meta.h"

#include <algorithm>

#include "src/kube/timestamp.h"

namespace tracekeeper::kube {
namespace {

std::optional<Instant> TimestampOf(codec::JsonValue value) {
  const auto text = value.String();
  if (!text) return std::nullopt;
  const auto time = ParseTimestamp(*text);
  if (!time) return std::nullopt;
  return *time;
}

OwnerReference DecodeOwner(codec::JsonValue value) {
  return {.api_version = std::string(value["apiVersion"].StringOr("")),
          .kind = std::string(value["kind"].StringOr("")),
          .name = std::string(value["name"].StringOr("")),
          .uid = std::string(value["uid"].StringOr("")),
          .controller = value["controller"].BoolOr(false),
          .block_owner_deletion = value["blockOwnerDeletion"].BoolOr(false)};
}

/// What the API server takes as a name in a path.
bool IsPathSegment(std::string_view name) {
  return !name.empty() && name.size() <= 253 && name != "." && name != ".." &&
         name.find_first_of("/%") == std::string_view::npos;
}

}  // namespace

std::string ObjectKey::ToString() const {
  if (namespace_name.empty()) return name;
  std::string text;
  text.reserve(namespace_name.size() + 1 + name.size());
  text += namespace_name;
  text += '/';
  text += name;
  return text;
}

Result<ObjectKey> ParseObjectKey(std::string_view text) {
  const std::size_t slash = text.find('/');
  const bool has_namespace = slash != std::string_view::npos;
  const std::string_view space = has_namespace ? text.substr(0, slash) : std::string_view();
  const std::string_view name = has_namespace ? text.substr(slash + 1) : text;
  if ((has_namespace && !IsPathSegment(space)) || !IsPathSegment(name)) {
    return Fail(ErrorKind::kInvalid, "\"{}\" names no object: write NAMESPACE/NAME", text);
  }
  return ObjectKey{std::string(space), std::string(name)};
}

bool ObjectMeta::HasFinalizer(std::string_view finalizer) const {
  return std::find(finalizers.begin(), finalizers.end(), finalizer) != finalizers.end();
}

const OwnerReference* ObjectMeta::Controller() const {
  for (const OwnerReference& owner : owner_references) {
    if (owner.controller) return &owner;
  }
  return nullptr;
}

StringMap DecodeStringMap(codec::JsonValue object) {
  StringMap map;
  for (const auto [key, value] : object.Members()) {
    if (const auto text = value.String()) map.emplace(key, *text);
  }
  return map;
}

Result<ObjectKey> DecodeKey(codec::JsonValue object) {
  const codec::JsonValue metadata = object["metadata"];
  const auto name = metadata["name"].String();
  if (!name || name->empty()) {
    return Fail(ErrorKind::kDecode, "an object without metadata.name");
  }
  return ObjectKey{std::string(metadata["namespace"].StringOr("")), std::string(*name)};
}

Result<ObjectMeta> DecodeMeta(codec::JsonValue object) {
  ObjectMeta meta;
  meta.key = TRY(DecodeKey(object));
  // One walk over the members: a lookup by name is linear, and metadata has many.
  for (const auto [key, value] : object["metadata"].Members()) {
    if (key == "uid") {
      meta.uid = value.StringOr("");
    } else if (key == "resourceVersion") {
      meta.resource_version = value.StringOr("");
    } else if (key == "generation") {
      meta.generation = value.IntegerOr(0);
    } else if (key == "creationTimestamp") {
      meta.creation_timestamp = TimestampOf(value);
    } else if (key == "deletionTimestamp") {
      meta.deletion_timestamp = TimestampOf(value);
    } else if (key == "labels") {
      meta.labels = DecodeStringMap(value);
    } else if (key == "annotations") {
      meta.annotations = DecodeStringMap(value);
    } else if (key == "finalizers") {
      for (const codec::JsonValue finalizer : value.Elements()) {
        if (const auto text = finalizer.String()) meta.finalizers.emplace_back(*text);
      }
    } else if (key == "ownerReferences") {
      for (const codec::JsonValue owner : value.Elements()) {
        meta.owner_references.push_back(DecodeOwner(owner));
      }
    }
  }
  return meta;
}

}  // namespace tracekeeper::kube
