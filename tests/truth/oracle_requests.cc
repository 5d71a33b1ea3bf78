#include "tests/truth/oracle_requests.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <vector>

namespace tracekeeper::truth {
namespace {

constexpr std::uint32_t kSampledFlag = 0x01;

/// The causes that a span's breaks are ordered by where several are shown at it: as causes.md lists
/// them.
constexpr std::array<std::string_view, 15> kCauses = {
    "orphan_remote_parent",
    "orphan_local_parent",
    "open_parent",
    "lost_batch",
    "new_internal_root",
    "new_client_root",
    "broken_hop",
    "silent_hop",
    "message_without_context",
    "fragments",
    "mixed_traces",
    "span_id_collision",
    "invalid_id",
    "truncated_id",
    "sampling_break",
};

/// The note that starts first, then by span id, then by cause.
const TraceNotes::Note& FirstOf(const std::vector<TraceNotes::Note>& notes) {
  const auto rank = [](const TraceNotes::Note& note) {
    return std::find(kCauses.begin(), kCauses.end(), note.reason) - kCauses.begin();
  };
  return *std::min_element(notes.begin(), notes.end(), [&](const auto& left, const auto& right) {
    return std::tuple(left.at->start, left.at->span_id, rank(left)) <
           std::tuple(right.at->start, right.at->span_id, rank(right));
  });
}

const OracleSpan* EarliestRoot(const OracleTrace& trace, const TraceNotes& notes) {
  std::vector<const OracleSpan*> roots = notes.foreign_roots;
  for (const OracleSpan* span : trace.spans) {
    if (span->is_root) roots.push_back(span);
  }
  const auto earliest = std::min_element(roots.begin(), roots.end(), StartsBefore);
  return earliest == roots.end() ? nullptr : *earliest;
}

bool IsProbed(const OracleScene& scene, const OracleTrace& trace, const OracleSpan* root) {
  if (root != nullptr && root->kind == kServer && root->is_probe) return true;
  return std::all_of(trace.spans.begin(), trace.spans.end(),
                     [&](const OracleSpan* span) { return IsExcluded(*span, scene.policy); });
}

/// Two roots that are no breaks themselves do not hang together either.
void NoteFragments(const OracleTrace& trace, OracleLedger& ledger) {
  const TraceNotes& notes = ledger.NotesOf(trace.id);
  std::vector<const OracleSpan*> roots;  // by start
  for (const OracleSpan* span : trace.spans) {
    const bool is_break =
        std::any_of(notes.breaks.begin(), notes.breaks.end(), [span](const TraceNotes::Note& note) {
          return note.at == span &&
                 (note.reason == "new_internal_root" || note.reason == "new_client_root" ||
                  note.reason == "message_without_context");
        });
    if (span->is_root && !is_break) roots.push_back(span);
  }
  if (roots.size() >= 2) ledger.AddBreak("fragments", *roots[1]);
}

Outcome DecideRequest(const OracleScene& scene, const OracleTrace& trace, const OracleSpan* root,
                      OracleLedger& ledger) {
  const TraceNotes& notes = ledger.NotesOf(trace.id);
  if (root != nullptr && notes.continued_roots.contains(root)) return Excluded("continued");
  if (IsProbed(scene, trace, root)) return Excluded("probe");
  NoteFragments(trace, ledger);
  if (!notes.breaks.empty()) return Bad(FirstOf(notes.breaks).reason);
  if (HasPieceWithoutTop(trace)) {
    ledger.AddFinding("unknown_cause", root != nullptr ? *root : *trace.spans.front());
    return Bad("unknown_cause");
  }
  if (!notes.unknowns.empty()) return Unknown(FirstOf(notes.unknowns).reason);
  return Good();
}

Outcome DecideLog(const OracleScene& scene, const ModelLog& log) {
  constexpr std::size_t kTraceIdSize = 16;
  constexpr std::size_t kSpanIdSize = 8;
  const bool has_trace = !log.trace_id.empty();
  const bool has_span = !log.span_id.empty();
  if ((has_trace && !IsValidId(log.trace_id, kTraceIdSize)) ||
      (has_span && !IsValidId(log.span_id, kSpanIdSize))) {
    return Bad("log_zero_id");
  }
  if (!has_trace) {
    const std::string instance = InstanceOf(log.resource);
    if (instance.empty()) return Unknown("no_instance");
    const auto time = static_cast<std::int64_t>(log.time_nanoseconds / 1000);
    if (scene.entries.IsInside(instance, time)) return Bad("log_without_id");
    return Excluded("background");
  }
  const OracleTrace* const trace = scene.traces.Find(log.trace_id);
  if (trace == nullptr) {
    const bool is_sampled = (log.flags & kSampledFlag) != 0;
    return is_sampled ? Bad("log_unknown_trace") : Excluded("not_sampled");
  }
  if (has_span && !trace->nodes.contains(log.span_id)) return Bad("log_unknown_span");
  return Good();
}

}  // namespace

void JudgeRequest(const OracleScene& scene, const OracleTrace& trace, OracleLedger& ledger) {
  const OracleSpan* const root = EarliestRoot(trace, ledger.NotesOf(trace.id));
  const Outcome outcome = DecideRequest(scene, trace, root, ledger);
  ledger.AddRequest(root != nullptr ? root->service : trace.spans.front()->service, outcome);
}

void JudgeLog(const OracleScene& scene, const ModelLog& log, OracleLedger& ledger) {
  ledger.AddLog(ValueOf(log.resource, "service.name"), DecideLog(scene, log), log);
}

}  // namespace tracekeeper::truth
