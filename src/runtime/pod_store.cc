#include "src/runtime/pod_store.h"

#include <algorithm>

#include "src/kube/timestamp.h"

namespace tracekeeper::runtime {
namespace {

using codec::JsonValue;

struct PhaseName {
  PodPhase phase;
  std::string_view name;
};
constexpr PhaseName kPhases[] = {
    {PodPhase::kPending, "Pending"},     {PodPhase::kRunning, "Running"},
    {PodPhase::kSucceeded, "Succeeded"}, {PodPhase::kFailed, "Failed"},
    {PodPhase::kUnknown, "Unknown"},
};

PodPhase ParsePhase(std::string_view text) {
  for (const PhaseName& phase : kPhases) {
    if (phase.name == text) return phase.phase;
  }
  return PodPhase::kUnknown;
}

bool IsReady(JsonValue conditions) {
  for (const JsonValue condition : conditions.Elements()) {
    if (condition["type"].StringOr("") == "Ready")
      return condition["status"].StringOr("") == "True";
  }
  return false;
}

JsonValue ControllerOf(JsonValue owners) {
  for (const JsonValue owner : owners.Elements()) {
    if (owner["controller"].BoolOr(false)) return owner;
  }
  return {};
}

std::optional<std::string_view> ValueOf(const std::vector<Pod::Pair>& pairs, std::string_view key) {
  const auto found = std::lower_bound(
      pairs.begin(), pairs.end(), key,
      [](const Pod::Pair& pair, std::string_view wanted) { return pair.key.view() < wanted; });
  if (found == pairs.end() || found->key.view() != key) return std::nullopt;
  return found->value.view();
}

std::vector<Pod::Pair> Sorted(std::vector<Pod::Pair> pairs) {
  std::sort(pairs.begin(), pairs.end(), [](const Pod::Pair& left, const Pod::Pair& right) {
    return left.key.view() < right.key.view();
  });
  return pairs;
}

}  // namespace

std::string_view NameOf(PodPhase phase) {
  for (const PhaseName& known : kPhases) {
    if (known.phase == phase) return known.name;
  }
  return "Unknown";
}

kube::ObjectKey Pod::key() const { return {std::string(namespace_name()), name_}; }

bool Pod::finished() const { return phase_ == PodPhase::kSucceeded || phase_ == PodPhase::kFailed; }

std::optional<std::string_view> Pod::Label(std::string_view key) const {
  return ValueOf(labels_, key);
}

std::optional<std::string_view> Pod::Annotation(std::string_view key) const {
  return ValueOf(annotations_, key);
}

kube::StringMap Pod::Labels() const {
  kube::StringMap labels;
  for (const Pair& pair : labels_) labels.emplace(pair.key.view(), pair.value.view());
  return labels;
}

PodProjection::PodProjection(std::vector<std::string> annotations)
    : annotations_(std::move(annotations)), strings_(std::make_shared<InternTable>()) {}

std::vector<Pod::Pair> PodProjection::Labels(JsonValue labels) const {
  std::vector<Pod::Pair> pairs;
  pairs.reserve(labels.size());
  for (const auto& [key, value] : labels.Members()) {
    if (!value.is_string()) continue;
    pairs.push_back({strings_->Intern(key), strings_->Intern(value.StringOr(""))});
  }
  return Sorted(std::move(pairs));
}

std::vector<Pod::Pair> PodProjection::Annotations(JsonValue annotations) const {
  std::vector<Pod::Pair> pairs;
  for (const std::string& key : annotations_) {
    const auto value = annotations[key].String();
    if (value) pairs.push_back({strings_->Intern(key), strings_->Intern(*value)});
  }
  pairs.shrink_to_fit();
  return Sorted(std::move(pairs));
}

Result<Pod> PodProjection::operator()(JsonValue object) const {
  const JsonValue meta = object["metadata"];
  const JsonValue spec = object["spec"];
  const JsonValue status = object["status"];
  Pod pod;
  pod.name_ = meta["name"].StringOr("");
  if (pod.name_.empty()) return Fail(ErrorKind::kDecode, "a pod without metadata.name");
  pod.namespace_ = strings_->Intern(meta["namespace"].StringOr(""));
  pod.uid_ = ParseUid(meta["uid"].StringOr(""));
  pod.labels_ = Labels(meta["labels"]);
  pod.annotations_ = Annotations(meta["annotations"]);
  pod.being_deleted_ = meta["deletionTimestamp"].is_string();
  if (const auto created = kube::ParseTimestamp(meta["creationTimestamp"].StringOr(""))) {
    pod.created_ =
        std::chrono::duration_cast<std::chrono::seconds>(created->time_since_epoch()).count();
  }
  const JsonValue owner = ControllerOf(meta["ownerReferences"]);
  pod.owner_kind_ = strings_->Intern(owner["kind"].StringOr(""));
  pod.owner_name_ = strings_->Intern(owner["name"].StringOr(""));
  pod.owner_uid_ = ParseUid(owner["uid"].StringOr(""));
  pod.node_ = strings_->Intern(spec["nodeName"].StringOr(""));
  pod.phase_ = ParsePhase(status["phase"].StringOr(""));
  pod.ready_ = IsReady(status["conditions"]);
  return pod;
}

PodIndexes AddPodIndexes(Store<Pod>& store) {
  using Values = std::vector<std::string>;
  return {
      .by_namespace =
          store.AddIndex([](const Pod& pod) { return Values{std::string(pod.namespace_name())}; }),
      .by_node = store.AddIndex([](const Pod& pod) {
        return pod.node().empty() ? Values{} : Values{std::string(pod.node())};
      }),
      .by_owner = store.AddIndex([](const Pod& pod) {
        return pod.owner_uid().empty() ? Values{} : Values{std::string(pod.owner_uid().view())};
      }),
  };
}

}  // namespace tracekeeper::runtime
