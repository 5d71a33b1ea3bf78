#include "src/continuity/cause.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace tracekeeper::continuity {
namespace {

struct Row {
  Cause cause;
  std::string_view number;
  std::string_view name;
  CountsIn counts_in;
  std::string_view sentence;
  std::string_view advice;
};

constexpr CountsIn kHop{.hop = true, .request = true};
constexpr CountsIn kInProcess{.request = true, .in_process = true};
// Hop or in-process, as the orphan that it explains.
constexpr CountsIn kOrphan{.hop = true, .request = true, .in_process = true};
constexpr CountsIn kRequest{.request = true};
constexpr CountsIn kLogs{.logs = true};
constexpr CountsIn kFinding{};

constexpr std::array<Row, kCauseCount> kRows = {{
    {Cause::kOrphanRemoteParent, "B1", "orphan_remote_parent", kHop,
     "The parent is a span of another service, and it never came.",
     "The caller does not export, samples by itself, or is outside: let it export to the same "
     "backend with a parent-based sampler."},
    {Cause::kOrphanLocalParent, "B2", "orphan_local_parent", kInProcess,
     "The parent is a span of the same process, and it never came.",
     "It was not ended on some path, or dropped: end spans in a defer, finally or destructor, and "
     "look at the exporter's queue and the Collector's filters."},
    {Cause::kOpenParent, "B2a", "open_parent", kInProcess,
     "Children of one absent local parent keep coming: it was started and is not ended.",
     "A long-running or leaked goroutine or thread holds a span open: end it, or give each unit of "
     "its work a span of its own that links to it."},
    {Cause::kLostBatch, "B2b", "lost_batch", kInProcess,
     "Parents of many traces are absent from one instance within one export interval.",
     "A batch was lost: raise the queue size of the batch processor, flush when the process ends, "
     "and look at what the instance logged at that time."},
    {Cause::kNewInternalRoot, "B3", "new_internal_root", kInProcess,
     "An internal step that is normally part of a request began a trace of its own.",
     "A goroutine, thread or task was started without the context: pass the request's context, or "
     "a copy that outlives it, to what it starts."},
    {Cause::kNewClientRoot, "B4", "new_client_root", kInProcess,
     "An outgoing call that normally belongs to a request began a trace of its own.",
     "A middleware replaced the request's context, or the call is made after the reply without it: "
     "derive the new context from the request's."},
    {Cause::kBrokenHop, "B5", "broken_hop", kHop,
     "A call left one service and arrived at the other as a new trace.",
     "The header was not sent, was removed on the way, or is in a format that the callee does not "
     "read: compare propagators on both sides and what the proxies between them let through."},
    {Cause::kSilentHop, "B6", "silent_hop", kHop,
     "A call went to an instrumented service, which recorded other requests then and not this one.",
     "The callee samples by itself, lost the span or does not instrument this route: use a "
     "parent-based sampler there, and look at its exporter."},
    {Cause::kMessageWithoutContext, "B7", "message_without_context", kHop,
     "A message was consumed whose headers carry no context.",
     "The producer does not inject, or the broker drops headers: inject into the message's headers "
     "and let the broker keep them."},
    {Cause::kFragments, "B8", "fragments", kRequest,
     "One trace id holds several pieces that do not hang together.",
     "Something between the pieces lost spans or context: the other causes of this trace say what; "
     "without one, look for spans that a filter drops."},
    {Cause::kMixedTraces, "B9", "mixed_traces", kInProcess,
     "Work of different requests shares one trace.",
     "A context was kept where it does not belong: a pooled worker that reuses the last one, a "
     "context stored under a shared key, a caller that repeats one traceparent."},
    {Cause::kSpanIdCollision, "B10", "span_id_collision", kRequest,
     "Different spans carry the same id.",
     "Something copies or overwrites span contexts, or the source of ids is not random: look for "
     "keys that collide in the context and for forked processes with one seed."},
    {Cause::kInvalidId,
     "B11",
     "invalid_id",
     {.in_process = true},
     "A span has an id that is empty, all zeros or of a wrong length.",
     "There was no span in the context it was made from: start it from the request's context, and "
     "let no code of your own write ids."},
    {Cause::kTruncatedId, "B12", "truncated_id", kOrphan,
     "The trace id was cut to its lower 64 bits on the way.",
     "One side speaks a 64-bit format (B3 single, Datadog, Jaeger): switch both to W3C "
     "tracecontext, or to the 128-bit form of that format."},
    {Cause::kSamplingBreak, "B13", "sampling_break", kOrphan,
     "A span that sampling should have kept is absent, or parent and child were sampled apart.",
     "The services decide independently: use parent-based samplers, or consistent probability "
     "samplers everywhere."},
    {Cause::kUnfinished, "B14", "unfinished", kFinding,
     "A span has no end, or ends before it starts.",
     "End is missing on some path, or the clock was set back: end spans in a defer, finally or "
     "destructor, and take durations from a monotonic clock."},
    {Cause::kTracestateLost, "B15", "tracestate_lost", kFinding,
     "The parent's tracestate did not arrive although its traceparent did.",
     "A proxy or an older propagator passes traceparent alone: let it pass tracestate, else "
     "sampling decisions are guessed."},
    {Cause::kWorkAfterReply, "A1", "work_after_reply", kFinding,
     "Work went on after the request it belongs to was answered.",
     "Mostly on purpose; if it must end with the request, wait for it before the reply."},
    {Cause::kCancelledWithParent, "A2", "cancelled_with_parent", kFinding,
     "A call was cancelled because the request it belongs to ended.",
     "The caller gave up or the deadline passed: the hop counts as not delivered; look at the "
     "deadline of the request."},
    {Cause::kLogWithoutId, "L1", "log_without_id", kLogs,
     "A log record written while a request was open carries no trace id.",
     "The logger was called without the context: use the logging call that takes it, or a bridge "
     "that reads the current span."},
    {Cause::kLogZeroId, "L2", "log_zero_id", kLogs, "A log record carries an id of zeros.",
     "The span in the context was not valid where it was written: start one before, or leave the "
     "ids out."},
    {Cause::kLogUnknownTrace, "L3", "log_unknown_trace", kLogs,
     "A log record says that its trace is sampled, and no span of that trace came.",
     "Spans were lost or the id was cut: compare the exporter of traces with that of logs, and the "
     "length of the ids."},
    {Cause::kLogUnknownSpan, "L4", "log_unknown_span", kLogs,
     "A log record names a span that never came, of a trace that did.",
     "The span was not ended or was dropped: it is the same fault as an absent parent, seen "
     "earlier."},
    {Cause::kUnknownCause, "-", "unknown_cause", kRequest, "It is broken, and no rule says why.",
     "Look at an example trace; if it shows a pattern, tell us."},
}};

consteval bool AreInOrder() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].cause) != i) return false;
  }
  return true;
}
static_assert(AreInOrder(), "a row stands where its cause's number says");

const Row& RowOf(Cause cause) { return kRows[static_cast<std::size_t>(cause)]; }

}  // namespace

std::string_view NameOf(Cause cause) { return RowOf(cause).name; }
std::string_view ClassOf(Cause cause) { return RowOf(cause).number; }
std::string_view SentenceOf(Cause cause) { return RowOf(cause).sentence; }
std::string_view AdviceOf(Cause cause) { return RowOf(cause).advice; }
CountsIn CountsInOf(Cause cause) { return RowOf(cause).counts_in; }

std::optional<Cause> FindCause(std::string_view name) {
  const auto is_same = [name](std::string_view text) {
    return std::ranges::equal(text, name, [](unsigned char left, unsigned char right) {
      return std::tolower(left) == std::tolower(right);
    });
  };
  const auto found = std::ranges::find_if(
      kRows, [&](const Row& row) { return is_same(row.name) || is_same(row.number); });
  if (found == kRows.end()) return std::nullopt;
  return found->cause;
}

}  // namespace tracekeeper::continuity
