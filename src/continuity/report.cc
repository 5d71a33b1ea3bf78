#include "src/continuity/report.h"

#include <fmt/format.h>

#include <algorithm>

namespace tracekeeper::continuity {
namespace {

constexpr std::size_t kExamples = 5;
constexpr std::size_t kOffenders = 10;

}  // namespace

bool Ratio::adds_up() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t result : results) sum += result;
  return sum == seen;
}

std::optional<double> Ratio::ratio() const {
  if (judged() == 0) return std::nullopt;
  return static_cast<double>(of(Outcome::kGood)) / static_cast<double>(judged());
}

void ReportBuilder::OnSeen(Family family, std::uint64_t units) {
  report_.families[static_cast<std::size_t>(family)].seen += units;
}

void ReportBuilder::OnTrace(const TraceTree& tree, const JudgedTrace& trace) {
  for (const Unit& unit : trace.units) {
    Count(unit.family, unit.verdict);
    if (unit.family == Family::kHop) CountEdge(unit);
  }
  for (const BreakInTrace& at : BreaksIn(tree, trace)) {
    const Shape& shape = tree.shape(at.span);
    AddFinding(at.cause, {shape.service, at.peer, shape.name},
               {.trace_id = HexOf(tree.IdAsSent(at.span)),
                .span_id = HexOf(tree.span(at.span).id),
                .detail = DetailOf(tree, at.span, recording_.names())});
  }
  const bool is_wanted = which_ == WhichTraces::kAll ||
                         (which_ == WhichTraces::kBroken && trace.request().verdict.is_bad());
  if (is_wanted) report_.traces.push_back(ReportOf(tree, trace, recording_.names()));
}

void ReportBuilder::OnInvalidSpan(const InvalidSpan& span) {
  const Shape& shape = recording_.shapes().Get(span.shape);
  Count(Family::kInProcess, Verdict::Bad(Cause::kInvalidId));
  AddFinding(Cause::kInvalidId, {shape.service, 0, shape.name},
             {.trace_id = span.trace_id,
              .span_id = span.span_id,
              .detail = fmt::format("{} \"{}\"", NameOf(shape.kind), Text(shape.name))});
}

void ReportBuilder::OnLog(const ReadLog& log, Verdict verdict) {
  Count(Family::kLog, verdict);
  if (!verdict.is_bad()) return;
  AddFinding(verdict.cause, {log.service, 0, 0},
             {.trace_id = log.trace_state == IdState::kNone ? "" : HexOf(log.trace),
              .span_id = log.span_state == IdState::kNone ? "" : HexOf(log.span),
              .detail = "a log record"});
}

void ReportBuilder::Count(Family family, Verdict verdict) {
  Ratio& ratio = report_.families[static_cast<std::size_t>(family)];
  ++ratio.results[static_cast<std::size_t>(verdict.outcome)];
  if (verdict.reason != Reason::kNone) ++report_.reasons[{family, verdict.reason}];
}

void ReportBuilder::CountEdge(const Unit& unit) {
  EdgeCounts& edge = edges_[{unit.service, unit.server, unit.protocol}];
  ++edge.hops.seen;
  ++edge.hops.results[static_cast<std::size_t>(unit.verdict.outcome)];
  if (unit.verdict.is_bad()) ++edge.causes[unit.verdict.cause];
}

void ReportBuilder::AddFinding(Cause cause, OffenderKey offender, Example example) {
  CauseCounts& counts = causes_[cause];
  ++counts.count;
  ++counts.offenders[offender];
  if (counts.examples.size() < kExamples) counts.examples.push_back(std::move(example));
}

std::string ReportBuilder::Text(NameId id) const {
  return std::string(recording_.names().Text(id));
}

Report ReportBuilder::Finish() {
  report_.edges = FinishEdges();
  report_.causes = FinishCauses();
  return std::move(report_);
}

std::vector<EdgeReport> ReportBuilder::FinishEdges() const {
  std::vector<EdgeReport> edges;
  for (const auto& [key, counts] : edges_) {
    const auto& [client, server, protocol] = key;
    edges.push_back({.client = Text(client),
                     .server = Text(server),
                     .protocol = protocol,
                     .hops = counts.hops,
                     .causes = counts.causes});
  }
  const auto order = [](const EdgeReport& edge) {
    return std::tuple(~edge.hops.of(Outcome::kBad), ~edge.hops.judged(), ~edge.hops.seen,
                      std::tie(edge.client), std::tie(edge.server), edge.protocol);
  };
  std::ranges::sort(edges, {}, order);
  return edges;
}

std::vector<CauseReport> ReportBuilder::FinishCauses() const {
  std::vector<CauseReport> causes;
  for (const auto& [cause, counts] : causes_) {
    CauseReport& report = causes.emplace_back();
    report.cause = cause;
    report.count = counts.count;
    report.examples = counts.examples;
    for (const auto& [key, count] : counts.offenders) {
      const auto& [service, peer, name] = key;
      report.top.push_back(
          {.service = Text(service), .peer = Text(peer), .span_name = Text(name), .count = count});
    }
    std::ranges::sort(report.top, {}, [](const Offender& offender) {
      return std::tuple(~offender.count, std::tie(offender.service), std::tie(offender.peer),
                        std::tie(offender.span_name));
    });
    report.top.resize(std::min(report.top.size(), kOffenders));
  }
  std::ranges::stable_sort(causes, std::ranges::greater(), &CauseReport::count);
  return causes;
}

}  // namespace tracekeeper::continuity
