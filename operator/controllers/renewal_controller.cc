#include "operator/controllers/renewal_controller.h"

#include <algorithm>
#include <charconv>

#include "operator/controllers/workload_restart.h"
#include "operator/domain/names.h"
#include "src/codec/json_writer.h"
#include "src/kube/eviction.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kManager = "tracekeeper-rollout";
constexpr std::string_view kSteps = "tracekeeper_renewal_steps_total";
constexpr std::string_view kStepsHelp = "Pods evicted, workloads restarted, steps refused";
constexpr Backoff kAfterRefusal{
    .first = std::chrono::seconds(5), .factor = 2, .cap = std::chrono::minutes(5), .jitter = 0};

std::uint64_t VersionOf(std::string_view text) {
  std::uint64_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

bool MayAct(const api::TracingPolicy& policy) {
  const auto paused = policy.metadata.annotations.find(domain::kPausedAnnotation);
  if (paused != policy.metadata.annotations.end() && paused->second == "true") return false;
  const auto* ready = kube::FindCondition(policy.status.conditions, domain::kReadyCondition);
  return ready != nullptr && ready->status == kube::ConditionStatus::kTrue &&
         ready->observed_generation == policy.metadata.generation;
}

/// False: the journal says of a workload that it waits, which a step that succeeds makes untrue.
bool MessageIsEmpty(const std::optional<api::RolloutStatus>& journal,
                    const domain::RenewableWorkload& workload) {
  if (!journal) return true;
  return std::ranges::none_of(journal->workloads, [&](const api::WorkloadRenewal& entry) {
    return entry.workload == workload.ToString() && !entry.message.empty();
  });
}

bool NeedsNothing(const domain::RenewalWorkload& workload) {
  return std::ranges::all_of(workload.pods, &domain::RenewalPod::is_right);
}

std::size_t HashOf(const std::vector<domain::RenewalPod>& pods) {
  std::size_t hash = pods.size();
  for (const domain::RenewalPod& pod : pods) {
    const std::size_t state = static_cast<std::size_t>(pod.is_right) * 4 +
                              static_cast<std::size_t>(pod.is_ready) * 2 +
                              static_cast<std::size_t>(pod.is_ending);
    hash += std::hash<std::string>{}(pod.uid) ^ state;  // in whatever order
  }
  return hash;
}

std::string_view AdviceFor(ErrorKind error, domain::RenewalAction::Kind action) {
  if (error != ErrorKind::kForbidden) return "";
  if (action == domain::RenewalAction::Kind::kRestart) {
    return " Set the chart value rollout.template to true: it gives the operator this right.";
  }
  return " Install the chart's roles of this release: the operator lacks a right.";
}

}  // namespace

RenewalController::RenewalController(Parts parts, kube::Client& client, kube::EventRecorder& events,
                                     Metrics& metrics)
    : parts_(parts),
      client_(client),
      events_(events),
      evictions_(metrics.MakeCounter(kSteps, kStepsHelp, {{"step", "evict"}})),
      restarts_(metrics.MakeCounter(kSteps, kStepsHelp, {{"step", "restart"}})),
      refusals_(metrics.MakeCounter(kSteps, kStepsHelp, {{"step", "refused"}})) {}

Result<runtime::Requeue> RenewalController::Reconcile(const kube::ObjectKey& key,
                                                      runtime::ReconcileContext& context) {
  const auto policy = parts_.policies.Find(key);
  const auto snapshot = parts_.pods.catalog().snapshot();
  const domain::CompiledPolicy* compiled = snapshot->Find(key);
  if (policy == nullptr || policy->metadata.IsBeingDeleted() || compiled == nullptr) {
    const std::scoped_lock lock(mutex_);
    known_.erase(key);
    return runtime::Requeue::Never();
  }
  const domain::RenewalObservation seen = Observe(*policy, *compiled, context.now);
  const domain::RenewalPlan plan = domain::PlanRenewal(seen, context.now);
  if (plan.journal_changed) TRY(WriteJournal(*policy, plan.journal, context));
  Tell(*policy, plan);
  bool soon = false;
  std::set<domain::RenewableWorkload> refused;  // its other pods would fare no better
  for (const domain::RenewalAction& action : plan.actions) {
    if (context.stop.stop_requested()) break;
    if (refused.contains(action.workload)) continue;
    const bool is_done = Perform(key, action, context);
    if (!is_done) refused.insert(action.workload);
    soon |= !is_done || !MessageIsEmpty(plan.journal, action.workload);
  }
  if (soon) return runtime::Requeue::After(std::chrono::seconds(1));
  if (plan.look_again) return runtime::Requeue::After(*plan.look_again);
  return runtime::Requeue::Never();
}

domain::RenewalObservation RenewalController::Observe(const api::TracingPolicy& policy,
                                                      const domain::CompiledPolicy& compiled,
                                                      Instant now) {
  domain::RenewalObservation seen;
  seen.settings = policy.spec.injection.rollout;
  seen.may_act = MayAct(policy);
  seen.digest = compiled.digest;
  const bool is_wanted = seen.settings.strategy != api::RolloutStrategy::kNone;
  auto collected = is_wanted ? CollectPods(compiled) : Workloads{};

  const std::scoped_lock lock(mutex_);
  Known& known = known_[policy.metadata.key];
  const bool is_same = known.journal.uid == policy.metadata.uid;
  const bool cache_lags =
      is_same && VersionOf(policy.metadata.resource_version) < known.journal.version;
  seen.journal = cache_lags ? known.journal.rollout : policy.status.rollout;
  std::set<std::string> under_way;
  if (seen.journal) {
    for (const api::WorkloadRenewal& entry : seen.journal->workloads) {
      under_way.insert(entry.workload);
    }
  }
  std::set<std::string, std::less<>> has_pods;
  for (auto& [id, workload] : collected) {
    const std::string name = id.ToString();
    has_pods.insert(name);
    if (NeedsNothing(workload) && !under_way.contains(name)) {
      known.workloads.erase(name);
      continue;
    }
    Recall(known, workload, now);
    seen.workloads.push_back(std::move(workload));
  }
  for (const std::string& name : under_way) {
    if (has_pods.contains(name)) continue;
    Memory& memory = known.workloads[name];
    if (memory.pods_seen != 0 || memory.unchanged_since == Instant{}) memory.unchanged_since = now;
    memory.pods_seen = 0;
    seen.without_pods[name] = memory.unchanged_since;
  }
  std::erase_if(known.workloads, [&](const auto& memory) {
    if (seen.without_pods.contains(memory.first)) return false;
    return std::ranges::none_of(seen.workloads, [&](const auto& workload) {
      return workload.id.ToString() == memory.first;
    });
  });
  return seen;
}

RenewalController::Workloads RenewalController::CollectPods(
    const domain::CompiledPolicy& policy) const {
  Workloads workloads;
  parts_.pods.ForEach(
      policy, parts_.pods.NamespacesOf(policy), [&](const PolicyPods::Found& found) {
        const ObservedPod& pod = found.pod;
        using enum domain::InjectionState;
        const domain::InjectionState state = found.drift.state;
        const bool has_ended = state == kEnded && !pod.is_ending();
        if (found.winner.key != policy.key || state == kSkipped || has_ended) return;
        const auto labels = pod.Labels();
        auto id = domain::RenewableWorkloadOf(pod.namespace_name(), pod.owner(), labels);
        if (!id) return;
        domain::RenewalWorkload& workload = workloads[*id];
        if (workload.pods.empty()) {
          workload.id = std::move(*id);
          AddBudgets(workload, pod);
        }
        const bool is_right = state == kInjected;
        if (workload.owner_name.empty() || !is_right) workload.owner_name = pod.owner().name;
        workload.pods.push_back({.name = std::string(pod.name()),
                                 .uid = pod.UidText(),
                                 .revision = std::string(domain::RevisionOf(pod.owner(), labels)),
                                 .created = pod.created(),
                                 .is_right = is_right,
                                 .is_ready = pod.is_ready(),
                                 .is_ending = pod.is_ending()});
      });
  return workloads;
}

void RenewalController::AddBudgets(domain::RenewalWorkload& workload,
                                   const ObservedPod& pod) const {
  const auto labels = pod.Labels();
  for (const auto& budget :
       parts_.budgets.Lookup(parts_.budgets_by_namespace, pod.namespace_name())) {
    if (!budget->selector || !budget->selector->Matches(labels)) continue;
    workload.budgets.push_back({budget->key.name, budget->disruptions_allowed, budget->is_current});
  }
}

void RenewalController::Recall(Known& known, domain::RenewalWorkload& workload, Instant now) {
  const auto [found, is_new] = known.workloads.try_emplace(workload.id.ToString());
  Memory& memory = found->second;
  if (is_new) {
    memory.namespace_name = workload.id.namespace_name;
    memory.watched_since = now;
  }
  std::set<std::string> still_there;
  std::int64_t good = 0;
  for (domain::RenewalPod& pod : workload.pods) {
    if (memory.evicted.contains(pod.uid)) {
      still_there.insert(pod.uid);
      pod.is_ending = true;
    }
    if (pod.is_right && pod.is_ready && !pod.is_ending) ++good;
  }
  memory.evicted = std::move(still_there);
  const std::size_t hash = HashOf(workload.pods);
  if (is_new || hash != memory.pods_seen) memory.unchanged_since = now;
  memory.pods_seen = hash;
  if (good > memory.best && !is_new) memory.last_progress = now;
  memory.best = std::max(memory.best, good);

  workload.not_before = memory.not_before;
  workload.refusal = memory.refusal;
  workload.watched_since = memory.watched_since;
  workload.unchanged_since = memory.unchanged_since;
  workload.last_progress = memory.last_progress;
  workload.restarted_for = memory.restarted_for;
}

Status RenewalController::WriteJournal(const api::TracingPolicy& policy,
                                       const std::optional<api::RolloutStatus>& journal,
                                       runtime::ReconcileContext& context) {
  const kube::ObjectMeta& meta = policy.metadata;
  codec::JsonWriter json;
  json.BeginObject()
      .Member("apiVersion", api::kTracingPolicies.ApiVersion())
      .Member("kind", api::kTracingPolicyKind);
  json.Key("metadata").BeginObject();
  json.Member("name", meta.key.name).Member("namespace", meta.key.namespace_name);
  json.Member("uid", meta.uid).EndObject();
  json.Key("status").BeginObject();
  if (journal) json.Key("rollout").Raw(api::EncodeRollout(*journal));
  json.EndObject().EndObject();
  auto applied = client_.Apply(
      api::kTracingPolicies, meta.key, json.text(),
      {.field_manager = std::string(kManager), .subresource = "status", .force = kube::Force::kYes},
      context.stop);
  if (!applied) return Fail(std::move(applied.error()));
  const std::scoped_lock lock(mutex_);
  known_[meta.key].journal = {
      meta.uid, VersionOf((*applied)["metadata"]["resourceVersion"].StringOr("")), journal};
  return {};
}

bool RenewalController::Perform(const kube::ObjectKey& policy, const domain::RenewalAction& action,
                                runtime::ReconcileContext& context) {
  const bool is_eviction = action.kind == domain::RenewalAction::Kind::kEvict;
  const Status done =
      is_eviction ? Evict(action, context.stop) : RestartWorkload(client_, action, context.stop);
  const std::string name = action.workload.ToString();
  const std::scoped_lock lock(mutex_);
  Memory& memory = known_[policy].workloads[name];
  if (done) {
    (is_eviction ? evictions_ : restarts_).Increment();
    context.log.Info(is_eviction ? "Evicted pod" : "Restarted workload",
                     {{"policy", policy.ToString()}, {"workload", name}, {"pod", action.pod}});
    memory.refusals = 0;
    memory.not_before = {};
    memory.refusal.clear();
    if (is_eviction) memory.evicted.insert(action.uid);
    if (!is_eviction) memory.restarted_for = action.started;
    return true;
  }
  refusals_.Increment();
  memory.not_before = context.now + kAfterRefusal.Wait(memory.refusals++, 0);
  memory.refusal = done.error().message;
  memory.refusal += AdviceFor(done.error().kind, action.kind);
  context.log.Info("Renewal has to wait", {{"policy", policy.ToString()},
                                           {"workload", name},
                                           {"pod", action.pod},
                                           {"why", memory.refusal}});
  return false;
}

Status RenewalController::Evict(const domain::RenewalAction& action, const StopToken& stop) {
  const kube::ObjectKey pod{action.workload.namespace_name, action.pod};
  Status evicted = kube::EvictPod(client_, pod, action.uid, stop);
  if (evicted) return {};
  // Gone, or another pod of that name: either way the one we meant is away.
  const ErrorKind kind = evicted.error().kind;
  if (kind == ErrorKind::kNotFound || kind == ErrorKind::kConflict) return {};
  return evicted;
}

std::vector<kube::ObjectKey> RenewalController::Retry(std::string_view namespace_name) {
  std::vector<kube::ObjectKey> waiting;
  const std::scoped_lock lock(mutex_);
  for (auto& [key, known] : known_) {
    bool concerns = false;
    for (auto& [name, memory] : known.workloads) {
      if (memory.namespace_name != namespace_name) continue;
      memory.not_before = {};
      concerns = true;
    }
    if (concerns) waiting.push_back(key);
  }
  return waiting;
}

void RenewalController::Tell(const api::TracingPolicy& policy, const domain::RenewalPlan& plan) {
  for (const domain::PlannedEvent& event : plan.events) {
    events_.Record({.regarding = {.api_version = api::kTracingPolicies.ApiVersion(),
                                  .kind = std::string(api::kTracingPolicyKind),
                                  .key = policy.metadata.key,
                                  .uid = policy.metadata.uid,
                                  .resource_version = policy.metadata.resource_version},
                    .type = event.warning ? kube::EventType::kWarning : kube::EventType::kNormal,
                    .reason = event.reason,
                    .action = event.action,
                    .note = event.note});
  }
}

}  // namespace tracekeeper::controllers
