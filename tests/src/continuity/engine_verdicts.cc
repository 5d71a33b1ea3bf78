#include "tests/src/continuity/engine_verdicts.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "src/continuity/batch_analysis.h"
#include "src/continuity/report.h"

namespace tracekeeper::continuity {
namespace {

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

NameList ListOf(const std::set<std::string>& names) {
  return NameList(std::vector<std::string>(names.begin(), names.end()));
}

std::string TextOf(Verdict verdict) {
  switch (verdict.outcome) {
    case Outcome::kGood:
      return "good";
    case Outcome::kBad:
      return fmt::format("bad {}", NameOf(verdict.cause));
    case Outcome::kExcluded:
    case Outcome::kUnknown:
      break;
  }
  return fmt::format("{} {}", NameOf(verdict.outcome), NameOf(verdict.reason));
}

class VerdictsSink final : public VerdictSink {
 public:
  VerdictsSink(const Recording& recording, std::span<const truth::ModelLog> logs)
      : recording_(recording), logs_(logs) {}

  void OnSeen(Family family, std::uint64_t units) override { Of(seen_, family) += units; }

  void OnTrace(const TraceTree& tree, const JudgedTrace& trace) override {
    for (const Unit& unit : trace.units) {
      Count(unit);
      if (unit.verdict.is_bad() && unit.family != Family::kRequest) {
        AddFinding(unit.verdict.cause, tree, unit.span);
      }
    }
    for (const Finding& finding : trace.findings) AddFinding(finding.cause, tree, finding.span);
  }

  void OnInvalidSpan(const InvalidSpan& span) override {
    const Shape& shape = recording_.shapes().Get(span.shape);
    const Verdict verdict = Verdict::Bad(Cause::kInvalidId);
    Add(Family::kInProcess, "in_process", verdict);
    ++verdicts_.in_process[fmt::format("{} {}", Text(shape.service), TextOf(verdict))];
    verdicts_.findings.insert(
        fmt::format("{} {} {}", NameOf(verdict.cause), span.trace_id, span.span_id));
  }

  void OnLog(const ReadLog& log, Verdict verdict) override {
    const truth::ModelLog& sent = logs_[next_log_++];
    Add(Family::kLog, "log", verdict);
    ++verdicts_.logs[fmt::format("{} {}", Text(log.service), TextOf(verdict))];
    if (!verdict.is_bad()) return;
    verdicts_.findings.insert(
        fmt::format("{} {} {}", NameOf(verdict.cause), Hex(sent.trace_id), Hex(sent.span_id)));
  }

  truth::Verdicts Finish() {
    EXPECT_EQ(seen_, judged_) << "what was seen is not what was judged";
    return std::move(verdicts_);
  }

 private:
  using Counts = std::array<std::uint64_t, kFamilies>;

  static std::uint64_t& Of(Counts& counts, Family family) {
    return counts[static_cast<std::size_t>(family)];
  }
  std::string_view Text(NameId name) const { return recording_.names().Text(name); }

  void Add(Family family, std::string_view name, Verdict verdict) {
    ++Of(judged_, family);
    ++verdicts_.units[fmt::format("{} {}", name, TextOf(verdict))];
  }

  void Count(const Unit& unit) {
    const std::string text = TextOf(unit.verdict);
    Add(unit.family, NameOf(unit.family), unit.verdict);
    if (unit.family == Family::kHop) {
      ++verdicts_.hops[fmt::format("{} > {} {} {}", Text(unit.service), Text(unit.server),
                                   NameOf(unit.protocol), text)];
    } else {
      auto& counts = unit.family == Family::kRequest ? verdicts_.requests : verdicts_.in_process;
      ++counts[fmt::format("{} {}", Text(unit.service), text)];
    }
  }

  void AddFinding(Cause cause, const TraceTree& tree, SpanIndex span) {
    verdicts_.findings.insert(fmt::format("{} {} {}", NameOf(cause), HexOf(tree.IdAsSent(span)),
                                          HexOf(tree.span(span).id)));
  }

  const Recording& recording_;
  std::span<const truth::ModelLog> logs_;
  std::size_t next_log_ = 0;
  Counts seen_{};
  Counts judged_{};
  truth::Verdicts verdicts_;
};

}  // namespace

truth::Verdicts JudgeByEngine(std::span<const truth::ModelSpan> spans,
                              std::span<const truth::ModelLog> logs,
                              const truth::ModelPolicy& policy,
                              std::span<const std::size_t> order) {
  std::vector<truth::ModelSpan> arriving(spans.begin(), spans.end());
  if (!order.empty()) {
    arriving.clear();
    for (const std::size_t index : order) arriving.push_back(spans[index]);
  }
  Recording recording;
  EXPECT_TRUE(recording.AddTraces(truth::TracesRequest(arriving)));
  EXPECT_TRUE(recording.AddLogs(truth::LogsRequest(logs)));
  const Rules rules{.entrypoints = ListOf(policy.entrypoints),
                    .excluded_services = ListOf(policy.excluded_services),
                    .excluded_scopes = ListOf(policy.excluded_scopes),
                    .excluded_span_names = ListOf(policy.excluded_span_names)};
  VerdictsSink sink(recording, logs);
  BatchAnalysis(recording, rules, {}).Run(sink);
  return sink.Finish();
}

}  // namespace tracekeeper::continuity
