#include "src/runtime/finalizer.h"

#include <algorithm>
#include <string>

#include "src/codec/json_writer.h"

namespace tracekeeper::runtime {
namespace {

using codec::JsonWriter;

void WriteTest(JsonWriter& json, std::string_view path, std::string_view value) {
  json.BeginObject().Member("op", "test").Member("path", path).Member("value", value).EndObject();
}

// Another object of the same name is none of our business.
void WriteSameObject(JsonWriter& json, const kube::ObjectMeta& meta) {
  WriteTest(json, "/metadata/uid", meta.uid);
}

kube::WriteOptions Options(const FinalizerChange& change) {
  return {.field_manager = std::string(change.field_manager)};
}

}  // namespace

std::string FinalizerAddition(const kube::ObjectMeta& meta, std::string_view finalizer) {
  if (meta.HasFinalizer(finalizer)) return {};
  JsonWriter json;
  json.BeginArray();
  WriteSameObject(json, meta);
  if (meta.finalizers.empty()) {
    // `add` of a whole list would overwrite one that appeared since: only at the version we saw.
    WriteTest(json, "/metadata/resourceVersion", meta.resource_version);
    json.BeginObject().Member("op", "add").Member("path", "/metadata/finalizers");
    json.Key("value").BeginArray().String(finalizer).EndArray().EndObject();
  } else {
    WriteTest(json, "/metadata/finalizers/0", meta.finalizers.front());
    json.BeginObject().Member("op", "add").Member("path", "/metadata/finalizers/-");
    json.Member("value", finalizer).EndObject();
  }
  json.EndArray();
  return json.Take();
}

std::string FinalizerRemoval(const kube::ObjectMeta& meta, std::string_view finalizer) {
  const auto found = std::find(meta.finalizers.begin(), meta.finalizers.end(), finalizer);
  if (found == meta.finalizers.end()) return {};
  const std::string path =
      fmt::format("/metadata/finalizers/{}", std::distance(meta.finalizers.begin(), found));
  JsonWriter json;
  json.BeginArray();
  WriteSameObject(json, meta);
  WriteTest(json, path, finalizer);
  json.BeginObject().Member("op", "remove").Member("path", path).EndObject();
  json.EndArray();
  return json.Take();
}

Result<bool> AddFinalizer(kube::Client& client, const kube::Resource& resource,
                          const kube::ObjectMeta& meta, const FinalizerChange& change,
                          const StopToken& stop) {
  const std::string patch = FinalizerAddition(meta, change.finalizer);
  if (patch.empty()) return false;
  TRY(client.PatchJson(resource, meta.key, patch, Options(change), stop));
  return true;
}

Result<bool> RemoveFinalizer(kube::Client& client, const kube::Resource& resource,
                             const kube::ObjectMeta& meta, const FinalizerChange& change,
                             const StopToken& stop) {
  const std::string patch = FinalizerRemoval(meta, change.finalizer);
  if (patch.empty()) return false;
  const auto patched = client.PatchJson(resource, meta.key, patch, Options(change), stop);
  if (!patched && patched.error().kind == ErrorKind::kNotFound) return false;
  if (!patched) return Fail(patched.error());
  return true;
}

}  // namespace tracekeeper::runtime
