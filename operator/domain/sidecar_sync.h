#pragma once
// SidecarSync is what the sidecars of one policy said on /status about their configuration,
// counted, and what the policy's status says of it: the condition ConfigurationInSync and the
// counts.
//
//   True     AllSidecarsInSync, NoSidecars
//   False    SidecarsBehind: some use an older one. The kubelet brings it, within a minute or two.
//            ConfigurationRefused: some were given one that they cannot use; they keep the last
//            good one
//   Unknown  SidecarsNotReached: all that answered are in sync, and some did not answer
//
// Threads:  values and pure functions.

#include <cstdint>
#include <map>
#include <string>

#include "operator/api/configuration_status.h"
#include "src/kube/conditions.h"

namespace tracekeeper::domain {

inline constexpr std::string_view kConfigurationInSyncCondition = "ConfigurationInSync";

struct SidecarSync {
  std::string digest;                           // that the policy asks for
  std::map<std::string, std::int64_t> running;  // digest in use -> sidecars
  std::int64_t refused = 0;                     // of these: with a newer one that they refused
  std::int64_t unknown = 0;
  std::string behind_example;  // "shop/web-1"
  std::string refusal;         // "shop/web-1: config.yaml: ..."
  std::string unknown_example;

  bool operator==(const SidecarSync&) const = default;
};

kube::Condition ConfigurationInSync(const SidecarSync& sync, std::int64_t generation);

api::ConfigurationStatus ConfigurationStatusOf(const SidecarSync& sync);

}  // namespace tracekeeper::domain
