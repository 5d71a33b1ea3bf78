#include "operator/domain/resource_attributes.h"

#include <algorithm>
#include <utility>

#include "operator/domain/image_reference.h"
#include "operator/domain/names.h"
#include "operator/domain/workload.h"

namespace tracekeeper::domain {
namespace {

constexpr std::string_view kAnnotationPrefix = "resource.opentelemetry.io/";
constexpr std::string_view kPolicyAttribute = "tracekeeper.policy";

/// W3C baggage-octet without '%' and '=', which the variable's own format needs.
bool IsPlainInAttribute(unsigned char c) {
  if (c <= 0x20 || c >= 0x7f) return false;
  return c != '"' && c != ',' && c != ';' && c != '\\' && c != '%' && c != '=';
}

bool StartsReference(std::string_view text, std::size_t at) {
  return text[at] == '$' && at + 1 < text.size() && (text[at + 1] == '(' || text[at + 1] == '$');
}

std::string Reference(std::string_view variable) {
  return std::string("$(").append(variable).append(")");
}

std::string_view FirstOf(std::initializer_list<std::string_view> candidates) {
  for (const std::string_view candidate : candidates) {
    if (!candidate.empty()) return candidate;
  }
  return {};
}

std::string ServiceNameOf(const PodView& pod, const Workload& workload,
                          std::string_view annotated) {
  const std::string_view name =
      FirstOf({annotated, FindLabel(pod.labels, "app.kubernetes.io/instance"),
               FindLabel(pod.labels, "app.kubernetes.io/name"), workload.deployment,
               workload.rollout, workload.replicaset, workload.statefulset, workload.daemonset,
               workload.cronjob, workload.job, workload.other, pod.name});
  return name.empty() ? Reference(kPodNameVariable) : EscapeReferences(name);
}

void AppendPair(std::string& text, std::string_view key, std::string_view value) {
  if (!text.empty()) text.push_back(',');
  text.append(key).append("=").append(value);
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

struct UserAttribute {
  std::string_view key;
  std::string_view value;
};

/// Pairs as SDKs read them: up to the first '=', blanks around key and value are not part of them.
std::vector<UserAttribute> ReadUserAttributes(std::string_view text) {
  std::vector<UserAttribute> attributes;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view pair = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    attributes.push_back({Trim(pair.substr(0, equals)), Trim(pair.substr(equals + 1))});
  }
  return attributes;
}

/// The attributes that differ between containers, in order; an annotation's value comes before.
template <typename Visit>
void ForEachOfContainer(const PodIdentity& identity, const ContainerView& container,
                        const Visit& visit) {
  const std::string name = EncodeAttributeValue(container.name);
  const auto is_set = [&](std::string_view key) {
    return std::ranges::count(identity.attributes, key, &ResourceAttribute::key) > 0;
  };
  if (!is_set("k8s.container.name")) visit("k8s.container.name", std::string_view(name));
  const std::string version =
      identity.service_version.empty()
          ? EncodeAttributeValue(VersionOf(ParseImageReference(container.image)))
          : identity.service_version;
  if (!version.empty()) visit("service.version", std::string_view(version));
  const std::string instance = identity.service_instance_id.empty()
                                   ? identity.instance_prefix + name
                                   : identity.service_instance_id;
  visit("service.instance.id", std::string_view(instance));
}

/// Collects attributes; a later one of the same key is left out.
class Attributes {
 public:
  void Add(std::string_view key, std::string value) {
    if (value.empty() || std::ranges::count(list_, key, &ResourceAttribute::key) > 0) return;
    list_.push_back({key, std::move(value)});
  }
  void AddEncoded(std::string_view key, std::string_view value) {
    if (!value.empty()) Add(key, EncodeAttributeValue(value));
  }
  std::vector<ResourceAttribute> Take() { return std::move(list_); }
  void Reserve(std::size_t count) { list_.reserve(count); }

 private:
  std::vector<ResourceAttribute> list_;
};

void AddDerived(Attributes& attributes, const Workload& workload, std::string_view namespace_name) {
  attributes.AddEncoded("service.namespace", namespace_name);
  attributes.AddEncoded("k8s.namespace.name", namespace_name);
  attributes.Add("k8s.pod.name", Reference(kPodNameVariable));
  attributes.Add("k8s.pod.uid", Reference(kPodUidVariable));
  attributes.Add("k8s.node.name", Reference(kNodeNameVariable));
  attributes.AddEncoded("k8s.deployment.name", workload.deployment);
  attributes.AddEncoded("k8s.replicaset.name", workload.replicaset);
  attributes.AddEncoded("k8s.statefulset.name", workload.statefulset);
  attributes.AddEncoded("k8s.daemonset.name", workload.daemonset);
  attributes.AddEncoded("k8s.cronjob.name", workload.cronjob);
  attributes.AddEncoded("k8s.job.name", workload.job);
}

}  // namespace

std::string EscapeReferences(std::string_view value) {
  std::string escaped;
  escaped.reserve(value.size() + 2);
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (StartsReference(value, i)) escaped.push_back('$');
    escaped.push_back(value[i]);
  }
  return escaped;
}

std::string EncodeAttributeValue(std::string_view value) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(value.size() + 8);
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto byte = static_cast<unsigned char>(value[i]);
    if (IsPlainInAttribute(byte)) {
      if (StartsReference(value, i)) encoded.push_back('$');
      encoded.push_back(value[i]);
      continue;
    }
    encoded.push_back('%');
    encoded.push_back(kHex[byte >> 4U]);
    encoded.push_back(kHex[byte & 0xFU]);
  }
  return encoded;
}

PodIdentity IdentityOf(const PodView& pod, std::string_view namespace_name,
                       std::string_view policy_qualified_name) {
  const Workload workload = WorkloadOf(pod);
  PodIdentity identity;
  Attributes attributes;
  attributes.Reserve(16);
  attributes.AddEncoded(kPolicyAttribute, policy_qualified_name);

  std::string_view annotated_name;
  for (const auto& [key, value] : pod.annotations) {
    if (!key.starts_with(kAnnotationPrefix) || value.empty()) continue;
    const std::string_view attribute = key.substr(kAnnotationPrefix.size());
    if (attribute == "service.name") {
      annotated_name = value;
    } else if (attribute == "service.version") {
      identity.service_version = EncodeAttributeValue(value);
    } else if (attribute == "service.instance.id") {
      identity.service_instance_id = EncodeAttributeValue(value);
    } else if (!attribute.empty()) {
      attributes.AddEncoded(attribute, value);
    }
  }
  identity.service_name = ServiceNameOf(pod, workload, annotated_name);
  if (identity.service_version.empty()) {
    identity.service_version =
        EncodeAttributeValue(FindLabel(pod.labels, "app.kubernetes.io/version"));
  }
  AddDerived(attributes, workload, namespace_name);
  identity.attributes = attributes.Take();
  identity.joined.reserve(identity.attributes.size() * 40);
  for (const auto& [key, value] : identity.attributes) AppendPair(identity.joined, key, value);
  identity.instance_prefix =
      EncodeAttributeValue(namespace_name) + "." + Reference(kPodNameVariable) + ".";
  return identity;
}

std::string AttributesText(const PodIdentity& identity, const ContainerView& container) {
  std::string text;
  text.reserve(identity.joined.size() + 256);
  text = identity.joined;
  ForEachOfContainer(identity, container, [&](std::string_view key, std::string_view value) {
    AppendPair(text, key, value);
  });
  return text;
}

AttributeMerge MergeAttributes(const PodIdentity& identity, const ContainerView& container,
                               std::string_view user_value) {
  const std::vector<UserAttribute> user = ReadUserAttributes(user_value);
  AttributeMerge merge;
  merge.user_names_service = std::ranges::count(user, "service.name", &UserAttribute::key) > 0;
  const auto consider = [&](std::string_view key, std::string_view value) {
    const auto found = std::ranges::find(user, key, &UserAttribute::key);
    if (found == user.end()) {
      AppendPair(merge.appended, key, value);
    } else if (found->value != value) {
      merge.kept.push_back(key);
    }
  };
  for (const auto& [key, value] : identity.attributes) consider(key, value);
  ForEachOfContainer(identity, container, consider);

  const std::string_view trimmed = Trim(user_value);
  const bool needs_comma = !trimmed.empty() && !trimmed.ends_with(',');
  if (needs_comma && !merge.appended.empty()) merge.appended.insert(0, 1, ',');
  return merge;
}

}  // namespace tracekeeper::domain
