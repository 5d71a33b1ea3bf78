#include "tests/truth/oracle_calls.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

namespace tracekeeper::truth {
namespace {

constexpr std::int64_t kSilenceMargin = 60 * kSecond;

using Matches = std::map<const OracleSpan*, const OracleSpan*>;
using Spans = std::vector<const OracleSpan*>;

bool IsWrapper(const OracleSpan& call) {
  std::set<const OracleSpan*> seen = {&call};
  Spans below = {&call};
  while (!below.empty()) {
    const OracleSpan* const span = below.back();
    below.pop_back();
    for (const OracleSpan* child : span->children) {
      if (child->is_remote || !seen.insert(child).second) continue;
      if (child->is_out && child->service == call.service) return true;
      below.push_back(child);
    }
  }
  return false;
}

/// What rules 1 to 6 say of a call.
std::optional<Outcome> JudgeWithoutPartner(const OracleScene& scene, const OracleSpan& call) {
  const OracleProfile& profile = scene.profile;
  if (IsExcluded(call, scene.policy)) return Excluded("filtered");
  if (call.kind == kProducer) return Excluded("counted_at_consumer");
  if (IsWrapper(call)) return Excluded("wrapper");
  if (call.has_error) return Excluded("not_delivered");
  const auto peer = profile.PeerOf(call);
  if (call.is_database || !peer || *peer == call.service || !profile.instrumented.contains(*peer)) {
    return Excluded("uninstrumented_peer");
  }
  const auto threshold = profile.ThresholdOf(*peer);
  const auto randomness = scene.traces.Find(call.trace_id)->randomness;
  if (threshold && randomness && *randomness < *threshold) return Excluded("sampled_out");
  return std::nullopt;
}

bool IsUnpairedCall(const OracleSpan& span) {
  return span.has_valid_ids && span.is_out && !span.is_paired;
}

std::int64_t WaitsUntil(const OracleSpan& call, const OracleProfile& profile) {
  const std::int64_t end = call.end + profile.skew;
  return profile.delay ? std::min(end, call.start + *profile.delay) : end;
}

bool FitsInTime(const OracleSpan& root, const OracleSpan& call, const OracleProfile& profile) {
  return root.start >= call.start - profile.skew && root.start <= WaitsUntil(call, profile);
}

bool HaveSameOperation(const OracleSpan& root, const OracleSpan& call) {
  return !root.operation.empty() && root.operation == call.operation;
}

bool IsOneWithoutOperation(const OracleSpan& root, const OracleSpan& call) {
  return root.operation.empty() || call.operation.empty();
}

/// One round: each root takes, of the free calls that fit, the one that ends first. Both are in the
/// order of the page; what is matched leaves them.
void MatchRound(Spans& roots, Spans& calls, const OracleProfile& profile,
                bool (*fits)(const OracleSpan& root, const OracleSpan& call), Matches& matches) {
  Spans left_over;
  for (const OracleSpan* root : roots) {
    const auto call = std::find_if(calls.begin(), calls.end(), [&](const OracleSpan* candidate) {
      return FitsInTime(*root, *candidate, profile) && fits(*root, *candidate);
    });
    if (call == calls.end()) {
      left_over.push_back(root);
      continue;
    }
    matches[*call] = root;
    calls.erase(call);
  }
  roots = left_over;
}

/// Roots that calls may be matched with, by service and in order.
std::map<std::string, Spans> FindServerRoots(const OracleScene& scene) {
  std::map<std::string, Spans> roots;
  for (const OracleSpan& span : scene.traces.all) {
    const bool is_server_root = span.is_root && span.kind == kServer;
    if (!is_server_root || span.is_probe || IsExcluded(span, scene.policy)) continue;
    roots[span.service].push_back(&span);
  }
  for (auto& [service, of_service] : roots) {
    std::sort(of_service.begin(), of_service.end(), [](const auto* left, const auto* right) {
      return std::tie(left->start, left->judged_trace, left->span_id) <
             std::tie(right->start, right->judged_trace, right->span_id);
    });
  }
  return roots;
}

bool WasPeerThere(const OracleScene& scene, const OracleSpan& call, const std::string& peer) {
  const auto entries = scene.entries.of_service.find(peer);
  if (entries == scene.entries.of_service.end()) return false;
  return std::any_of(entries->second.begin(), entries->second.end(), [&](const OracleSpan* entry) {
    return entry->start >= call.start - kSilenceMargin && entry->start <= call.end + kSilenceMargin;
  });
}

}  // namespace

std::map<const OracleSpan*, const OracleSpan*> MatchCalls(const OracleScene& scene) {
  std::map<std::string, Spans> calls;  // by peer
  for (const OracleSpan& span : scene.traces.all) {
    if (!IsUnpairedCall(span) || JudgeWithoutPartner(scene, span)) continue;
    calls[*scene.profile.PeerOf(span)].push_back(&span);
  }
  Matches matches;
  std::map<std::string, Spans> roots = FindServerRoots(scene);
  for (auto& [peer, of_peer] : calls) {
    const OracleProfile& profile = scene.profile;
    std::sort(of_peer.begin(), of_peer.end(), [&](const auto* left, const auto* right) {
      return std::make_tuple(WaitsUntil(*left, profile), left->judged_trace, left->span_id) <
             std::make_tuple(WaitsUntil(*right, profile), right->judged_trace, right->span_id);
    });
    MatchRound(roots[peer], of_peer, profile, HaveSameOperation, matches);
    MatchRound(roots[peer], of_peer, profile, IsOneWithoutOperation, matches);
  }
  return matches;
}

std::string ProtocolOf(const OracleSpan* entry, const OracleSpan* out) {
  const bool is_consumer = entry != nullptr && (entry->kind == kConsumer || entry->is_messaging);
  const bool is_producer = out != nullptr && (out->kind == kProducer || out->is_messaging);
  if (is_consumer || is_producer) return "messaging";
  const bool is_rpc = (entry != nullptr && entry->is_rpc) || (out != nullptr && out->is_rpc);
  return is_rpc ? "rpc" : "http";
}

void JudgeCall(const OracleScene& scene, const OracleSpan& call, OracleLedger& ledger) {
  const std::string peer = scene.profile.PeerOf(call).value_or("");
  HopSides sides{call.service, peer, ProtocolOf(nullptr, &call)};
  const auto settled = JudgeWithoutPartner(scene, call);
  if (settled) return ledger.AddHop(sides, *settled, call);
  const auto match = scene.matches.find(&call);
  if (match != scene.matches.end()) {
    const OracleSpan& root = *match->second;
    if (root.judged_trace != call.judged_trace) {
      // Whether it is that trace's earliest root is the request's question.
      ledger.NotesOf(root.judged_trace).continued_roots.insert(&root);
    }
    sides.protocol = ProtocolOf(&root, &call);
    return ledger.AddHop(sides, Bad("broken_hop"), call);
  }
  const bool was_there = WasPeerThere(scene, call, peer);
  ledger.AddHop(sides, was_there ? Bad("silent_hop") : Unknown("peer_silent"), call);
}

}  // namespace tracekeeper::truth
