#include "src/kube/requests.h"

#include <fmt/core.h>

#include "src/codec/json_writer.h"

namespace tracekeeper::kube {
namespace {

/// Builds "?a=b&c=d", leaving out what is empty.
class Query {
 public:
  Query& Add(std::string_view name, std::string_view value) {
    if (value.empty()) return *this;
    text_ += text_.empty() ? '?' : '&';
    text_ += name;
    text_ += '=';
    text_ += net::PercentEncode(value);
    return *this;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string_view TextOf(DryRun dry_run) { return dry_run == DryRun::kYes ? "All" : ""; }

std::string WhatOf(std::string_view verb, const Resource& resource, const ObjectKey& key,
                   std::string_view subresource = {}) {
  if (subresource.empty())
    return fmt::format("{} {} {}", verb, resource.QualifiedName(), key.ToString());
  return fmt::format("{} {} of {} {}", verb, subresource, resource.QualifiedName(), key.ToString());
}

std::string WhatOf(std::string_view verb, const Resource& resource, const Selection& selection) {
  if (selection.namespace_name.empty()) return fmt::format("{} {}", verb, resource.QualifiedName());
  return fmt::format("{} {} in namespace {}", verb, resource.QualifiedName(),
                     selection.namespace_name);
}

/// A list of metadata is asked for as ...List, a watch of it without: the reverse is refused (406)
/// or answered with nothing. Servers that know no projection send whole objects.
std::string_view AcceptOfList(Projection projection) {
  if (projection == Projection::kWholeObject) return "application/json";
  return "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";
}

std::string_view AcceptOfWatch(Projection projection) {
  if (projection == Projection::kWholeObject) return "application/json";
  return "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json";
}

std::string_view NameOf(VersionMatch match) {
  switch (match) {
    case VersionMatch::kUnset:
      return "";
    case VersionMatch::kNotOlderThan:
      return "NotOlderThan";
    case VersionMatch::kExact:
      return "Exact";
  }
  return "";
}

ApiCall WriteCall(std::string method, std::string target, std::string_view content_type,
                  std::string_view body, std::string what, Repeat repeat) {
  ApiCall call;
  call.request.method = std::move(method);
  call.request.target = std::move(target);
  call.request.headers.Set("Accept", "application/json");
  call.request.headers.Set("Content-Type", content_type);
  call.request.body = body;
  call.what = std::move(what);
  call.repeat = repeat;
  return call;
}

/// Unknown and duplicate fields are an error of ours that must not pass in silence.
std::string WriteQuery(const WriteOptions& options) {
  return Query()
      .Add("fieldManager", options.field_manager)
      .Add("fieldValidation", "Strict")
      .Add("dryRun", TextOf(options.dry_run))
      .text();
}

}  // namespace

ApiCall GetCall(const Resource& resource, const ObjectKey& key) {
  ApiCall call;
  call.request.target = resource.ObjectPath(key);
  call.request.headers.Set("Accept", "application/json");
  call.what = WhatOf("get", resource, key);
  call.repeat = Repeat::kSafe;
  return call;
}

ApiCall ListCall(const Resource& resource, const ListOptions& options,
                 std::string_view continue_token) {
  const Selection& selection = options.selection;
  Query query;
  query.Add("labelSelector", selection.label_selector)
      .Add("fieldSelector", selection.field_selector);
  // A continue token carries its version; a limit beside any other version than "0" would make the
  // server go past its watch cache.
  const bool is_paged = options.resource_version.empty() || options.resource_version == "0";
  if (options.page_size > 0 && is_paged) query.Add("limit", std::to_string(options.page_size));
  if (continue_token.empty()) {
    query.Add("resourceVersion", options.resource_version)
        .Add("resourceVersionMatch", NameOf(options.match));
  } else {
    query.Add("continue", continue_token);
  }
  ApiCall call;
  call.request.target = resource.CollectionPath(selection.namespace_name) + query.text();
  call.request.headers.Set("Accept", AcceptOfList(selection.projection));
  call.what = WhatOf("list", resource, selection);
  call.repeat = Repeat::kSafe;
  return call;
}

ApiCall WatchCall(const Resource& resource, const WatchOptions& options) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options.timeout).count();
  Query query;
  query.Add("watch", "true")
      .Add("allowWatchBookmarks", "true")
      .Add("timeoutSeconds", std::to_string(std::max<std::int64_t>(seconds, 1)))
      .Add("labelSelector", options.selection.label_selector)
      .Add("fieldSelector", options.selection.field_selector)
      .Add("resourceVersion", options.resource_version);
  if (options.send_initial_events) {
    query.Add("sendInitialEvents", "true").Add("resourceVersionMatch", "NotOlderThan");
  }
  ApiCall call;
  call.request.target = resource.CollectionPath(options.selection.namespace_name) + query.text();
  call.request.headers.Set("Accept", AcceptOfWatch(options.selection.projection));
  call.what = WhatOf("watch", resource, options.selection);
  return call;
}

ApiCall ApplyCall(const Resource& resource, const ObjectKey& key, std::string_view json,
                  const ApplyOptions& options) {
  const std::string query = Query()
                                .Add("fieldManager", options.field_manager)
                                .Add("force", options.force == Force::kYes ? "true" : "")
                                .Add("fieldValidation", "Strict")
                                .Add("dryRun", TextOf(options.dry_run))
                                .text();
  return WriteCall("PATCH", resource.ObjectPath(key, options.subresource) + query,
                   "application/apply-patch+yaml", json,
                   WhatOf("apply", resource, key, options.subresource), Repeat::kSafe);
}

ApiCall JsonPatchCall(const Resource& resource, const ObjectKey& key, std::string_view json,
                      const WriteOptions& options) {
  return WriteCall("PATCH", resource.ObjectPath(key, options.subresource) + WriteQuery(options),
                   "application/json-patch+json", json,
                   WhatOf("patch", resource, key, options.subresource), Repeat::kWhenRefused);
}

ApiCall MergePatchCall(const Resource& resource, const ObjectKey& key, std::string_view json,
                       const WriteOptions& options) {
  return WriteCall("PATCH", resource.ObjectPath(key, options.subresource) + WriteQuery(options),
                   "application/merge-patch+json", json,
                   WhatOf("patch", resource, key, options.subresource), Repeat::kWhenRefused);
}

ApiCall CreateCall(const Resource& resource, std::string_view namespace_name, std::string_view json,
                   const WriteOptions& options) {
  return WriteCall(
      "POST", resource.CollectionPath(namespace_name) + WriteQuery(options), "application/json",
      json, WhatOf("create", resource, Selection{.namespace_name = std::string(namespace_name)}),
      Repeat::kWhenRefused);
}

ApiCall DeleteCall(const Resource& resource, const ObjectKey& key, const DeleteOptions& options) {
  codec::JsonWriter json;
  json.BeginObject().Member("kind", "DeleteOptions").Member("apiVersion", "v1");
  if (!options.propagation.empty()) json.Member("propagationPolicy", options.propagation);
  if (options.dry_run == DryRun::kYes) json.Key("dryRun").BeginArray().String("All").EndArray();
  if (!options.uid.empty() || !options.resource_version.empty()) {
    json.Key("preconditions").BeginObject();
    if (!options.uid.empty()) json.Member("uid", options.uid);
    if (!options.resource_version.empty()) json.Member("resourceVersion", options.resource_version);
    json.EndObject();
  }
  json.EndObject();
  // Without the uid, a second try could hit a newer object of the same name.
  const Repeat repeat = options.uid.empty() ? Repeat::kWhenRefused : Repeat::kSafe;
  return WriteCall("DELETE", resource.ObjectPath(key), "application/json", json.text(),
                   WhatOf("delete", resource, key), repeat);
}

ApiCall FromRaw(const RawCall& call) {
  ApiCall api_call;
  api_call.request.method = call.method;
  api_call.request.target = call.target;
  api_call.request.headers.Set("Accept", call.accept);
  if (!call.content_type.empty()) api_call.request.headers.Set("Content-Type", call.content_type);
  api_call.request.body = call.body;
  api_call.what = call.what;
  api_call.repeat = call.repeat;
  return api_call;
}

}  // namespace tracekeeper::kube
