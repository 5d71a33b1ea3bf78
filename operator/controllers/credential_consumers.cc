#include "operator/controllers/credential_consumers.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "operator/controllers/workload_restart.h"
#include "operator/domain/credential_marks.h"
#include "operator/domain/rotation_failure.h"
#include "operator/domain/sidecar_report.h"

namespace tracekeeper::controllers {
namespace {

Error Refused(Error error) {
  if (error.kind == ErrorKind::kForbidden) error.reason = domain::failure::kRestartForbidden;
  return error;
}

std::optional<PodWorkload> WorkloadOf(const ObservedPod& pod) {
  auto workload = domain::RenewableWorkloadOf(pod.namespace_name(), pod.owner(), pod.Labels());
  if (!workload) return std::nullopt;
  return PodWorkload{*std::move(workload), std::string(pod.owner().name)};
}

}  // namespace

Result<domain::ConsumerFacts> CredentialConsumers::Observe(const domain::CredentialPlan& plan,
                                                           std::int64_t number, Seen& seen,
                                                           const StopToken& stop) const {
  const api::ConsumerReload reload = plan.credential.consumers.reload;
  if (reload == api::ConsumerReload::kNone) return domain::ConsumerFacts{};
  const auto snapshot = parts_.pods.catalog().snapshot();
  const domain::CompiledPolicy* policy = snapshot->Find(plan.policy);
  if (policy == nullptr) {
    return Fail(ErrorKind::kUnavailable,
                "policy {} is not compiled, so its pods are not known: see its condition Ready",
                plan.policy.ToString());
  }
  if (reload == api::ConsumerReload::kRestart) return Restart(plan, *policy, number, stop);
  if (parts_.reader == nullptr) return domain::ConsumerFacts{};
  return AskSidecars(*policy, number, seen, stop);
}

domain::ConsumerFacts CredentialConsumers::AskSidecars(const domain::CompiledPolicy& policy,
                                                       std::int64_t number, Seen& seen,
                                                       const StopToken& stop) const {
  domain::ConsumerFacts facts;
  std::vector<Pod> due;
  Seen still_there;
  parts_.pods.ForEach(
      policy, parts_.pods.NamespacesOf(policy), [&](const PolicyPods::Found& found) {
        const ObservedPod& pod = found.pod;
        const bool is_ours =
            found.winner.key == policy.key && pod.Injection().policy == policy.qualified_name;
        if (!is_ours || !pod.is_running()) return;
        ++facts.total;
        std::string uid = pod.UidText();
        const auto known = seen.find(uid);
        if (known != seen.end()) still_there.insert(*known);
        if (known != seen.end() && known->second >= number) return;
        ++facts.stale;
        if (!pod.address().empty()) due.push_back({std::move(uid), pod.address()});
      });
  seen = std::move(still_there);
  if (due.size() > kMostAsked) due.resize(kMostAsked);

  std::vector<std::int64_t> answers(due.size(), 0);
  std::atomic<std::size_t> taken = 0;
  const auto work = [&] {
    for (std::size_t i = taken++; i < due.size() && !stop.stop_requested(); i = taken++) {
      const auto body = parts_.reader->Read(due[i].address, stop);
      const auto report = body ? domain::ParseSidecarReport(*body) : Fail(body.error());
      if (report) answers[i] = report->credential_version.value_or(0);
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(due.size(), kParallel); ++i) threads.emplace_back(work);
    work();
  }
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (answers[i] == 0) continue;
    seen[due[i].uid] = answers[i];
    if (answers[i] >= number) --facts.stale;
  }
  return facts;
}

Result<domain::ConsumerFacts> CredentialConsumers::Restart(const domain::CredentialPlan& plan,
                                                           const domain::CompiledPolicy& policy,
                                                           std::int64_t number,
                                                           const StopToken& stop) const {
  const std::string& name = plan.identity.credential;
  domain::ConsumerFacts facts;
  std::set<PodWorkload> behind;
  parts_.pods.ForEach(
      policy, parts_.pods.NamespacesOf(policy), [&](const PolicyPods::Found& found) {
        const bool has_ended = found.drift.state == domain::InjectionState::kEnded;
        if (found.winner.key != policy.key || has_ended) return;
        ++facts.total;
        const auto marks = domain::ParseCredentialMarks(found.pod.CredentialMarks());
        const auto mark = marks.find(name);
        if (mark != marks.end() && mark->second >= number) return;
        ++facts.stale;
        // One that is ending uses the old version until it is gone.
        if (found.pod.is_ending()) return;
        if (auto workload = WorkloadOf(found.pod)) {
          behind.insert(*std::move(workload));
        }
      });
  for (const PodWorkload& workload : behind) {
    auto marked = MarkCredential(parts_.client, workload, name, number, stop);
    const bool is_gone = !marked && marked.error().kind == ErrorKind::kNotFound;
    if (!marked && !is_gone) return Fail(Refused(std::move(marked).error()));
  }
  return facts;
}

}  // namespace tracekeeper::controllers
