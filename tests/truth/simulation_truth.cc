#include "tests/truth/simulation_truth.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

namespace tracekeeper::truth {
namespace {

constexpr int kError = 2;

bool IsLegal(Loss loss) { return loss == Loss::kSampledOut || loss == Loss::kFiltered; }

class Truth {
 public:
  Truth(const Ledger& ledger, Sampling sampling)
      : ledger_(ledger), sampling_(sampling), explained_(ledger.spans.size(), false) {}

  std::vector<SeededBreak> Read() {
    AddPlanted();
    AddOrphans();
    for (const CallRecord& call : ledger_.calls) {
      AddCall(call);
    }
    AddRepeated();
    AddLogs();
    return std::move(breaks_);
  }

 private:
  [[nodiscard]] const SpanRecord& Of(SpanIndex index) const { return ledger_.spans[index]; }
  [[nodiscard]] bool Arrives(SpanIndex index) const {
    return index != kNoSpan && Of(index).arrives();
  }

  void Add(std::string_view cause, SpanIndex at) {
    breaks_.push_back({std::string(cause), Of(at).span.trace_id, Of(at).span.span_id});
  }

  void AddPlanted() {
    for (const Planted& planted : ledger_.planted) {
      if (Arrives(planted.shows) && (planted.needs == kNoSpan || Arrives(planted.needs))) {
        Add(planted.cause, planted.shows);
        explained_[planted.shows] = explained_[planted.shows] || planted.cause != "unfinished";
      }
    }
  }

  void AddOrphans() {
    std::vector<std::uint32_t> children(ledger_.spans.size(), 0);
    for (const SpanRecord& record : ledger_.spans) {
      if (record.arrives() && record.parent != kNoSpan) {
        ++children[record.parent];
      }
    }
    for (SpanIndex index = 0; index < ledger_.spans.size(); ++index) {
      const SpanRecord& record = Of(index);
      const SpanIndex parent = NamedParent(record);
      if (!record.arrives() || explained_[index] || parent == kNoSpan || Of(parent).arrives() ||
          IsLegal(Of(parent).loss)) {
        continue;
      }
      Add(CauseOfOrphan(record, Of(parent), children[parent]), index);
    }
  }

  /// The span whose id the record carries as its parent's, or in its place: a span that shares the
  /// id of its call carries that of the call's parent.
  [[nodiscard]] SpanIndex NamedParent(const SpanRecord& record) const {
    if (!record.shared || record.parent == kNoSpan || Of(record.parent).arrives()) {
      return record.parent;
    }
    return Of(record.parent).parent;
  }

  static std::string_view CauseOfOrphan(const SpanRecord& orphan, const SpanRecord& parent,
                                        std::uint32_t siblings) {
    if (parent.loss == Loss::kOwnSampler) {
      return "sampling_break";
    }
    if (orphan.remote_parent) {
      return "orphan_remote_parent";
    }
    if (parent.loss == Loss::kBatch) {
      return "lost_batch";
    }
    return parent.loss == Loss::kStream && siblings > 1 ? "open_parent" : "orphan_local_parent";
  }

  void AddCall(const CallRecord& call) {
    if (!Arrives(call.client) || call.server == kNoSpan) {
      return;
    }
    const SpanRecord& client = Of(call.client);
    const SpanRecord& server = Of(call.server);
    if (server.arrives() && !call.context_lost && client.span.tracestate.starts_with("ot=") &&
        server.span.tracestate.empty()) {
      Add("tracestate_lost", call.server);
    }
    if (client.span.status == kError) {
      return;  // not delivered, for all that the caller knows
    }
    if (server.arrives()) {
      if (call.context_lost) {
        Add("broken_hop", call.client);
      }
      return;
    }
    // The callee decides anew for what looks like a new trace: where all decide alike, that it is
    // not there is the fault of who lost the context.
    const bool new_decision = call.context_lost && sampling_ != Sampling::kPerService;
    if (!IsLegal(server.loss) || new_decision) {
      Add("silent_hop", call.client);
    }
  }

  void AddRepeated() {
    for (const auto& [traceparent, entries] : ledger_.repeated) {
      std::vector<SpanIndex> seen;
      for (const SpanIndex entry : entries) {
        if (Arrives(entry)) {
          seen.push_back(entry);
        }
      }
      std::sort(seen.begin(), seen.end(), [this](SpanIndex a, SpanIndex b) {
        return Of(a).span.start_nanoseconds < Of(b).span.start_nanoseconds;
      });
      if (seen.size() > 1) {
        Add("mixed_traces", seen[1]);
      }
    }
  }

  void AddLogs() {
    std::set<std::string_view> traces;
    for (const SpanRecord& record : ledger_.spans) {
      if (record.arrives()) {
        traces.insert(record.span.trace_id);
      }
    }
    for (const LogRecord& record : ledger_.logs) {
      const std::string_view cause = CauseOfLog(record, traces);
      if (!cause.empty()) {
        breaks_.push_back({std::string(cause), record.log.trace_id, record.log.span_id});
      }
    }
  }

  [[nodiscard]] std::string_view CauseOfLog(const LogRecord& record,
                                            const std::set<std::string_view>& traces) const {
    const bool sampled = (record.log.flags & 1U) != 0;
    switch (record.fault) {
      case LogFault::kWithoutId: {
        const bool open = Arrives(record.entry) &&
                          Of(record.entry).started_at <= record.written_at &&
                          record.written_at <= Of(record.entry).ended_at;
        return open ? "log_without_id" : "";
      }
      case LogFault::kZeroId:
        return "log_zero_id";
      case LogFault::kForeignId:
        return sampled ? "log_unknown_trace" : "";
      case LogFault::kNone:
        break;
    }
    if (record.span == kNoSpan || Of(record.span).arrives() || IsLegal(Of(record.span).loss)) {
      return "";
    }
    if (traces.contains(record.log.trace_id)) {
      return "log_unknown_span";
    }
    return sampled ? "log_unknown_trace" : "";
  }

  const Ledger& ledger_;
  Sampling sampling_;
  std::vector<bool> explained_;  // by what was planted: no orphan of another cause
  std::vector<SeededBreak> breaks_;
};

}  // namespace

std::vector<SeededBreak> TruthOf(const Ledger& ledger, Sampling sampling) {
  return Truth(ledger, sampling).Read();
}

}  // namespace tracekeeper::truth
