#include "tests/truth/oracle_links.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "tests/truth/oracle_calls.h"
#include "tests/truth/oracle_contexts.h"

namespace tracekeeper::truth {
namespace {

constexpr std::uint32_t kAllKnownFlags = 0x3FF;
constexpr std::uint32_t kSampledFlag = 0x01;
constexpr std::uint64_t kManyRoots = 10;

/// The sides of a hop whose parent is absent, or whose message came by link.
HopSides SidesWithoutParent(const OracleScene& scene, const OracleSpan& entry) {
  return {scene.profile.UsualCaller(entry).value_or(""), entry.service,
          ProtocolOf(&entry, nullptr)};
}

HopSides SidesWithParent(const OracleSpan& entry) {
  const OracleSpan* const parent = entry.parent;
  return {parent->service, entry.service, ProtocolOf(&entry, parent->is_out ? parent : nullptr)};
}

// --- 3.2

/// Rule 5.
std::optional<Outcome> JudgeBySampling(const OracleScene& scene, const OracleTrace& trace,
                                       const OracleSpan& orphan) {
  const OracleProfile& profile = scene.profile;
  const auto caller = profile.UsualCaller(orphan);
  if (!orphan.is_entry || !caller) return std::nullopt;
  const auto threshold = profile.ThresholdOf(*caller);
  const bool is_mostly_absent = profile.IsCallerMostlyAbsent(orphan);
  if (threshold && trace.randomness) {
    if (*trace.randomness < *threshold) return Excluded("sampled_out");
    if (is_mostly_absent) return Bad("sampling_break");
  }
  if (profile.DoIdsFallApart(orphan)) return Excluded("sampled_out");
  if (is_mostly_absent) return Unknown("caller_samples");
  return std::nullopt;
}

bool DoSampledFlagsDiffer(const OracleTrace& trace) {
  std::set<bool> sampled;
  for (const OracleSpan* span : trace.spans) {
    if ((span->flags & kAllKnownFlags) != 0) sampled.insert((span->flags & kSampledFlag) != 0);
  }
  return sampled.size() > 1;
}

bool IsParentOpen(const OracleTrace& trace, const OracleSpan& orphan, std::int64_t settle_window) {
  std::int64_t first_end = orphan.end;
  std::int64_t last_end = orphan.end;
  for (const OracleSpan* span : trace.spans) {
    if (!span->is_orphan || span->is_entry || span->parent_id != orphan.parent_id) continue;
    first_end = std::min(first_end, span->end);
    last_end = std::max(last_end, span->end);
  }
  return last_end - first_end > settle_window;
}

Outcome JudgeOrphan(const OracleScene& scene, const OracleTrace& trace, const OracleSpan& orphan) {
  const ModelPolicy& policy = scene.policy;
  if (IsExcluded(orphan, policy)) return Excluded("filtered");
  if (orphan.is_entry && IsNamed(policy.entrypoints, orphan.service)) {
    return Excluded("foreign_parent");
  }
  if (orphan.is_cut) return Bad("truncated_id");
  if (scene.repeating.contains(&orphan)) return Excluded("mixed");
  const auto by_sampling = JudgeBySampling(scene, trace, orphan);
  if (by_sampling) return *by_sampling;
  if (DoSampledFlagsDiffer(trace)) return Bad("sampling_break");
  const bool has_filter = !policy.excluded_scopes.empty() || !policy.excluded_span_names.empty();
  if (!orphan.is_entry && has_filter && scene.profile.AreAlwaysOrphans(orphan)) {
    return Excluded("filtered");
  }
  if (orphan.is_entry) return Bad("orphan_remote_parent");
  if (scene.lost_with_batch.contains(&orphan)) return Bad("lost_batch");
  if (IsParentOpen(trace, orphan, scene.profile.settle_window)) return Bad("open_parent");
  return Bad("orphan_local_parent");
}

void CountOrphan(const OracleScene& scene, const OracleTrace& trace, const OracleSpan& orphan,
                 OracleLedger& ledger) {
  const Outcome outcome = JudgeOrphan(scene, trace, orphan);
  if (outcome.reason == "foreign_parent") {
    ledger.NotesOf(trace.id).foreign_roots.push_back(&orphan);
  }
  if (!orphan.is_entry) return ledger.AddInProcess(outcome, orphan);
  ledger.AddHop(SidesWithoutParent(scene, orphan), outcome, orphan);
}

// --- 3.5

bool IsRootWhileServing(const OracleScene& scene, const OracleSpan& root) {
  if (!scene.entries.IsInside(root.instance, root.start)) return false;
  const WorkProfile work = scene.profile.WorkOf(root);
  if (work.roots < kManyRoots) return true;
  return work.roots_inside * 10 >= work.roots * 9 && scene.profile.IsMostlyIdle(root.service);
}

Outcome JudgeRoot(const OracleScene& scene, const OracleSpan& root) {
  if (IsExcluded(root, scene.policy)) return Excluded("filtered");
  if (root.is_job) return Excluded("legal_root");
  const WorkProfile work = scene.profile.WorkOf(root);
  const bool is_mostly_child = work.with_parent_id >= work.roots;
  if (!is_mostly_child && !IsRootWhileServing(scene, root)) return Excluded("legal_root");
  return Bad(root.kind == kInternal ? "new_internal_root" : "new_client_root");
}

// --- 3.1

void CountRoot(const OracleScene& scene, const OracleSpan& root, OracleLedger& ledger) {
  if (root.kind == kServer) return;
  if (root.kind != kConsumer) return ledger.AddInProcess(JudgeRoot(scene, root), root);
  const HopSides sides = SidesWithoutParent(scene, root);
  if (root.has_valid_link) return ledger.AddHop(sides, Good(), root);
  if (!root.is_poll) ledger.AddHop(sides, Bad("message_without_context"), root);
}

void CountLocalChild(const OracleScene& scene, const OracleSpan& child, OracleLedger& ledger) {
  const bool is_known_local = child.is_parent_remote.has_value() && !*child.is_parent_remote;
  const bool is_server_below_other =
      child.kind == kServer && is_known_local && child.parent->kind != kServer;
  const bool is_stale = IsStaleWork(scene, child);
  ledger.AddInProcess(is_server_below_other || is_stale ? Bad("mixed_traces") : Good(), child);
  if (child.kind == kConsumer && child.has_valid_link) {
    ledger.AddHop(SidesWithoutParent(scene, child), Good(), child);
  }
  const bool is_late = !child.parent->is_unfinished && child.start > child.parent->end;
  if (child.parent->kind == kServer && is_late && !is_stale) {
    ledger.AddFinding("work_after_reply", child);
  }
}

void CountChild(const OracleScene& scene, const OracleSpan& child, OracleLedger& ledger) {
  if (child.is_cut_from_parent) {
    if (!child.is_entry) return ledger.AddInProcess(Bad("truncated_id"), child);
    return ledger.AddHop(SidesWithParent(child), Bad("truncated_id"), child);
  }
  if (!child.is_remote) return CountLocalChild(scene, child, ledger);
  ledger.AddHop(SidesWithParent(child), Good(), child);
}

// --- 3.8

bool HasOtMember(std::string_view tracestate) {
  while (!tracestate.empty()) {
    const std::size_t end = std::min(tracestate.find(','), tracestate.size());
    std::string_view member = tracestate.substr(0, end);
    member.remove_prefix(std::min(member.find_first_not_of(" \t"), member.size()));
    if (member.starts_with("ot=")) return true;
    tracestate.remove_prefix(std::min(end + 1, tracestate.size()));
  }
  return false;
}

/// The nearest entry above `span`, as long as links are local.
const OracleSpan* NearestEntry(const OracleSpan& span) {
  std::set<const OracleSpan*> seen = {&span};
  const OracleSpan* at = &span;
  while (at->parent != nullptr && !at->is_remote) {
    at = at->parent;
    if (at->is_entry) return at;
    if (!seen.insert(at).second) return nullptr;
  }
  return nullptr;
}

void NoteFindings(const OracleSpan& span, OracleLedger& ledger) {
  if (span.is_unfinished) ledger.AddFinding("unfinished", span);
  const bool has_remote_parent = span.has_unit && span.is_entry && span.parent != nullptr &&
                                 (span.is_remote || span.is_cut_from_parent);
  if (has_remote_parent && HasOtMember(span.parent->tracestate) && !HasOtMember(span.tracestate)) {
    ledger.AddFinding("tracestate_lost", span);
  }
  const OracleSpan* const entry = span.is_cancelled ? NearestEntry(span) : nullptr;
  if (entry != nullptr && std::abs(entry->end - span.end) <= kSecond / 2) {
    ledger.AddFinding("cancelled_with_parent", span);
  }
}

}  // namespace

void JudgeSpan(const OracleScene& scene, const OracleTrace& trace, const OracleSpan& span,
               OracleLedger& ledger) {
  NoteFindings(span, ledger);
  if (!span.has_unit) return;
  if (span.is_root) return CountRoot(scene, span, ledger);
  if (span.is_orphan) return CountOrphan(scene, trace, span, ledger);
  CountChild(scene, span, ledger);
}

}  // namespace tracekeeper::truth
