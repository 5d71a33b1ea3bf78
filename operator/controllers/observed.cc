#include "operator/controllers/observed.h"

#include <algorithm>

#include "operator/domain/names.h"
#include "src/config/sidecar_config.h"
#include "src/crypto/digest.h"

namespace tracekeeper::controllers {

ObservedPodProjection::ObservedPodProjection()
    : projection_(
          {std::string(domain::kPolicyAnnotation), std::string(domain::kDigestAnnotation)}) {}

Result<ObservedPod> ObservedPodProjection::operator()(codec::JsonValue pod) const {
  ObservedPod result;
  result.pod_ = TRY(projection_(pod));
  const domain::PodProjection injection = domain::ProjectPod(pod);
  result.skip_ = injection.skip;
  result.ended_ = injection.ended;
  result.has_controller_ = injection.has_controller;
  return result;
}

std::vector<domain::Label> ObservedPod::Labels() const {
  std::vector<domain::Label> labels;
  labels.reserve(pod_.label_pairs().size());
  for (const runtime::Pod::Pair& pair : pod_.label_pairs()) {
    labels.push_back({pair.key.view(), pair.value.view()});
  }
  return labels;
}

domain::PodProjection ObservedPod::Injection() const {
  return {.policy = pod_.Annotation(domain::kPolicyAnnotation).value_or(""),
          .digest = pod_.Annotation(domain::kDigestAnnotation).value_or(""),
          .skip = skip_,
          .ended = ended_,
          .has_controller = has_controller_};
}

bool ObservedPod::CountsAs(const ObservedPod& other) const {
  const auto same_label = [](const domain::Label& a, const domain::Label& b) {
    return a.key == b.key && a.value == b.value;
  };
  const domain::PodProjection mine = Injection();
  const domain::PodProjection theirs = other.Injection();
  return mine.policy == theirs.policy && mine.digest == theirs.digest && mine.skip == theirs.skip &&
         mine.ended == theirs.ended && std::ranges::equal(Labels(), other.Labels(), same_label);
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
