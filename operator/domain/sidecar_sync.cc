#include "operator/domain/sidecar_sync.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace tracekeeper::domain {
namespace {

constexpr std::size_t kMostDigests = 16;

std::int64_t Behind(const SidecarSync& sync) {
  std::int64_t behind = 0;
  for (const auto& [digest, pods] : sync.running) {
    if (digest != sync.digest) behind += pods;
  }
  return behind;
}

std::string Sidecars(std::int64_t count) {
  return fmt::format("{} {}", count, count == 1 ? "sidecar" : "sidecars");
}

}  // namespace

kube::Condition ConfigurationInSync(const SidecarSync& sync, std::int64_t generation) {
  const auto make = [&](kube::ConditionStatus status, std::string_view reason,
                        std::string message) {
    return kube::Condition{.type = std::string(kConfigurationInSyncCondition),
                           .status = status,
                           .reason = std::string(reason),
                           .message = std::move(message),
                           .observed_generation = generation};
  };
  if (sync.refused > 0) {
    return make(kube::ConditionStatus::kFalse, "ConfigurationRefused",
                fmt::format("{} refused the configuration and kept the last good one: {}",
                            Sidecars(sync.refused), sync.refusal));
  }
  if (const std::int64_t behind = Behind(sync); behind > 0) {
    return make(
        kube::ConditionStatus::kFalse, "SidecarsBehind",
        fmt::format("{} still on an older configuration, for example in pod {}. The kubelet "
                    "brings the new one within about a minute.",
                    Sidecars(behind), sync.behind_example));
  }
  if (sync.unknown > 0) {
    return make(kube::ConditionStatus::kUnknown, "SidecarsNotReached",
                fmt::format("{} did not answer, for example in pod {}: not started yet, or a "
                            "NetworkPolicy keeps the operator from the sidecar's status port.",
                            Sidecars(sync.unknown), sync.unknown_example));
  }
  if (sync.running.empty()) {
    return make(kube::ConditionStatus::kTrue, "NoSidecars", "The policy has no running sidecar.");
  }
  return make(kube::ConditionStatus::kTrue, "AllSidecarsInSync",
              "Every running sidecar uses the configuration of this policy.");
}

api::ConfigurationStatus ConfigurationStatusOf(const SidecarSync& sync) {
  api::ConfigurationStatus status{
      .digest = sync.digest, .running = {}, .refused = sync.refused, .unknown = sync.unknown};
  for (const auto& [digest, pods] : sync.running) status.running.push_back({digest, pods});
  std::ranges::sort(status.running, [](const auto& a, const auto& b) {
    return std::tie(b.pods, a.digest) < std::tie(a.pods, b.digest);
  });
  if (status.running.size() > kMostDigests) status.running.resize(kMostDigests);
  return status;
}

}  // namespace tracekeeper::domain
