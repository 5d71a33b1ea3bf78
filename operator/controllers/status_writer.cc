#include "operator/controllers/status_writer.h"

#include <charconv>
#include <utility>

#include "src/codec/json_writer.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kStatusManager = "tracekeeper-status";

}  // namespace

std::uint64_t VersionOf(std::string_view resource_version) {
  std::uint64_t version = 0;
  std::from_chars(resource_version.data(), resource_version.data() + resource_version.size(),
                  version);
  return version;
}

Result<std::optional<std::uint64_t>> ApplyStatus(kube::Client& client,
                                                 const kube::Resource& resource,
                                                 const kube::ObjectMeta& meta,
                                                 std::string_view status_json,
                                                 const StopToken& stop) {
  codec::JsonWriter json;
  json.BeginObject().Member("apiVersion", resource.ApiVersion()).Member("kind", resource.kind);
  // The uid: an object deleted and made again under this name must not get the old one's status.
  json.Key("metadata")
      .BeginObject()
      .Member("name", meta.key.name)
      .Member("namespace", meta.key.namespace_name)
      .Member("uid", meta.uid)
      .EndObject();
  json.Key("status").Raw(status_json).EndObject();
  auto applied = client.Apply(resource, meta.key, json.text(),
                              {.field_manager = std::string(kStatusManager),
                               .subresource = "status",
                               .force = kube::Force::kYes},
                              stop);
  if (!applied && applied.error().kind == ErrorKind::kNotFound) return std::nullopt;
  if (!applied) return Fail(std::move(applied).error());
  return VersionOf((*applied)["metadata"]["resourceVersion"].StringOr(""));
}

}  // namespace tracekeeper::controllers
