#pragma once
// Workload names what a pod belongs to, from its owner reference and labels alone: no API call is
// made on the admission path.
//
//   ReplicaSet "web-7c9d" and label pod-template-hash=7c9d           Deployment web
//   ReplicaSet "web-7c9d" and label rollouts-pod-template-hash=7c9d  Argo Rollout web
//   Job "backup-29123456"                                            CronJob backup
//
// A Job's suffix of 8 to 10 digits is the CronJob's schedule (minutes, formerly seconds, since
// 1970); 8 digits that are a calendar date (backup-20261122) are somebody's own naming.
//
// Threads:  pure; views live as long as the pod's document.

#include <string_view>

#include "operator/domain/pod_view.h"

namespace tracekeeper::domain {

struct Workload {
  std::string_view deployment;
  std::string_view rollout;
  std::string_view replicaset;
  std::string_view statefulset;
  std::string_view daemonset;
  std::string_view cronjob;
  std::string_view job;
  std::string_view other;  // name of a controller of a kind not listed here

  bool operator==(const Workload&) const = default;
};

Workload WorkloadOf(const PodView& pod);

/// The Argo Rollout or the Deployment to which a pod's ReplicaSet belongs, by the pod's labels;
/// empty where they do not say so.
std::string_view RolloutOfReplicaSet(std::string_view replicaset, LabelsView pod_labels);
std::string_view DeploymentOfReplicaSet(std::string_view replicaset, LabelsView pod_labels);

/// Whether a Job made the pod, so that it is to end.
bool IsOwnedByJob(const PodView& pod);

}  // namespace tracekeeper::domain
