#include "operator/controllers/observed.h"

#include <fmt/format.h>

#include <algorithm>

#include "operator/domain/credential_marks.h"
#include "operator/domain/names.h"
#include "operator/domain/webhook_probe.h"
#include "src/config/sidecar_config.h"
#include "src/crypto/digest.h"

namespace tracekeeper::controllers {
namespace {

std::string TextOf(const runtime::Uid& uid) {
  if (uid.empty()) return {};
  std::string text;
  for (std::size_t i = 0; i < uid.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    fmt::format_to(std::back_inserter(text), "{:02x}", uid.bytes.at(i));
  }
  return text;
}

std::optional<domain::LabelSelector::Operator> OperatorOf(std::string_view name) {
  using enum domain::LabelSelector::Operator;
  if (name == "In") return kIn;
  if (name == "NotIn") return kNotIn;
  if (name == "Exists") return kExists;
  if (name == "DoesNotExist") return kDoesNotExist;
  return std::nullopt;
}

// Of a metav1.LabelSelector; an operator that is not known selects nothing.
std::optional<domain::LabelSelector> SelectorOf(const codec::JsonValue& selector) {
  if (!selector.is_object()) return std::nullopt;
  std::vector<domain::LabelSelector::Requirement> requirements;
  for (const auto& [key, value] : selector["matchLabels"].Members()) {
    requirements.push_back({std::string(key),
                            domain::LabelSelector::Operator::kIn,
                            {std::string(value.StringOr(""))}});
  }
  for (const codec::JsonValue expression : selector["matchExpressions"].Elements()) {
    const auto op = OperatorOf(expression["operator"].StringOr(""));
    if (!op) return std::nullopt;
    std::vector<std::string> values;
    for (const codec::JsonValue value : expression["values"].Elements()) {
      values.emplace_back(value.StringOr(""));
    }
    requirements.push_back({std::string(expression["key"].StringOr("")), *op, std::move(values)});
  }
  return domain::LabelSelector(std::move(requirements));
}

}  // namespace

ObservedPodProjection::ObservedPodProjection()
    : projection_({std::string(domain::kPolicyAnnotation), std::string(domain::kDigestAnnotation),
                   std::string(domain::kCredentialsAnnotation)}) {}

Result<ObservedPod> ObservedPodProjection::operator()(codec::JsonValue pod) const {
  ObservedPod result;
  result.pod_ = TRY(projection_(pod));
  result.injection_ = domain::ProjectPod(pod);
  result.address_ = pod["status"]["podIP"].StringOr("");
  result.is_injected_ = !result.injection_.policy.empty();
  result.injection_.policy = {};
  result.injection_.digest = {};
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
  domain::PodProjection injection = injection_;
  if (!is_injected_) return injection;
  injection.policy = pod_.Annotation(domain::kPolicyAnnotation).value_or("");
  injection.digest = pod_.Annotation(domain::kDigestAnnotation).value_or("");
  return injection;
}

std::string_view ObservedPod::CredentialMarks() const {
  return pod_.Annotation(domain::kCredentialsAnnotation).value_or("");
}

std::string ObservedPod::UidText() const { return TextOf(pod_.uid()); }

std::string ObservedPod::OwnerUidText() const { return TextOf(pod_.owner_uid()); }

bool ObservedPod::RenewsAs(const ObservedPod& other) const {
  return uid() == other.uid() && is_ready() == other.is_ready() &&
         is_ending() == other.is_ending() && CountsAs(other);
}

bool ObservedPod::CountsAs(const ObservedPod& other) const {
  const auto same_label = [](const domain::Label& a, const domain::Label& b) {
    return a.key == b.key && a.value == b.value;
  };
  return Injection() == other.Injection() &&
         std::ranges::equal(Labels(), other.Labels(), same_label);
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
    result.service_namespace = webhook["clientConfig"]["service"]["namespace"].StringOr("");
    if (webhook["name"].StringOr("") == domain::kProbeWebhook) continue;
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

Result<ObservedBudget> ObservedBudget::From(const codec::JsonValue& budget) {
  ObservedBudget result;
  result.key = TRY(kube::DecodeKey(budget));
  result.selector = SelectorOf(budget["spec"]["selector"]);
  result.disruptions_allowed = budget["status"]["disruptionsAllowed"].IntegerOr(0);
  result.is_current = budget["status"]["observedGeneration"].IntegerOr(0) >=
                      budget["metadata"]["generation"].IntegerOr(0);
  return result;
}

Result<ObservedReplica> ObservedReplica::From(const codec::JsonValue& pod) {
  ObservedReplica result;
  result.meta = TRY(ObservedMeta(pod));
  result.address = pod["status"]["podIP"].StringOr("");
  for (const codec::JsonValue condition : pod["status"]["conditions"].Elements()) {
    if (condition["type"].StringOr("") != "Ready") continue;
    result.is_ready = condition["status"].StringOr("") == "True";
  }
  return result;
}

Result<kube::ObjectMeta> ObservedMeta(const codec::JsonValue& object) {
  return kube::DecodeMeta(object);
}

}  // namespace tracekeeper::controllers
