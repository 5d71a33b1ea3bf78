#include "tests/truth/oracle_traces.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <tuple>

#include "src/otlp/tracestate.h"

namespace tracekeeper::truth {
namespace {

constexpr std::size_t kHalfTraceId = 8;
constexpr std::uint32_t kRandomFlag = 0x02;

using Node = std::vector<OracleSpan*>;

bool IsEntryKind(const OracleSpan& span) { return span.kind == kServer || span.kind == kConsumer; }

bool IsFirstOfNode(const OracleSpan* left, const OracleSpan* right) {
  return std::tie(left->start, left->service, left->kind, left->name, left->end) <
         std::tie(right->start, right->service, right->kind, right->name, right->end);
}

void TakeWithoutRepeats(std::span<const ModelSpan> spans, OracleTraces& traces) {
  using Row = std::tuple<std::string, std::string, std::string, int, std::string, std::string,
                         std::int64_t, std::int64_t>;
  std::set<Row> seen;
  for (const ModelSpan& sent : spans) {
    OracleSpan span = ReadSpan(sent);
    const Row row{span.trace_id, span.span_id, span.named_parent, sent.kind,
                  span.service,  span.name,    span.start,        span.end};
    if (seen.insert(row).second) traces.all.push_back(std::move(span));
  }
}

bool IsShort(const std::string& trace_id) {
  return IsZeros(std::string_view(trace_id).substr(0, kHalfTraceId));
}

/// Each short trace of which exactly one other trace has the lower half.
std::map<std::string, std::string> FindLongerIds(const std::set<std::string>& ids) {
  std::map<std::string, std::vector<std::string>> long_ids;  // by lower half
  for (const std::string& id : ids) {
    if (!IsShort(id)) long_ids[id.substr(kHalfTraceId)].push_back(id);
  }
  std::map<std::string, std::string> longer;
  for (const std::string& id : ids) {
    const auto same_half = long_ids.find(id.substr(kHalfTraceId));
    if (!IsShort(id) || same_half == long_ids.end() || same_half->second.size() != 1) continue;
    longer[id] = same_half->second.front();
  }
  return longer;
}

void Group(OracleTraces& traces) {
  std::set<std::string> ids;
  for (const OracleSpan& span : traces.all) {
    if (span.has_valid_ids) ids.insert(span.trace_id);
  }
  traces.longer_ids = FindLongerIds(ids);
  for (OracleSpan& span : traces.all) {
    if (!span.has_valid_ids) continue;
    const auto longer = traces.longer_ids.find(span.trace_id);
    span.is_cut = longer != traces.longer_ids.end();
    span.judged_trace = span.is_cut ? longer->second : span.trace_id;
    OracleTrace& trace = traces.traces[span.judged_trace];
    trace.id = span.judged_trace;
    trace.spans.push_back(&span);
    trace.nodes[span.span_id].push_back(&span);
  }
}

OracleSpan* OutSpanOf(const Node& node) {
  const auto found =
      std::find_if(node.begin(), node.end(), [](const OracleSpan* span) { return span->is_out; });
  return found == node.end() ? nullptr : *found;
}

bool IsShared(const Node& node) {
  if (node.size() < 2) return false;
  int internal = 0;
  int out = 0;
  int entries = 0;
  for (const OracleSpan* span : node) {
    internal += span->has_kind && span->kind == kInternal ? 1 : 0;
    out += span->is_out ? 1 : 0;
    entries += IsEntryKind(*span) ? 1 : 0;
  }
  return internal == 0 && (out == 1 || (out == 0 && entries == 1));
}

/// Which span of its parent's node is the parent of `child`.
OracleSpan* ChooseParent(const OracleSpan& child, const Node& node) {
  OracleSpan* of_service = nullptr;
  OracleSpan* entry_of_service = nullptr;
  OracleSpan* entry = nullptr;
  for (OracleSpan* span : node) {
    const bool is_of_service = span->service == child.service;
    if (is_of_service && of_service == nullptr) of_service = span;
    if (!IsEntryKind(*span)) continue;
    if (is_of_service && entry_of_service == nullptr) entry_of_service = span;
    if (entry == nullptr) entry = span;
  }
  if (entry_of_service != nullptr) return entry_of_service;
  if (of_service != nullptr) return of_service;
  return entry != nullptr ? entry : node.front();
}

bool IsRemoteLink(const OracleSpan& child) {
  const OracleSpan& parent = *child.parent;
  if (parent.span_id == child.span_id) return true;  // the out span of its own node
  if (child.is_parent_remote) return *child.is_parent_remote;
  if (IsEntryKind(child) && parent.is_out) return true;
  if (child.service != parent.service) return true;
  return !child.instance.empty() && !parent.instance.empty() && child.instance != parent.instance;
}

void FindParent(OracleSpan& span, OracleTrace& trace) {
  const Node& own_node = trace.nodes.at(span.span_id);
  OracleSpan* const out = IsShared(own_node) ? OutSpanOf(own_node) : nullptr;
  if (span.is_entry && out != nullptr && out != &span) {
    span.parent = out;
    span.parent_node = span.span_id;
  } else {
    span.parent_node = span.parent_id;
    const auto node = trace.nodes.find(span.parent_id);
    if (node != trace.nodes.end()) span.parent = ChooseParent(span, node->second);
  }
  span.has_unit = span.has_kind || !IsShared(own_node);
  if (span.parent == nullptr) {
    span.is_root = span.has_unit && span.parent_id.empty();
    span.is_orphan = span.has_unit && !span.parent_id.empty();
    return;
  }
  span.is_remote = IsRemoteLink(span);
  span.is_cut_from_parent = span.is_cut && !span.parent->is_cut;
  span.parent->children.push_back(&span);
  if (span.has_unit && span.parent->is_out && (span.is_remote || span.is_cut_from_parent)) {
    span.parent->is_paired = true;
  }
}

void ReadRandomness(OracleTrace& trace) {
  constexpr std::uint64_t kLow56Bits = otlp::kSamplingRange - 1;
  for (const OracleSpan* span : trace.spans) {
    const auto said = otlp::ReadOtEntry(span->tracestate).randomness;
    if (said) trace.randomness = std::min(*said, trace.randomness.value_or(*said));
  }
  if (trace.randomness) return;
  for (const OracleSpan* span : trace.spans) {
    if ((span->flags & kRandomFlag) != 0) trace.randomness = LowHalf(trace.id) & kLow56Bits;
  }
}

void Connect(OracleTrace& trace) {
  std::sort(trace.spans.begin(), trace.spans.end(), [](const auto* left, const auto* right) {
    if (StartsBefore(left, right) || StartsBefore(right, left)) return StartsBefore(left, right);
    return IsFirstOfNode(left, right);
  });
  for (auto& [id, node] : trace.nodes) {
    std::sort(node.begin(), node.end(), IsFirstOfNode);
    if (node.size() > 1 && !IsShared(node)) trace.collisions.push_back(node.front());
  }
  for (OracleSpan* span : trace.spans) FindParent(*span, trace);
  ReadRandomness(trace);
}

/// Groups of spans, each named by one of its spans.
class Groups {
 public:
  const OracleSpan* LeaderOf(const OracleSpan* span) {
    const OracleSpan* leader = span;
    while (leaders_.contains(leader)) leader = leaders_.at(leader);
    if (leader != span) leaders_[span] = leader;  // the way is short the next time
    return leader;
  }
  void Join(const OracleSpan* left, const OracleSpan* right) {
    const OracleSpan* const leader = LeaderOf(right);
    if (LeaderOf(left) != leader) leaders_[LeaderOf(left)] = leader;
  }

 private:
  std::map<const OracleSpan*, const OracleSpan*> leaders_;
};

}  // namespace

std::uint64_t LowHalf(const std::string& trace_id) {
  std::uint64_t number = 0;
  for (const char byte : trace_id.substr(kHalfTraceId)) {
    number = number << 8U | static_cast<unsigned char>(byte);
  }
  return number;
}

const OracleTrace* OracleTraces::Find(const std::string& trace_id) const {
  const auto longer = longer_ids.find(trace_id);
  const auto found = traces.find(longer == longer_ids.end() ? trace_id : longer->second);
  return found == traces.end() ? nullptr : &found->second;
}

OracleTraces Assemble(std::span<const ModelSpan> spans) {
  OracleTraces traces;
  TakeWithoutRepeats(spans, traces);
  Group(traces);
  for (auto& [id, trace] : traces.traces) Connect(trace);
  return traces;
}

bool HasPieceWithoutTop(const OracleTrace& trace) {
  Groups pieces;
  std::map<std::string, const OracleSpan*> first_child;  // of an absent parent
  for (const OracleSpan* span : trace.spans) {
    if (span->parent != nullptr && !span->is_cut_from_parent) pieces.Join(span, span->parent);
    if (span->is_orphan)
      pieces.Join(span, first_child.emplace(span->parent_id, span).first->second);
    if (span->has_unit) continue;
    // It is no piece by itself: it belongs to its node.
    for (const OracleSpan* other : trace.nodes.at(span->span_id)) {
      if (other->has_unit) pieces.Join(span, other);
    }
  }
  std::set<const OracleSpan*> with_top;
  for (const OracleSpan* span : trace.spans) {
    if (span->is_root || span->is_orphan) with_top.insert(pieces.LeaderOf(span));
  }
  return std::any_of(trace.spans.begin(), trace.spans.end(), [&](const OracleSpan* span) {
    return !with_top.contains(pieces.LeaderOf(span));
  });
}

}  // namespace tracekeeper::truth
