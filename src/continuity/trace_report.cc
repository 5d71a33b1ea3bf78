#include "src/continuity/trace_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/continuity/structure.h"

namespace tracekeeper::continuity {
namespace {

/// Of a hop the side that did not record the span.
NameId PeerOf(const TraceTree& tree, const Unit& unit) {
  if (unit.family != Family::kHop) return 0;
  return tree.shape(unit.span).service == unit.service ? unit.server : unit.service;
}

}  // namespace

std::string HexOf(otlp::TraceId id) { return fmt::format("{:016x}{:016x}", id.high, id.low); }
std::string HexOf(std::uint64_t span_id) { return fmt::format("{:016x}", span_id); }

std::vector<BreakInTrace> BreaksIn(const TraceTree& tree, const JudgedTrace& trace) {
  std::vector<BreakInTrace> breaks;
  for (const Unit& unit : trace.units) {
    if (!unit.verdict.is_bad() || unit.family == Family::kRequest) continue;
    breaks.push_back({unit.verdict.cause, unit.span, PeerOf(tree, unit)});
  }
  for (const Finding& finding : trace.findings) breaks.push_back({finding.cause, finding.span, 0});
  std::ranges::sort(breaks, [&tree](const BreakInTrace& left, const BreakInTrace& right) {
    return tree.StartsBefore(left.span, right.span);
  });
  return breaks;
}

std::string DetailOf(const TraceTree& tree, SpanIndex index, const Names& names) {
  const Span& span = tree.span(index);
  const Shape& shape = tree.shape(index);
  std::string what = fmt::format("{} \"{}\"", NameOf(shape.kind), names.Text(shape.name));
  if (tree.link(index).kind == LinkKind::kTruncated) {
    return fmt::format("{}, of trace {}", what, HexOf(tree.id()));
  }
  if (tree.link(index).kind != LinkKind::kAbsent) return what;
  const bool is_root_absent = span.parent == tree.id().low;
  return fmt::format("{}, its parent {} is absent{}", what, HexOf(span.parent),
                     is_root_absent ? " (the root)" : "");
}

TraceReport ReportOf(const TraceTree& tree, const JudgedTrace& trace, const Names& names) {
  TraceReport report{.trace_id = HexOf(tree.id()),
                     .verdict = trace.request().verdict,
                     .pieces = tree.pieces(),
                     .findings = {}};
  for (const BreakInTrace& at : BreaksIn(tree, trace)) {
    report.findings.push_back({.cause = at.cause,
                               .span_id = HexOf(tree.span(at.span).id),
                               .service = std::string(names.Text(tree.shape(at.span).service)),
                               .peer = std::string(names.Text(at.peer)),
                               .detail = DetailOf(tree, at.span, names)});
  }
  return report;
}

}  // namespace tracekeeper::continuity
