// `tracekeeper analyze -o markdown`: short enough for a pull request's description.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "cli/analysis.h"

namespace tracekeeper::cli {
namespace {

using continuity::Family;
using continuity::Outcome;
using continuity::Ratio;

constexpr std::size_t kEdges = 10;
constexpr std::size_t kCauses = 10;

template <typename... Args>
void Print(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

/// Names come from traces: none may end a cell, start a tag or a link.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char letter : text) {
    const bool is_special =
        std::string_view("\\`*_{}[]<>()#+-!|").find(letter) != std::string::npos;
    if (is_special) cell += '\\';
    cell += letter == '\n' || letter == '\r' ? ' ' : letter;
  }
  return cell.empty() ? "?" : cell;
}

void PrintFamily(std::string_view title, const Ratio& ratio, std::string& out) {
  if (ratio.seen == 0) return;
  Print(out, "| {} | {} | {} | {} | {} | {} |\n", title, PercentOf(ratio),
        Grouped(ratio.of(Outcome::kGood)), Grouped(ratio.of(Outcome::kBad)),
        Grouped(ratio.of(Outcome::kExcluded)), Grouped(ratio.of(Outcome::kUnknown)));
}

void PrintEdges(const continuity::Report& report, std::string& out) {
  if (WorstEdge(report) == nullptr) return;
  out += "\n| Hop | Continuity | Broken | Causes |\n|---|---:|---:|---|\n";
  std::size_t shown = 0;
  for (const continuity::EdgeReport& edge : report.edges) {
    if (edge.hops.of(Outcome::kBad) == 0 || shown++ == kEdges) break;
    std::string causes;
    for (const auto& [cause, count] : edge.causes) {
      Print(causes, "{}`{}` {}", causes.empty() ? "" : ", ", NameOf(cause), Grouped(count));
    }
    Print(out, "| {} → {} ({}) | {} | {} | {} |\n", Cell(edge.client), Cell(edge.server),
          NameOf(edge.protocol), PercentOf(edge.hops), Grouped(edge.hops.of(Outcome::kBad)),
          causes);
  }
}

void PrintCauses(const continuity::Report& report, std::string& out) {
  if (report.causes.empty()) return;
  out += "\n| Cause | Count | Where | Example trace |\n|---|---:|---|---|\n";
  const std::size_t shown = std::min(report.causes.size(), kCauses);
  for (const continuity::CauseReport& cause : std::span(report.causes).first(shown)) {
    Print(out, "| `{}` ({}) | {} | {} | {} |\n", NameOf(cause.cause), ClassOf(cause.cause),
          Grouped(cause.count), cause.top.empty() ? "" : Cell(cause.top.front().service),
          cause.examples.empty() || cause.examples.front().trace_id.empty()
              ? ""
              : fmt::format("`{}`", cause.examples.front().trace_id));
  }
  Print(out, "\n{} {}\n", SentenceOf(report.causes.front().cause),
        AdviceOf(report.causes.front().cause));
}

}  // namespace

std::string MarkdownOf(const Analysis& analysis) {
  const continuity::Report& report = analysis.report;
  std::string out;
  Print(out, "### Trace continuity: {}\n\n", PercentOf(report.of(Family::kHop)));
  Print(out, "{} spans in {} traces.\n\n", Grouped(analysis.structure.spans),
        Grouped(analysis.structure.traces));
  out += "| | Continuity | Good | Broken | Excluded | Unknown |\n|---|---:|---:|---:|---:|---:|\n";
  PrintFamily("Hops", report.of(Family::kHop), out);
  PrintFamily("Requests", report.of(Family::kRequest), out);
  PrintFamily("In process", report.of(Family::kInProcess), out);
  PrintFamily("Logs", report.of(Family::kLog), out);
  PrintEdges(report, out);
  PrintCauses(report, out);
  return out;
}

}  // namespace tracekeeper::cli
