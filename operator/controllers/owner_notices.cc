#include "operator/controllers/owner_notices.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

namespace tracekeeper::controllers {
namespace {

// Owners of pods; the cache keeps an owner's kind and not its version.
constexpr std::array kOwnerVersions = {
    std::pair<std::string_view, std::string_view>{"ReplicaSet", "apps/v1"},
    std::pair<std::string_view, std::string_view>{"StatefulSet", "apps/v1"},
    std::pair<std::string_view, std::string_view>{"DaemonSet", "apps/v1"},
    std::pair<std::string_view, std::string_view>{"Job", "batch/v1"},
    std::pair<std::string_view, std::string_view>{"ReplicationController", "v1"}};

std::optional<kube::ObjectReference> WhomToTell(const ObservedPod& pod) {
  const domain::PodOwner owner = pod.owner();
  const std::string namespace_name(pod.namespace_name());
  if (owner.kind.empty()) {
    return kube::ObjectReference{"v1", "Pod", pod.key(), pod.UidText(), ""};
  }
  for (const auto& [kind, version] : kOwnerVersions) {
    if (kind != owner.kind) continue;
    return kube::ObjectReference{std::string(version),
                                 std::string(kind),
                                 {namespace_name, std::string(owner.name)},
                                 pod.OwnerUidText(),
                                 ""};
  }
  return std::nullopt;
}

}  // namespace

OwnerNotices::Look::Look(OwnerNotices& notices, const kube::ObjectKey& policy, Instant now)
    : notices_(notices), policy_(policy), now_(now) {
  const std::scoped_lock lock(notices_.mutex_);
  before_ = notices_.told_[policy_];
}

OwnerNotices::Look::~Look() {
  const std::scoped_lock lock(notices_.mutex_);
  notices_.told_[policy_] = std::move(seen_);
}

void OwnerNotices::Look::Note(const ObservedPod& pod, domain::Reason reason) {
  const domain::PodOwner owner = pod.owner();
  std::string id =
      fmt::format("{}/{}/{}/{}", pod.namespace_name(), owner.kind,
                  owner.kind.empty() ? pod.name() : owner.name, domain::NameOf(reason));
  if (seen_.contains(id)) return;
  const bool is_known = before_.contains(id);
  if (!is_known && told_ >= kMostOwners) return;
  seen_.insert(std::move(id));
  // What was so long before this leader began has been told by the one before it.
  if (is_known || now_ - pod.created() > kTellsAfterStart) return;
  const auto whom = WhomToTell(pod);
  if (!whom) return;
  ++told_;
  notices_.events_.Record(
      {.regarding = *whom,
       .type = domain::IsWarning(reason) ? kube::EventType::kWarning : kube::EventType::kNormal,
       .reason = std::string(domain::EventReasonOf(reason)),
       .action = "Inject",
       .note = fmt::format("Policy {}, pod {}: {} {}", policy_.ToString(), pod.name(),
                           domain::SentenceOf(reason), domain::AdviceOf(reason))});
}

void OwnerNotices::Forget(const kube::ObjectKey& policy) {
  const std::scoped_lock lock(mutex_);
  told_.erase(policy);
}

}  // namespace tracekeeper::controllers
