#include "tests/support/fake_object_store.h"

#include <fmt/core.h>

#include <algorithm>

#include "src/kube/timestamp.h"

namespace tracekeeper::test_support {
namespace {

/// Everything but metadata and status: what a generation counts.
JsonTree SpecOf(const JsonTree& object) {
  JsonTree rest = object;
  rest.Erase("metadata");
  rest.Erase("status");
  return rest;
}

}  // namespace

FakeObjectStore::FakeObjectStore(const Clock& clock) : clock_(clock) {
  for (const kube::Resource& resource :
       {kube::kPods, kube::kNamespaces, kube::kNodes, kube::kServices, kube::kConfigMaps,
        kube::kSecrets, kube::kServiceAccounts, kube::kDeployments, kube::kReplicaSets,
        kube::kStatefulSets, kube::kDaemonSets, kube::kJobs, kube::kLeases, kube::kEvents,
        kube::kClusterRoles, kube::kMutatingWebhookConfigurations,
        kube::kCustomResourceDefinitions}) {
    Serve(resource);
  }
}

const kube::Resource* FakeObjectStore::Serve(const kube::Resource& resource) {
  if (const auto* known = FindResource(resource.group, resource.version, resource.plural)) {
    return known;
  }
  const auto keep = [this](std::string_view text) -> std::string_view {
    return texts_.emplace_back(text);
  };
  return &resources_.emplace_back(kube::Resource{keep(resource.group), keep(resource.version),
                                                 keep(resource.plural), keep(resource.kind),
                                                 resource.scope});
}

const kube::Resource* FakeObjectStore::FindResource(std::string_view group,
                                                    std::string_view version,
                                                    std::string_view plural) const {
  for (const kube::Resource& resource : resources_) {
    if (resource.group == group && resource.version == version && resource.plural == plural) {
      return &resource;
    }
  }
  return nullptr;
}

std::vector<const kube::Resource*> FakeObjectStore::ResourcesOf(std::string_view group,
                                                                std::string_view version) const {
  std::vector<const kube::Resource*> found;
  for (const kube::Resource& resource : resources_) {
    if (resource.group == group && resource.version == version) found.push_back(&resource);
  }
  return found;
}

const FakeObjectStore::Objects& FakeObjectStore::objects(const kube::Resource* resource) const {
  static const Objects none;
  const auto found = objects_.find(resource);
  return found == objects_.end() ? none : found->second;
}

StoredObject* FakeObjectStore::Find(const kube::Resource* resource, const kube::ObjectKey& key) {
  Objects& objects = objects_[resource];
  const auto found = objects.find(key);
  return found == objects.end() ? nullptr : &found->second;
}

StoredObject& FakeObjectStore::Write(const kube::Resource* resource, const kube::ObjectKey& key,
                                     JsonTree object) {
  StoredObject* known = Find(resource, key);
  object["apiVersion"] = JsonTree::FromText(resource->ApiVersion());
  object["kind"] = JsonTree::FromText(std::string(resource->kind));
  JsonTree& metadata = object["metadata"];
  metadata["name"] = JsonTree::FromText(key.name);
  if (!key.namespace_name.empty()) {
    metadata["namespace"] = JsonTree::FromText(key.namespace_name);
  }
  const bool has_generation = object.Find("spec") != nullptr;
  if (known == nullptr) {
    metadata["uid"] =
        JsonTree::FromText(fmt::format("00000000-0000-4000-8000-{:012x}", next_uid_++));
    metadata["creationTimestamp"] = JsonTree::FromText(kube::FormatTimestamp(clock_.Now()));
    if (has_generation) metadata["generation"] = JsonTree::FromInteger(1);
  } else {
    const JsonTree before = *JsonTree::Parse(*known->json);
    for (const char* field : {"uid", "creationTimestamp", "generation", "resourceVersion"}) {
      const JsonTree* value = before.Find("metadata")->Find(field);
      if (value != nullptr) metadata[field] = *value;
    }
    if (object == before) return *known;
    if (has_generation && !(SpecOf(object) == SpecOf(before))) {
      const auto generation = std::stoll("0" + before.TextAt({"metadata", "generation"}));
      metadata["generation"] = JsonTree::FromInteger(generation + 1);
    }
  }
  ++version_;
  metadata["resourceVersion"] = JsonTree::FromText(std::to_string(version_));
  StoredObject& stored = objects_[resource][key];
  const SharedText previous = stored.json;
  stored.json = std::make_shared<const std::string>(object.ToJson());
  stored.version = version_;
  changes_.push_back(
      {version_, known == nullptr ? kube::WatchEventType::kAdded : kube::WatchEventType::kModified,
       resource, key, stored.json, previous});
  return stored;
}

bool FakeObjectStore::Erase(const kube::Resource* resource, const kube::ObjectKey& key) {
  StoredObject* known = Find(resource, key);
  if (known == nullptr) return false;
  ++version_;
  JsonTree last = *JsonTree::Parse(*known->json);
  last["metadata"]["resourceVersion"] = JsonTree::FromText(std::to_string(version_));
  changes_.push_back({version_, kube::WatchEventType::kDeleted, resource, key,
                      std::make_shared<const std::string>(last.ToJson()), known->json});
  objects_[resource].erase(key);
  return true;
}

void FakeObjectStore::Compact() {
  // As etcd: the newest version itself stays readable.
  compacted_ = version_;
  changes_.clear();
}

const Change* FakeObjectStore::After(std::int64_t version) const {
  const auto found =
      std::upper_bound(changes_.begin(), changes_.end(), version,
                       [](std::int64_t v, const Change& change) { return v < change.version; });
  return found == changes_.end() ? nullptr : &*found;
}

}  // namespace tracekeeper::test_support
