#include "src/analysis/continuity_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "src/continuity/report.h"

namespace tracekeeper::analysis {
namespace {

using continuity::Family;
using continuity::kOutcomes;
using continuity::Outcome;
using continuity::UnitCounts;
using telemetry::Exposition;
using telemetry::Label;
using telemetry::MetricType;

constexpr std::array<Outcome, kOutcomes> kResults = {Outcome::kGood, Outcome::kBad,
                                                     Outcome::kExcluded, Outcome::kUnknown};

struct FamilyNames {
  Family family;
  const char* total;
  const char* total_help;
  const char* breaks;
  const char* breaks_help;
  const char* repaired;
  const char* repaired_help;
};

constexpr FamilyNames kFamilyNames[] = {
    {Family::kHop, "tracekeeper_hops_total",
     "Crossings from one service to another, by what became of their context.",
     "tracekeeper_hop_breaks_total",
     "Hops that lost their context, by cause; sums to tracekeeper_hops_total{result=\"bad\"}.",
     "tracekeeper_hop_verdicts_repaired_total",
     "Verdicts of hops that late spans changed, from one result to another."},
    {Family::kRequest, "tracekeeper_requests_total",
     "Settled traces, by the service that they entered at and what became of them.",
     "tracekeeper_request_breaks_total",
     "Broken traces, by the cause of the break that starts first.",
     "tracekeeper_request_verdicts_repaired_total",
     "Verdicts of requests that late spans changed, from one result to another."},
    {Family::kInProcess, "tracekeeper_in_process_total",
     "Steps inside of a process, by what became of their context.",
     "tracekeeper_in_process_breaks_total", "Steps in a process that lost their context, by cause.",
     "tracekeeper_in_process_verdicts_repaired_total",
     "Verdicts of steps in a process that late spans changed, from one result to another."},
    {Family::kLog, "tracekeeper_logs_total",
     "Log records, by whether they name a span that is there.", "tracekeeper_log_breaks_total",
     "Log records that do not lead to their span, by cause.",
     "tracekeeper_log_verdicts_repaired_total",
     "Verdicts of log records that late spans changed, from one result to another."},
};

/// Of a series, with room for those that its samples add.
std::vector<Label> LabelsOf(const SeriesKey& key) {
  std::vector<Label> labels = {{"policy", key.policy.name},
                               {"policy_namespace", key.policy.namespace_name}};
  switch (key.family) {
    case Family::kHop:
      labels.emplace_back("client", key.service);
      labels.emplace_back("server", key.server);
      labels.emplace_back("protocol", NameOf(key.protocol));
      break;
    case Family::kRequest:
      labels.emplace_back("entry", key.service);
      break;
    case Family::kInProcess:
    case Family::kLog:
      labels.emplace_back("service", key.service);
      break;
  }
  return labels;
}

template <typename Write>
void ForEachOf(Family family, const SeriesTable& series, Write write) {
  for (const auto& [key, counts] : series.units) {
    if (key.family == family) write(LabelsOf(key), counts);
  }
}

template <typename Value>
void WriteResults(Family family, const SeriesTable& series, Exposition& text, Value value) {
  ForEachOf(family, series, [&](std::vector<Label> labels, const UnitCounts& counts) {
    labels.emplace_back("result", "");
    for (const Outcome outcome : kResults) {
      labels.back().second = NameOf(outcome);
      text.Sample(telemetry::Labels(labels), value(counts, outcome));
    }
  });
}

std::optional<telemetry::Exemplar> ExemplarOf(const UnitCounts& counts, continuity::Cause cause) {
  const auto found = std::ranges::find(counts.exemplars, cause, &continuity::BreakExemplar::cause);
  if (found == counts.exemplars.end()) return std::nullopt;
  const continuity::SpanReference& shown_at = found->shown_at;
  if (shown_at.trace == otlp::TraceId()) return std::nullopt;
  constexpr double kMicrosecondsPerSecond = 1e6;
  return telemetry::Exemplar{
      .labels = fmt::format("trace_id=\"{}\",span_id=\"{}\"", continuity::HexOf(shown_at.trace),
                            continuity::HexOf(shown_at.span)),
      .seconds = static_cast<double>(shown_at.time) / kMicrosecondsPerSecond};
}

void WriteBreaks(Family family, const SeriesTable& series, Exposition& text) {
  ForEachOf(family, series, [&](std::vector<Label> labels, const UnitCounts& counts) {
    labels.emplace_back("cause", "");
    for (std::size_t i = 0; i < continuity::kCauseCount; ++i) {
      const auto cause = static_cast<continuity::Cause>(i);
      const std::uint64_t breaks = counts.first[CodeOf(continuity::Verdict::Bad(cause))];
      if (breaks == 0) continue;
      labels.back().second = NameOf(cause);
      text.Sample(telemetry::Labels(labels), static_cast<double>(breaks),
                  ExemplarOf(counts, cause));
    }
  });
}

void WriteRepairs(Family family, const SeriesTable& series, Exposition& text) {
  ForEachOf(family, series, [&](std::vector<Label> labels, const UnitCounts& counts) {
    labels.emplace_back("from", "");
    labels.emplace_back("to", "");
    for (std::size_t from = 0; from < kOutcomes; ++from) {
      labels[labels.size() - 2].second = NameOf(kResults[from]);
      for (std::size_t to = 0; to <= kOutcomes; ++to) {
        if (from == to) continue;
        labels.back().second = to == continuity::kWithdrawn ? "withdrawn" : NameOf(kResults[to]);
        text.Sample(telemetry::Labels(labels), static_cast<double>(counts.repaired[from][to]));
      }
    }
  });
}

void WritePopulation(const SeriesTable& series, Exposition& text) {
  text.Family(MetricType::kCounter, "tracekeeper_requests_population_total",
              "Requests that the settled traces stand for, by the threshold of their sampling; "
              "traces without a known one are not in it.");
  WriteResults(Family::kRequest, series, text, [](const UnitCounts& counts, Outcome outcome) {
    return counts.population[static_cast<std::size_t>(outcome)];
  });
  text.Family(MetricType::kCounter, "tracekeeper_requests_threshold_known_total",
              "Settled traces whose sampling threshold is known.");
  WriteResults(Family::kRequest, series, text, [](const UnitCounts& counts, Outcome outcome) {
    return static_cast<double>(counts.threshold_known[static_cast<std::size_t>(outcome)]);
  });
}

void WriteSeen(const SeriesTable& series, Exposition& text) {
  text.Family(MetricType::kCounter, "tracekeeper_units_seen_total",
              "Units that came up, counted apart from their results: good + bad + excluded + "
              "unknown.");
  for (const auto& [policy, units] : series.seen) {
    for (const FamilyNames& names : kFamilyNames) {
      // Its label is the singular of what the reports call "logs".
      const bool is_log = names.family == Family::kLog;
      text.Sample({{"policy", policy.name},
                   {"policy_namespace", policy.namespace_name},
                   {"family", is_log ? "log" : NameOf(names.family)}},
                  static_cast<double>(units[static_cast<std::size_t>(names.family)]));
    }
  }
  text.Family(MetricType::kCounter, "tracekeeper_series_folded_total",
              "Edges, services and policies that are counted as \"other\", because the limit of "
              "series was reached.");
  constexpr const char* kFamilies[] = {"hop", "request", "in_process", "log"};
  for (std::size_t i = 0; i < continuity::kFamilies; ++i) {
    text.Sample({{"family", kFamilies[i]}}, static_cast<double>(series.folded[i]));
  }
  text.Sample({{"family", "policy"}}, static_cast<double>(series.folded_policies));
}

void WriteShards(const Snapshot& snapshot, Exposition& text) {
  struct Column {
    const char* name;
    const char* help;
    std::uint64_t ShardState::* value;
  };
  constexpr Column kColumns[] = {
      {"tracekeeper_spans_pending", "Spans that came in and are not judged yet.",
       &ShardState::pending_spans},
      {"tracekeeper_span_table_bytes", "Memory that spans and what is remembered of them take.",
       &ShardState::table_bytes},
      {"tracekeeper_span_table_budget_bytes", "Memory that they may take.",
       &ShardState::budget_bytes},
  };
  for (const Column& column : kColumns) {
    text.Family(MetricType::kGauge, column.name, column.help);
    for (std::size_t i = 0; i < snapshot.shards.size(); ++i) {
      text.Sample({{"shard", std::to_string(i)}},
                  static_cast<double>(snapshot.shards[i].*column.value));
    }
  }
}

void WriteReceived(const IntakeCounts& intake, Exposition& text) {
  text.Family(MetricType::kCounter, "tracekeeper_spans_received_total",
              "Spans that came in, repeats too.");
  for (const otlp::Ingress ingress : otlp::kIngresses) {
    text.Sample({{"source", NameOf(ingress)}},
                static_cast<double>(intake.spans[static_cast<std::size_t>(ingress)]));
  }
  text.Family(MetricType::kCounter, "tracekeeper_logs_received_total",
              "Log records that came in, repeats too.");
  for (const otlp::Ingress ingress : otlp::kIngresses) {
    text.Sample({{"source", NameOf(ingress)}},
                static_cast<double>(intake.logs[static_cast<std::size_t>(ingress)]));
  }
  text.Family(MetricType::kCounter, "tracekeeper_requests_refused_total",
              "OTLP requests of which nothing was taken, by reason.");
  for (const otlp::RefuseReason reason : otlp::kRefuseReasons) {
    text.Sample({{"reason", NameOf(reason)}},
                static_cast<double>(intake.refused[static_cast<std::size_t>(reason)]));
  }
  text.Family(MetricType::kGauge, "tracekeeper_queue_bytes", "Requests that wait to be read.");
  text.Sample({}, static_cast<double>(intake.queued_bytes));
  text.Family(MetricType::kGauge, "tracekeeper_queue_budget_bytes",
              "How much may wait; what comes beyond is refused and may come again.");
  text.Sample({}, static_cast<double>(intake.queue_budget_bytes));
}

void WriteLosses(const continuity::ShardCounts& counts, Exposition& text) {
  text.Family(MetricType::kCounter, "tracekeeper_shed_traces_total",
              "Traces that there was no room for, by their roots; counted as unknown.");
  text.Sample({{"reason", "memory"}}, static_cast<double>(counts.shed_traces));
  text.Family(MetricType::kCounter, "tracekeeper_traces_forgotten_early_total",
              "Traces that were judged and forgotten before their time: no late span repairs "
              "them.");
  text.Sample({}, static_cast<double>(counts.forgotten_early));
  text.Family(MetricType::kCounter, "tracekeeper_late_spans_total",
              "Spans of traces that were forgotten; counted as unknown.");
  text.Sample({}, static_cast<double>(counts.late_spans));
}

}  // namespace

void WriteContinuityMetrics(const Snapshot& snapshot, Exposition& text) {
  const SeriesTable& series = snapshot.series;
  for (const FamilyNames& names : kFamilyNames) {
    text.Family(MetricType::kCounter, names.total, names.total_help);
    WriteResults(names.family, series, text, [](const UnitCounts& counts, Outcome outcome) {
      return static_cast<double>(counts.Of(outcome));
    });
    text.Family(MetricType::kCounter, names.breaks, names.breaks_help);
    WriteBreaks(names.family, series, text);
    text.Family(MetricType::kCounter, names.repaired, names.repaired_help);
    WriteRepairs(names.family, series, text);
  }
  WritePopulation(series, text);
  WriteSeen(series, text);
  WriteReceived(snapshot.intake, text);
  WriteShards(snapshot, text);
  WriteLosses(snapshot.counts, text);
}

}  // namespace tracekeeper::analysis
