#include "tests/support/fake_api_routes.h"

#include <fmt/core.h>

#include <charconv>

#include "src/codec/json_writer.h"
#include "tests/support/fake_selectors.h"

namespace tracekeeper::test_support {
namespace {

std::vector<std::string> SplitPath(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    parts.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return parts;
}

std::int64_t NumberOf(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

net::Response JsonAnswer(int code, std::string body) {
  return {
      .status = code, .headers = {{"Content-Type", "application/json"}}, .body = std::move(body)};
}

net::Response NotFound(const Asked& asked) {
  return StatusAnswer(
      404, "NotFound",
      fmt::format("{} \"{}\" not found", asked.resource->QualifiedName(), asked.key.name));
}

bool Asked::Selects(const std::string& json) const {
  if (label_selector.empty() && field_selector.empty()) return true;
  codec::JsonParser parser;
  const auto object = parser.Parse(json);
  return object && MatchesLabels(label_selector, *object) && MatchesFields(field_selector, *object);
}

std::string Project(const std::string& json, bool metadata_only) {
  if (!metadata_only) return json;
  codec::JsonParser parser;
  const auto object = parser.Parse(json);
  if (!object) return json;
  codec::JsonWriter writer;
  writer.BeginObject()
      .Member("kind", "PartialObjectMetadata")
      .Member("apiVersion", "meta.k8s.io/v1")
      .Key("metadata");
  (*object)["metadata"].WriteTo(writer);
  writer.EndObject();
  return writer.Take();
}

net::Response StatusAnswer(int code, std::string_view reason, std::string_view message,
                           std::string_view details_json) {
  codec::JsonWriter json;
  json.BeginObject()
      .Member("kind", "Status")
      .Member("apiVersion", "v1")
      .Key("metadata")
      .Raw("{}")
      .Member("status", code < 300 ? "Success" : "Failure")
      .Member("message", message)
      .Member("reason", reason)
      .Key("details")
      .Raw(details_json)
      .Key("code")
      .Integer(code)
      .EndObject();
  return JsonAnswer(code, json.Take());
}

std::optional<Asked> FakeApiRoutes::Parse(const net::Request& request) const {
  std::vector<std::string> parts = SplitPath(net::PathOf(request.target));
  const bool is_core = !parts.empty() && parts[0] == "api";
  const std::size_t prefix = is_core ? 2 : 3;
  if (parts.size() <= prefix || (!is_core && parts[0] != "apis")) return std::nullopt;
  const std::string group = is_core ? "" : parts[1];
  const std::string& version = parts[prefix - 1];
  std::size_t at = prefix;
  Asked asked;
  if (parts.size() > at + 2 && parts[at] == "namespaces") {
    const auto* inner = store_.FindResource(group, version, parts[at + 2]);
    if (inner != nullptr) {
      asked.key.namespace_name = parts[at + 1];
      at += 2;
    }
  }
  asked.resource = store_.FindResource(group, version, parts[at]);
  if (asked.resource == nullptr) return std::nullopt;
  if (parts.size() > at + 1) asked.key.name = parts[at + 1];
  if (parts.size() > at + 2) asked.subresource = parts[at + 2];
  const std::string watch = net::QueryParameter(request.target, "watch");
  asked.is_watch = watch == "true" || watch == "1";
  asked.label_selector = net::QueryParameter(request.target, "labelSelector");
  asked.field_selector = net::QueryParameter(request.target, "fieldSelector");
  asked.resource_version = net::QueryParameter(request.target, "resourceVersion");
  return asked;
}

net::Response FakeApiRoutes::Answer(const net::Request& request) {
  if (auto answer = Discovery(request)) return std::move(*answer);
  const std::optional<Asked> asked = Parse(request);
  if (!asked) {
    return StatusAnswer(404, "NotFound", "the server could not find the requested resource");
  }
  if (!asked->key.name.empty()) return AnswerForObject(request, *asked);
  if (request.method == "GET") return List(request, *asked);
  if (request.method == "POST") return Create(request, *asked);
  return StatusAnswer(405, "MethodNotAllowed", "the server does not allow this method");
}

net::Response FakeApiRoutes::AnswerForObject(const net::Request& request, const Asked& asked) {
  if (request.method == "POST" && asked.subresource == "eviction") {
    if (!store_.Erase(asked.resource, asked.key)) return NotFound(asked);
    return StatusAnswer(201, "", "");
  }
  if (request.method == "PATCH") {
    const bool is_apply = request.headers.Get("Content-Type") == "application/apply-patch+yaml";
    return is_apply ? Apply(request, asked) : Patch(request, asked);
  }
  if (request.method == "DELETE") return Delete(request, asked);
  const StoredObject* found = store_.Find(asked.resource, asked.key);
  if (found == nullptr) return NotFound(asked);
  if (request.method == "GET") return JsonAnswer(200, *found->json);
  return StatusAnswer(405, "MethodNotAllowed", "the server does not allow this method");
}

net::Response FakeApiRoutes::List(const net::Request& request, const Asked& asked) const {
  const std::string_view accept = request.headers.Get("Accept");
  const bool metadata_only = accept.find("as=PartialObjectMetadataList") != std::string::npos;
  if (accept.find("as=PartialObjectMetadata;") != std::string::npos && !metadata_only) {
    return StatusAnswer(406, "NotAcceptable", "only the following media types are accepted: ...");
  }
  std::int64_t version = store_.version();
  if (NumberOf(asked.resource_version) > version) {
    return StatusAnswer(504, "Timeout", "Too large resource version",
                        R"({"causes":[{"reason":"ResourceVersionTooLarge","message":"Too large )"
                        R"(resource version"}],"retryAfterSeconds":1})");
  }
  const bool is_from_cache = asked.resource_version == "0";
  const std::int64_t limit =
      is_from_cache ? 0 : NumberOf(net::QueryParameter(request.target, "limit"));
  // A continue token: VERSION:NAMESPACE/NAME of the last object that was sent.
  const std::string token = net::QueryParameter(request.target, "continue");
  std::string after;
  if (!token.empty()) {
    version = NumberOf(token);
    after = token.substr(token.find(':') + 1);
    if (version < store_.compacted()) {
      return StatusAnswer(410, "Expired",
                          "The provided continue parameter is too old to display a consistent "
                          "list result.");
    }
  }
  std::string items;
  std::string next;
  std::int64_t count = 0;
  std::string last;
  for (const auto& [key, object] : store_.objects(asked.resource)) {
    const std::string name = key.namespace_name + "/" + key.name;
    const bool is_elsewhere =
        !asked.key.namespace_name.empty() && key.namespace_name != asked.key.namespace_name;
    if (is_elsewhere || (!after.empty() && name <= after) || !asked.Selects(*object.json)) continue;
    if (limit > 0 && count == limit) {
      next = fmt::format("{}:{}", version, last);
      break;
    }
    if (count++ > 0) items += ',';
    items += Project(*object.json, metadata_only);
    last = name;
  }
  codec::JsonWriter json;
  json.BeginObject()
      .Member("kind", metadata_only ? "PartialObjectMetadataList"
                                    : fmt::format("{}List", asked.resource->kind))
      .Member("apiVersion", asked.resource->ApiVersion())
      .Key("metadata")
      .BeginObject()
      .Member("resourceVersion", std::to_string(version));
  if (!next.empty()) json.Member("continue", next);
  json.EndObject().Key("items").Raw("[" + items + "]").EndObject();
  return JsonAnswer(200, json.Take());
}

std::optional<net::Response> FakeApiRoutes::Discovery(const net::Request& request) const {
  const std::string_view path = net::PathOf(request.target);
  if (path == "/version") {
    return JsonAnswer(200, R"({"major":"1","minor":"34","gitVersion":"v1.34.4"})");
  }
  if (path == kube::kSelfSubjectAccessReviews.CollectionPath()) {
    return JsonAnswer(201, R"({"kind":"SelfSubjectAccessReview","status":{"allowed":true}})");
  }
  const std::vector<std::string> parts = SplitPath(path);
  const bool is_core = parts.size() == 2 && parts[0] == "api";
  const bool is_group = parts.size() == 3 && parts[0] == "apis";
  if (!is_core && !is_group) return std::nullopt;
  const auto resources = store_.ResourcesOf(is_core ? "" : parts[1], parts.back());
  if (resources.empty()) return std::nullopt;
  codec::JsonWriter json;
  json.BeginObject().Member("kind", "APIResourceList").Key("resources").BeginArray();
  for (const kube::Resource* resource : resources) {
    json.BeginObject()
        .Member("name", resource->plural)
        .Member("kind", resource->kind)
        .Key("namespaced")
        .Bool(resource->scope == kube::Scope::kNamespaced)
        .EndObject();
  }
  json.EndArray().EndObject();
  return JsonAnswer(200, json.Take());
}

}  // namespace tracekeeper::test_support
