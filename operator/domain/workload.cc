#include "operator/domain/workload.h"

#include <algorithm>

namespace tracekeeper::domain {
namespace {

using codec::JsonValue;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// The owner that controls the pod; the first one where none says that it does.
JsonValue ControllerOf(const JsonValue& owners) {
  JsonValue first;
  for (const JsonValue owner : owners.Elements()) {
    if (owner["controller"].BoolOr(false)) return owner;
    if (!first) first = owner;
  }
  return first;
}

/// `name` without "-" + `hash` at its end; empty where it does not end so.
std::string_view WithoutHash(std::string_view name, std::string_view hash) {
  if (hash.empty() || name.size() < hash.size() + 2 || !name.ends_with(hash)) return {};
  const std::size_t dash = name.size() - hash.size() - 1;
  return name[dash] == '-' ? name.substr(0, dash) : std::string_view();
}

bool IsCalendarDate(std::string_view digits) {
  if (digits.size() != 8) return false;
  const auto number = [&](std::size_t from, std::size_t count) {
    int value = 0;
    for (const char c : digits.substr(from, count)) value = value * 10 + (c - '0');
    return value;
  };
  const int year = number(0, 4);
  const int month = number(4, 2);
  const int day = number(6, 2);
  return year >= 1970 && year <= 2099 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

std::string_view CronJobOf(std::string_view job) {
  const std::size_t dash = job.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return {};
  const std::string_view suffix = job.substr(dash + 1);
  if (suffix.size() < 8 || suffix.size() > 10 || !std::ranges::all_of(suffix, IsDigit)) return {};
  return IsCalendarDate(suffix) ? std::string_view() : job.substr(0, dash);
}

}  // namespace

std::string_view RolloutOfReplicaSet(std::string_view replicaset, LabelsView pod_labels) {
  return WithoutHash(replicaset, FindLabel(pod_labels, "rollouts-pod-template-hash"));
}

std::string_view DeploymentOfReplicaSet(std::string_view replicaset, LabelsView pod_labels) {
  return WithoutHash(replicaset, FindLabel(pod_labels, "pod-template-hash"));
}

Workload WorkloadOf(const PodView& pod) {
  Workload workload;
  const JsonValue owner = ControllerOf(pod.owner_references);
  if (!owner) return workload;
  const std::string_view kind = owner["kind"].StringOr("");
  const std::string_view name = owner["name"].StringOr("");
  if (kind == "ReplicaSet") {
    workload.replicaset = name;
    workload.rollout = RolloutOfReplicaSet(name, pod.labels);
    if (workload.rollout.empty()) workload.deployment = DeploymentOfReplicaSet(name, pod.labels);
  } else if (kind == "StatefulSet") {
    workload.statefulset = name;
  } else if (kind == "DaemonSet") {
    workload.daemonset = name;
  } else if (kind == "Job") {
    workload.job = name;
    workload.cronjob = CronJobOf(name);
  } else if (kind != "Node") {  // a Node owns mirror pods and makes no workload
    workload.other = name;
  }
  return workload;
}

bool IsOwnedByJob(const PodView& pod) {
  return ControllerOf(pod.owner_references)["kind"].StringOr("") == "Job";
}

}  // namespace tracekeeper::domain
