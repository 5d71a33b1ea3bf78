#include "operator/controllers/config_maps.h"

#include <algorithm>

#include "operator/domain/names.h"
#include "src/crypto/digest.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kFieldManager = "tracekeeper";

// Collects what is to be deleted: uid as well, so that nobody's new object of that name is hit.
class Collected final : public kube::ListSink {
 public:
  struct Item {
    kube::ObjectKey key;
    std::string uid;
  };
  void OnRestart() override { items.clear(); }
  Status OnObject(codec::JsonValue object) override {
    const kube::ObjectMeta meta = TRY(kube::DecodeMeta(object));
    items.push_back({meta.key, meta.uid});
    return {};
  }
  void OnBrokenObject(const Error& /*error*/) override {}

  std::vector<Item> items;
};

Status NotFoundIsFine(Status status) {
  if (!status && status.error().kind == ErrorKind::kNotFound) return {};
  return status;
}

}  // namespace

Status ConfigMaps::Ensure(const domain::PolicyCompilation& compilation,
                          const std::string& namespace_name, const StopToken& stop) {
  const domain::ConfigMapContent& content = compilation.config_map;
  const kube::ObjectKey key{namespace_name, content.name};
  const auto seen = store_.Find(key);
  if (seen != nullptr && seen->policy_uid() == compilation.policy->uid &&
      seen->content_digest == crypto::Sha256Hex(content.text)) {
    return {};
  }
  const std::string json = domain::ConfigMapJson(content, *compilation.policy, namespace_name);
  TRY(client_.Apply(kube::kConfigMaps, key, json,
                    {.field_manager = std::string(kFieldManager), .force = kube::Force::kYes},
                    stop));
  return {};
}

Status ConfigMaps::RemoveStale(const domain::CompiledPolicy& policy,
                               const std::vector<std::string>& namespaces, const StopToken& stop) {
  for (const auto& found : store_.Lookup(by_policy_uid_, policy.uid)) {
    const kube::ObjectMeta& meta = found->meta;
    const bool wanted = meta.key.name == policy.config_map_name &&
                        std::ranges::find(namespaces, meta.key.namespace_name) != namespaces.end();
    if (!wanted) TRY(Remove(meta.key, meta.uid, stop));
  }
  return {};
}

Status ConfigMaps::RemoveAll(const std::string& policy_uid, const StopToken& stop) {
  Collected collected;
  kube::ListOptions options;
  options.selection.label_selector = fmt::format("{}={}", domain::kPolicyUidLabel, policy_uid);
  options.selection.projection = kube::Projection::kMetadataOnly;
  TRY(client_.List(kube::kConfigMaps, options, collected, stop));
  for (const Collected::Item& item : collected.items) TRY(Remove(item.key, item.uid, stop));
  return {};
}

Status ConfigMaps::Remove(const kube::ObjectKey& key, const std::string& uid,
                          const StopToken& stop) {
  return NotFoundIsFine(client_.Delete(kube::kConfigMaps, key, {.uid = uid}, stop));
}

}  // namespace tracekeeper::controllers
