// `tracekeeper analyze`, as a person reads it: the answer first, then where, why, and examples.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "cli/analysis.h"

namespace tracekeeper::cli {
namespace {

using continuity::Family;
using continuity::Outcome;
using continuity::Ratio;

constexpr std::size_t kEdges = 20;
constexpr std::size_t kOffenders = 3;
constexpr std::size_t kExamples = 2;
constexpr std::size_t kNameWidth = 28;

template <typename... Args>
void Print(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

/// Texts come from traces: none may steer the terminal or break a line.
std::string Printable(std::string text) {
  const auto is_control = [](unsigned char byte) { return byte < 0x20 || byte == 0x7F; };
  std::ranges::replace_if(text, is_control, '?');
  return text;
}

/// Long names keep their beginning and their end, which tell them apart.
std::string Shortened(const std::string& text, std::size_t width) {
  if (text.empty()) return "(unknown)";
  if (text.size() <= width) return Printable(text);
  const std::size_t head = width * 2 / 3;
  return Printable(text.substr(0, head) + "~" + text.substr(text.size() - (width - head - 1)));
}

std::string CountOf(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", Grouped(count), count == 1 ? one : many);
}

/// Words in lines of at most kTextWidth columns; lines after the first begin with `indent`.
std::string Wrapped(std::string_view text, std::string_view indent) {
  constexpr std::size_t kTextWidth = 100;
  std::string out;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (column > 0 && column + 1 + end > kTextWidth) {
      out += '\n';
      out += indent;
      column = indent.size();
    } else if (column > 0) {
      out += ' ';
      ++column;
    }
    out += text.substr(0, end);
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

void PrintInputs(const Analysis& analysis, std::string& out) {
  const continuity::Structure& structure = analysis.structure;
  Print(out, "{} in {}", CountOf(structure.spans, "span", "spans"),
        CountOf(structure.traces, "trace", "traces"));
  if (structure.repeats > 0) {
    Print(out, ", {} left out", CountOf(structure.repeats, "repeat", "repeats"));
  }
  out += "\n";
  for (const AnalyzedInput& input : analysis.inputs) {
    Print(out, "  {} ({}, {})\n", input.file, NameOf(input.format),
          CountOf(input.rows, "record", "records"));
    if (input.rejected.empty()) continue;
    Print(out, "    {} could not be read; the first, at byte {}: {}\n",
          CountOf(input.rejected.size(), "record", "records"), input.rejected.front().offset,
          Printable(input.rejected.front().reason));
  }
}

void PrintFamily(std::string_view title, std::string_view good, const Ratio& ratio,
                 std::string& out) {
  if (ratio.seen == 0) return;
  Print(out, "  {:<12}{:>8}   {} of {} {}", title, PercentOf(ratio),
        Grouped(ratio.of(Outcome::kGood)), Grouped(ratio.judged()), good);
  if (ratio.of(Outcome::kExcluded) > 0) {
    Print(out, ", {} not counted", Grouped(ratio.of(Outcome::kExcluded)));
  }
  if (ratio.of(Outcome::kUnknown) > 0) {
    Print(out, ", {} unknown", Grouped(ratio.of(Outcome::kUnknown)));
  }
  out += "\n";
}

void PrintAnswer(const continuity::Report& report, std::string& out) {
  out += "\nContinuity\n";
  PrintFamily("Hops", "calls and messages kept their trace", report.of(Family::kHop), out);
  PrintFamily("Requests", "traces are whole", report.of(Family::kRequest), out);
  PrintFamily("In process", "steps have their parent", report.of(Family::kInProcess), out);
  PrintFamily("Logs", "records name a span that is there", report.of(Family::kLog), out);
}

const continuity::CauseReport* CauseReportOf(const continuity::Report& report,
                                             continuity::Cause cause) {
  const auto found = std::ranges::find(report.causes, cause, &continuity::CauseReport::cause);
  return found == report.causes.end() ? nullptr : &*found;
}

void PrintCauseInWords(const continuity::Report& report, continuity::Cause cause,
                       std::string& out) {
  Print(out, "  {}\n", Wrapped(SentenceOf(cause), "  "));
  Print(out, "  {}\n", Wrapped(fmt::format("What to do: {}", AdviceOf(cause)), "  "));
  const continuity::CauseReport* const found = CauseReportOf(report, cause);
  if (found == nullptr || found->examples.empty()) return;
  Print(out, "  Look at trace {}, span {}.\n", found->examples.front().trace_id,
        found->examples.front().span_id);
}

/// The edge that breaks most and its first cause; else the first cause of anything.
void PrintWorst(const continuity::Report& report, std::string& out) {
  if (const continuity::EdgeReport* const edge = WorstEdge(report)) {
    const auto worst =
        std::ranges::max_element(edge->causes, {}, [](const auto& row) { return row.second; });
    Print(out, "\nWorst hop: {} -> {} ({}) broke {} of {} times, {} by {}.\n",
          Shortened(edge->client, kNameWidth), Shortened(edge->server, kNameWidth),
          NameOf(edge->protocol), Grouped(edge->hops.of(Outcome::kBad)),
          Grouped(edge->hops.judged()), Grouped(worst->second), NameOf(worst->first));
    PrintCauseInWords(report, worst->first, out);
    return;
  }
  const auto worst = std::ranges::find_if(
      report.causes, [](const auto& cause) { return !CountsInOf(cause.cause).nowhere(); });
  if (worst == report.causes.end()) {
    out += "\nNothing is broken.\n";
    return;
  }
  Print(out, "\nMost often: {}, {}.\n", NameOf(worst->cause),
        CountOf(worst->count, "time", "times"));
  PrintCauseInWords(report, worst->cause, out);
}

void PrintEdges(const continuity::Report& report, std::string& out) {
  if (report.edges.empty()) return;
  Print(out, "\n{:<{}}  {:<{}}  {:<9}  {:>10} {:>9} {:>7} {:>9} {:>8}  {}\n", "CLIENT", kNameWidth,
        "SERVER", kNameWidth, "PROTOCOL", "CONTINUITY", "GOOD", "BROKEN", "EXCLUDED", "UNKNOWN",
        "CAUSES");
  const std::size_t shown = std::min(report.edges.size(), kEdges);
  for (const continuity::EdgeReport& edge : std::span(report.edges).first(shown)) {
    std::string causes;
    for (const auto& [cause, count] : edge.causes) {
      Print(causes, "{}{} {}", causes.empty() ? "" : ", ", NameOf(cause), Grouped(count));
    }
    const std::string row =
        fmt::format("{:<{}}  {:<{}}  {:<9}  {:>10} {:>9} {:>7} {:>9} {:>8}  {}",
                    Shortened(edge.client, kNameWidth), kNameWidth,
                    Shortened(edge.server, kNameWidth), kNameWidth, NameOf(edge.protocol),
                    PercentOf(edge.hops), Grouped(edge.hops.of(Outcome::kGood)),
                    Grouped(edge.hops.of(Outcome::kBad)), Grouped(edge.hops.of(Outcome::kExcluded)),
                    Grouped(edge.hops.of(Outcome::kUnknown)), causes);
    Print(out, "{}\n", row.substr(0, row.find_last_not_of(' ') + 1));
  }
  if (shown < report.edges.size()) {
    Print(out, "... and {} (-o json has all)\n",
          CountOf(report.edges.size() - shown, "more edge", "more edges"));
  }
}

void PrintCauses(const continuity::Report& report, std::string& out) {
  if (report.causes.empty()) return;
  out += "\nCAUSES\n";
  for (const continuity::CauseReport& cause : report.causes) {
    Print(out, "  {:<4} {:<24} {:>9}{}\n", ClassOf(cause.cause), NameOf(cause.cause),
          Grouped(cause.count), CountsInOf(cause.cause).nowhere() ? "   reported only" : "");
    for (std::size_t i = 0; i < std::min(cause.top.size(), kOffenders); ++i) {
      const continuity::Offender& top = cause.top[i];
      Print(out, "         {:>9}  {}{}{}{}\n", Grouped(top.count),
            Shortened(top.service, kNameWidth), top.peer.empty() ? "" : " with ",
            Printable(top.peer),
            top.span_name.empty() ? "" : fmt::format(", \"{}\"", Shortened(top.span_name, 40)));
    }
    for (std::size_t i = 0; i < std::min(cause.examples.size(), kExamples); ++i) {
      const continuity::Example& example = cause.examples[i];
      if (example.trace_id.empty()) continue;
      Print(out, "         trace {} span {}\n", example.trace_id, example.span_id);
    }
  }
  out += "\nRun `tracekeeper explain cause NAME` for what a cause means and what to do.\n";
}

void PrintReasons(const continuity::Report& report, std::string& out) {
  if (report.reasons.empty()) return;
  out += "\nNOT COUNTED, OR UNKNOWN\n";
  for (const auto& [key, count] : report.reasons) {
    Print(out, "  {:<12} {:<24} {:>9}\n", NameOf(key.first), NameOf(key.second), Grouped(count));
  }
}

void PrintTraces(const continuity::Report& report, std::string& out) {
  if (report.traces.empty()) return;
  out += "\nTRACES\n";
  for (const continuity::TraceReport& trace : report.traces) {
    Print(out, "  {} {}, {}\n", trace.trace_id, NameOf(trace.verdict.outcome),
          CountOf(trace.pieces, "piece", "pieces"));
    for (const continuity::TraceFinding& finding : trace.findings) {
      Print(out, "    {:<24} span {}  {}{}{}: {}\n", NameOf(finding.cause), finding.span_id,
            Printable(finding.service), finding.peer.empty() ? "" : " with ",
            Printable(finding.peer), Printable(finding.detail));
    }
  }
}

}  // namespace

std::string Grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3;) {
    i -= 3;
    digits.insert(i, ",");
  }
  return digits;
}

std::string PercentOf(const continuity::Ratio& ratio) {
  const auto value = ratio.ratio();
  if (!value) return "-";
  if (ratio.of(Outcome::kBad) == 0) return "100 %";
  // Rounded down: 100.0 % with a break in it would be a lie.
  constexpr double kTenths = 1000;
  return fmt::format("{:.1f} %", std::floor(*value * kTenths) / 10);
}

const continuity::EdgeReport* WorstEdge(const continuity::Report& report) {
  if (report.edges.empty()) return nullptr;
  const continuity::EdgeReport& worst = report.edges.front();
  return worst.hops.of(Outcome::kBad) == 0 ? nullptr : &worst;
}

std::string TableOf(const Analysis& analysis) {
  std::string out;
  PrintInputs(analysis, out);
  PrintAnswer(analysis.report, out);
  PrintWorst(analysis.report, out);
  PrintEdges(analysis.report, out);
  PrintCauses(analysis.report, out);
  PrintReasons(analysis.report, out);
  PrintTraces(analysis.report, out);
  return out;
}

}  // namespace tracekeeper::cli
