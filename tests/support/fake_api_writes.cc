// What the fake API server does for POST, PATCH and DELETE.

#include <fmt/core.h>

#include "src/codec/json_writer.h"
#include "tests/support/fake_api_routes.h"

namespace tracekeeper::test_support {
namespace {

net::Response ModifiedConflict(const Asked& asked) {
  return StatusAnswer(
      409, "Conflict",
      fmt::format("Operation cannot be fulfilled on {} \"{}\": the object has been modified; "
                  "please apply your changes to the latest version and try again",
                  asked.resource->QualifiedName(), asked.key.name));
}

bool HasNoFinalizer(const JsonTree& object) {
  const JsonTree* metadata = object.Find("metadata");
  const JsonTree* finalizers = metadata == nullptr ? nullptr : metadata->Find("finalizers");
  return finalizers == nullptr || finalizers->elements().empty();
}

/// A write to /status takes status alone; a write to the object takes everything else.
void KeepOtherHalf(JsonTree& written, const JsonTree& before, const std::string& subresource) {
  const auto take = [](JsonTree& to, const JsonTree& from, std::string_view key) {
    if (const JsonTree* value = from.Find(key)) {
      to[key] = *value;
    } else {
      to.Erase(key);
    }
  };
  if (subresource != "status") {
    take(written, before, "status");
    return;
  }
  JsonTree merged = before;
  take(merged, written, "status");
  written = std::move(merged);
}

std::string ManagerOf(const net::Request& request, std::string_view suffix) {
  const std::string manager = net::QueryParameter(request.target, "fieldManager");
  return (manager.empty() ? std::string("unknown") : manager) + std::string(suffix);
}

}  // namespace

net::Response FakeApiRoutes::Create(const net::Request& request, const Asked& asked) {
  Result<JsonTree> object = JsonTree::Parse(request.body);
  if (!object) return StatusAnswer(400, "BadRequest", object.error().message);
  Asked created = asked;
  created.key.name = object->TextAt({"metadata", "name"});
  if (created.key.name.empty()) {
    return StatusAnswer(422, "Invalid", "metadata.name: Required value: name is required",
                        R"({"causes":[{"reason":"FieldValueRequired","field":"metadata.name"}]})");
  }
  if (store_.Find(asked.resource, created.key) != nullptr) {
    return StatusAnswer(
        409, "AlreadyExists",
        fmt::format("{} \"{}\" already exists", asked.resource->QualifiedName(), created.key.name));
  }
  object->Erase("status");
  const bool is_dry_run = !net::QueryParameter(request.target, "dryRun").empty();
  if (is_dry_run) return JsonAnswer(201, object->ToJson());
  StoredObject& stored = store_.Write(asked.resource, created.key, *object);
  stored.owners.RecordUpdate(JsonTree::EmptyObject(), *JsonTree::Parse(*stored.json),
                             ManagerOf(request, "/Update"));
  return JsonAnswer(201, *stored.json);
}

net::Response FakeApiRoutes::Patch(const net::Request& request, const Asked& asked) {
  StoredObject* stored = store_.Find(asked.resource, asked.key);
  if (stored == nullptr) return NotFound(asked);
  const JsonTree before = *JsonTree::Parse(*stored->json);
  const Result<JsonTree> patch = JsonTree::Parse(request.body);
  if (!patch) return StatusAnswer(400, "BadRequest", patch.error().message);
  JsonTree after = before;
  const std::string_view type = request.headers.Get("Content-Type");
  if (type == "application/json-patch+json") {
    if (!ApplyJsonPatch(after, *patch)) {
      return StatusAnswer(422, "Invalid",
                          "the server rejected our request due to an error in our request");
    }
  } else if (type == "application/merge-patch+json") {
    ApplyMergePatch(after, *patch);
  } else {
    return StatusAnswer(415, "UnsupportedMediaType",
                        "the body of the request was in an unknown format");
  }
  if (after.TextAt({"metadata", "resourceVersion"}) != std::to_string(stored->version)) {
    return ModifiedConflict(asked);
  }
  KeepOtherHalf(after, before, asked.subresource);
  if (net::QueryParameter(request.target, "dryRun").empty()) {
    stored->owners.RecordUpdate(before, after, ManagerOf(request, "/Update"));
  }
  return Commit(request, asked, after, 200);
}

net::Response FakeApiRoutes::Apply(const net::Request& request, const Asked& asked) {
  Result<JsonTree> applied = JsonTree::Parse(request.body);
  if (!applied) return StatusAnswer(400, "BadRequest", applied.error().message);
  if (net::QueryParameter(request.target, "fieldManager").empty()) {
    return StatusAnswer(400, "BadRequest",
                        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: "
                        "Required value: is required for apply patch");
  }
  StoredObject* stored = store_.Find(asked.resource, asked.key);
  if (stored == nullptr && asked.subresource == "status") return NotFound(asked);
  const JsonTree before = stored ? *JsonTree::Parse(*stored->json) : JsonTree::EmptyObject();
  if (asked.subresource == "status") {
    applied->Erase("spec");
  } else {
    applied->Erase("status");
  }
  const std::string version = applied->TextAt({"metadata", "resourceVersion"});
  if (!version.empty() && stored != nullptr && version != std::to_string(stored->version)) {
    return ModifiedConflict(asked);
  }
  JsonTree after = before;
  FieldOwners owners = stored ? stored->owners : FieldOwners();
  const bool is_forced = net::QueryParameter(request.target, "force") == "true";
  const std::string manager =
      ManagerOf(request, asked.subresource.empty() ? "" : "/" + asked.subresource);
  const auto conflicts = owners.Apply(after, *applied, manager, is_forced);
  if (!conflicts.empty()) {
    codec::JsonWriter causes;
    causes.BeginObject().Key("causes").BeginArray();
    for (const FieldConflict& conflict : conflicts) {
      causes.BeginObject()
          .Member("reason", "FieldManagerConflict")
          .Member("message", fmt::format("conflict with \"{}\"", conflict.manager))
          .Member("field", conflict.field)
          .EndObject();
    }
    causes.EndArray().EndObject();
    return StatusAnswer(
        409, "Conflict",
        fmt::format("Apply failed with {} conflict{}: conflict with \"{}\": {}", conflicts.size(),
                    conflicts.size() == 1 ? "" : "s", conflicts[0].manager, conflicts[0].field),
        causes.text());
  }
  const net::Response answer = Commit(request, asked, after, stored ? 200 : 201);
  const bool is_dry_run = !net::QueryParameter(request.target, "dryRun").empty();
  if (StoredObject* now = store_.Find(asked.resource, asked.key); now != nullptr && !is_dry_run) {
    now->owners = std::move(owners);
  }
  return answer;
}

net::Response FakeApiRoutes::Delete(const net::Request& request, const Asked& asked) {
  StoredObject* stored = store_.Find(asked.resource, asked.key);
  if (stored == nullptr) return NotFound(asked);
  JsonTree object = *JsonTree::Parse(*stored->json);
  if (!request.body.empty()) {
    const Result<JsonTree> options = JsonTree::Parse(request.body);
    if (!options) return StatusAnswer(400, "BadRequest", options.error().message);
    for (const char* field : {"uid", "resourceVersion"}) {
      const std::string wanted = options->TextAt({"preconditions", field});
      const std::string actual = object.TextAt({"metadata", field});
      if (!wanted.empty() && wanted != actual) {
        return StatusAnswer(
            409, "Conflict",
            fmt::format("Operation cannot be fulfilled on {} \"{}\": the {} in the "
                        "precondition ({}) does not match the {} in record ({})",
                        asked.resource->kind, asked.key.name, field, wanted, field, actual));
      }
    }
    if (options->Find("dryRun") != nullptr) return JsonAnswer(200, *stored->json);
  }
  if (HasNoFinalizer(object)) {
    const SharedText last = stored->json;
    store_.Erase(asked.resource, asked.key);
    return JsonAnswer(200, *last);
  }
  JsonTree& metadata = object["metadata"];
  if (metadata.Find("deletionTimestamp") == nullptr) {
    metadata["deletionTimestamp"] = metadata["creationTimestamp"];
    return JsonAnswer(200, *store_.Write(asked.resource, asked.key, object).json);
  }
  return JsonAnswer(200, *stored->json);
}

net::Response FakeApiRoutes::Commit(const net::Request& request, const Asked& asked,
                                    const JsonTree& object, int code) {
  if (!net::QueryParameter(request.target, "dryRun").empty()) {
    return JsonAnswer(code, object.ToJson());
  }
  const bool is_ending = !object.TextAt({"metadata", "deletionTimestamp"}).empty();
  const SharedText written = store_.Write(asked.resource, asked.key, object).json;
  if (is_ending && HasNoFinalizer(object)) store_.Erase(asked.resource, asked.key);
  return JsonAnswer(code, *written);
}

}  // namespace tracekeeper::test_support
