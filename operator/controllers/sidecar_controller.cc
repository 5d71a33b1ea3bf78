#include "operator/controllers/sidecar_controller.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "operator/domain/names.h"
#include "operator/domain/sidecar_report.h"
#include "src/base/backoff.h"
#include "src/codec/json_writer.h"
#include "src/crypto/digest.h"

namespace tracekeeper::controllers {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Backoff kBehind{.first = seconds(5), .factor = 1.3, .cap = minutes(1), .jitter = 0};
constexpr Backoff kSilent{.first = seconds(5), .factor = 2, .cap = minutes(10), .jitter = 0};
constexpr Duration kAfterNudge = seconds(2);
// A pod that is not Ready may be starting: its sidecar is asked when that should be over.
constexpr Duration kStarting = minutes(1);
constexpr unsigned kFailuresToBeUnknown = 2;
constexpr std::size_t kMostNudges = 50;

std::string NudgeOf(std::string_view digest) {
  codec::JsonWriter json;
  json.BeginObject().Key("metadata").BeginObject().Key("annotations").BeginObject();
  json.Member(domain::kNudgedAnnotation, digest);
  json.EndObject().EndObject().EndObject();
  return json.Take();
}

}  // namespace

Result<runtime::Requeue> SidecarController::Reconcile(const kube::ObjectKey& key,
                                                      runtime::ReconcileContext& context) {
  const auto policy = parts_.policies.Find(key);
  if (policy == nullptr || policy->metadata.IsBeingDeleted()) {
    parts_.ledger.Forget(key);
    const std::scoped_lock lock(mutex_);
    known_.erase(key);
    return runtime::Requeue::Never();
  }
  const auto compilation = domain::CompilePolicy(*policy, parts_.pods.catalog().options());
  if (!compilation) return runtime::Requeue::Never();  // the policy's status says why

  std::shared_ptr<Known> known;
  {
    const std::scoped_lock lock(mutex_);
    auto& slot = known_[key];
    if (slot == nullptr) slot = std::make_shared<Known>();
    known = slot;
  }
  if (known->digest != compilation->config_map.digest) {
    known->digest = compilation->config_map.digest;
    for (auto& [uid, sidecar] : known->sidecars) {
      sidecar.next_ask = context.now;
      sidecar.answers = 0;
      sidecar.was_nudged = false;
    }
  }
  Refresh(*known, *compilation->policy, context.now);
  Ask(*known, Choose(*known, context.now), context.stop, context.now);
  if (context.stop.stop_requested()) return runtime::Requeue::Never();
  if (nudge_ == Nudge::kYes) NudgeThoseBehind(*known, *compilation, context);

  std::optional<Instant> next;
  bool all_were_asked = true;
  for (const auto& [uid, sidecar] : known->sidecars) {
    all_were_asked &= sidecar.was_asked;
    if (sidecar.digest == known->digest && sidecar.refusal.empty()) continue;
    next = std::min(next.value_or(sidecar.next_ask), sidecar.next_ask);
  }
  if (all_were_asked) parts_.ledger.Set(key, Count(*known));
  if (!next) return runtime::Requeue::Never();
  return runtime::Requeue::After(std::max<Duration>(*next - context.now, seconds(1)));
}

void SidecarController::Refresh(Known& known, const domain::CompiledPolicy& policy,
                                Instant now) const {
  std::unordered_map<std::string, Sidecar> sidecars;
  parts_.pods.ForEach(
      policy, parts_.pods.NamespacesOf(policy), [&](const PolicyPods::Found& found) {
        const ObservedPod& pod = found.pod;
        const bool is_ours =
            found.winner.key == policy.key && pod.Injection().policy == policy.qualified_name;
        const bool runs = pod.is_running() && !pod.is_ending() && !pod.address().empty();
        if (!is_ours || !runs || (!pod.is_ready() && now - pod.created() < kStarting)) return;
        std::string uid = pod.UidText();
        const auto before = known.sidecars.find(uid);
        Sidecar sidecar = before != known.sidecars.end() ? std::move(before->second) : Sidecar{};
        sidecar.pod = pod.key();
        sidecar.address = pod.address();
        sidecars.emplace(std::move(uid), std::move(sidecar));
      });
  known.sidecars = std::move(sidecars);
}

SidecarController::Due SidecarController::Choose(Known& known, Instant now) const {
  Due due;
  for (auto& [uid, sidecar] : known.sidecars) {
    const bool is_in_sync = sidecar.digest == known.digest && sidecar.refusal.empty();
    if (!is_in_sync && sidecar.next_ask <= now) due.push_back(&sidecar);
  }
  std::ranges::sort(due, {}, &Sidecar::next_ask);
  if (due.size() > kMostAsked) due.resize(kMostAsked);
  return due;
}

void SidecarController::Ask(const Known& known, const Due& due, const StopToken& stop,
                            Instant now) const {
  std::atomic<std::size_t> taken = 0;
  const auto work = [&] {
    for (std::size_t i = taken++; i < due.size() && !stop.stop_requested(); i = taken++) {
      Sidecar& sidecar = *due[i];  // no other thread has this one
      const auto body = parts_.reader.Read(sidecar.address, stop);
      auto report = body ? domain::ParseSidecarReport(*body) : Fail(body.error());
      sidecar.was_asked = true;
      if (!report) {
        sidecar.next_ask = now + kSilent.Wait(sidecar.failures++, 0);
        continue;
      }
      sidecar.failures = 0;
      sidecar.digest = std::move(report->digest);
      sidecar.refusal = std::move(report->refusal);
      const bool is_behind = sidecar.digest != known.digest || !sidecar.refusal.empty();
      sidecar.answers = is_behind ? sidecar.answers + 1 : 0;
      if (is_behind) sidecar.next_ask = now + kBehind.Wait(sidecar.answers - 1, 0);
    }
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < std::min(due.size(), kParallel); ++i) threads.emplace_back(work);
  work();
}

void SidecarController::NudgeThoseBehind(Known& known, const domain::PolicyCompilation& compilation,
                                         runtime::ReconcileContext& context) {
  const std::string written = crypto::Sha256Hex(compilation.config_map.text);
  std::size_t nudges = 0;
  for (auto& [uid, sidecar] : known.sidecars) {
    const bool is_behind = sidecar.was_asked && sidecar.failures == 0 &&
                           sidecar.digest != known.digest && sidecar.refusal.empty();
    if (!is_behind || sidecar.was_nudged) continue;
    // Before the ConfigMap is there, the kubelet would find the old one.
    const auto config_map =
        parts_.config_maps.Find({sidecar.pod.namespace_name, compilation.config_map.name});
    if (config_map == nullptr || config_map->content_digest != written) continue;
    if (++nudges > kMostNudges) {
      sidecar.next_ask = std::min(sidecar.next_ask, context.now + seconds(1));
      continue;
    }
    const auto patched = client_.PatchMerge(kube::kPods, sidecar.pod, NudgeOf(known.digest),
                                            {.field_manager = "tracekeeper-nudge"}, context.stop);
    sidecar.was_nudged = true;
    if (patched) {
      sidecar.next_ask = context.now + kAfterNudge;
    } else if (patched.error().kind != ErrorKind::kNotFound) {
      context.log.Warn("Could not nudge pod; its kubelet brings the configuration by itself",
                       {{"pod", sidecar.pod.ToString()}, {"error", patched.error().message}});
    }
  }
}

domain::SidecarSync SidecarController::Count(const Known& known) {
  domain::SidecarSync sync{.digest = known.digest, .running = {}};
  // In an order that does not change, so that an example stays the same.
  std::vector<const Sidecar*> sidecars;
  sidecars.reserve(known.sidecars.size());
  for (const auto& [uid, sidecar] : known.sidecars) sidecars.push_back(&sidecar);
  std::ranges::sort(sidecars, {}, [](const Sidecar* sidecar) { return sidecar->pod; });
  const auto keep_first = [](std::string& text, std::string example) {
    if (text.empty()) text = std::move(example);
  };
  for (const Sidecar* sidecar : sidecars) {
    if (sidecar->failures >= kFailuresToBeUnknown) {
      ++sync.unknown;
      keep_first(sync.unknown_example, sidecar->pod.ToString());
      continue;
    }
    if (!sidecar->digest.empty()) ++sync.running[sidecar->digest];
    if (!sidecar->refusal.empty()) {
      ++sync.refused;
      keep_first(sync.refusal, sidecar->pod.ToString() + ": " + sidecar->refusal);
    } else if (sidecar->digest != known.digest && !sidecar->digest.empty()) {
      keep_first(sync.behind_example, sidecar->pod.ToString());
    }
  }
  return sync;
}

}  // namespace tracekeeper::controllers
