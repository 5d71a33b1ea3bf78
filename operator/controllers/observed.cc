#include "operator/controllers/observed.h"

#include "operator/domain/names.h"
#include "src/config/sidecar_config.h"
#include "src/crypto/digest.h"

namespace tracekeeper::controllers {

Result<ObservedPod> ObservedPod::From(const codec::JsonValue& pod) {
  ObservedPod result;
  result.key_ = TRY(kube::DecodeKey(pod));
  for (const auto [key, value] : pod["metadata"]["labels"].Members()) {
    result.packed_labels_.append(key).push_back('\0');
    result.packed_labels_.append(value.StringOr("")).push_back('\0');
  }
  result.packed_labels_.shrink_to_fit();
  const domain::PodProjection injection = domain::ProjectPod(pod);
  result.policy_ = injection.policy;
  result.digest_ = injection.digest;
  result.skip_ = injection.skip;
  result.ended_ = injection.ended;
  result.has_controller_ = injection.has_controller;
  return result;
}

std::vector<domain::Label> ObservedPod::Labels() const {
  std::vector<domain::Label> labels;
  std::string_view rest = packed_labels_;
  const auto next = [&rest] {
    const std::size_t end = rest.find('\0');
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return text;
  };
  while (!rest.empty()) {
    const std::string_view key = next();
    labels.push_back({key, next()});
  }
  return labels;
}

domain::PodProjection ObservedPod::Injection() const {
  return {.policy = policy_,
          .digest = digest_,
          .skip = skip_,
          .ended = ended_,
          .has_controller = has_controller_};
}

bool ObservedPod::CountsAs(const ObservedPod& other) const {
  return packed_labels_ == other.packed_labels_ && policy_ == other.policy_ &&
         digest_ == other.digest_ && skip_ == other.skip_ && ended_ == other.ended_;
}

Result<ObservedNode> ObservedNode::From(const codec::JsonValue& node) {
  ObservedNode result;
  result.meta.key = TRY(kube::DecodeKey(node));
  result.kubelet_version = node["status"]["nodeInfo"]["kubeletVersion"].StringOr("");
  return result;
}

Result<ObservedConfigMap> ObservedConfigMap::From(const codec::JsonValue& config_map) {
  ObservedConfigMap result;
  result.meta = TRY(ObservedMeta(config_map));
  result.content_digest =
      crypto::Sha256Hex(config_map["data"][config::kSidecarConfigKey].StringOr(""));
  return result;
}

std::string_view ObservedConfigMap::policy_uid() const {
  const auto uid = meta.labels.find(domain::kPolicyUidLabel);
  return uid == meta.labels.end() ? std::string_view() : std::string_view(uid->second);
}

Result<ObservedWebhook> ObservedWebhook::From(const codec::JsonValue& configuration) {
  ObservedWebhook result;
  result.meta = TRY(ObservedMeta(configuration));
  for (const codec::JsonValue webhook : configuration["webhooks"].Elements()) {
    for (const codec::JsonValue expression :
         webhook["namespaceSelector"]["matchExpressions"].Elements()) {
      if (expression["operator"].StringOr("") != "In") continue;
      for (const codec::JsonValue name : expression["values"].Elements()) {
        result.namespaces.emplace_back(name.StringOr(""));
      }
    }
  }
  return result;
}

Result<kube::ObjectMeta> ObservedMeta(const codec::JsonValue& object) {
  return kube::DecodeMeta(object);
}

}  // namespace tracekeeper::controllers
