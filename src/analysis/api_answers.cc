#include "src/analysis/api_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

#include "src/base/version.h"
#include "src/codec/json_writer.h"
#include "src/continuity/report.h"

namespace tracekeeper::analysis {
namespace {

using codec::JsonWriter;
using continuity::Cause;
using continuity::Family;
using continuity::KnownTrace;
using continuity::Outcome;
using continuity::Reason;
using continuity::TraceFinding;
using continuity::UnitCounts;

/// "2026-01-02T03:04:05.678Z"
std::string TextOf(Instant time) {
  using std::chrono::floor;
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(floor<std::chrono::milliseconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::string TextOfMicroseconds(continuity::Microseconds time) {
  return TextOf(Instant(std::chrono::microseconds(time)));
}

std::uint64_t NetOf(const UnitCounts& counts, Outcome outcome) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, counts.NetOf(outcome)));
}

std::int64_t NetOf(const UnitCounts& counts, Cause cause) {
  return counts.net[CodeOf(continuity::Verdict::Bad(cause))];
}

void WriteRatio(std::uint64_t good, std::uint64_t bad, JsonWriter& json) {
  json.Key("ratio");
  if (good + bad == 0) {
    json.Null();
  } else {
    json.Double(static_cast<double>(good) / static_cast<double>(good + bad));
  }
}

template <typename Count>
void WriteOutcomes(JsonWriter& json, Count count) {
  std::uint64_t seen = 0;
  for (const Outcome outcome :
       {Outcome::kGood, Outcome::kBad, Outcome::kExcluded, Outcome::kUnknown}) {
    json.Key(NameOf(outcome)).Unsigned(count(outcome));
    seen += count(outcome);
  }
  json.Key("seen").Unsigned(seen);
  WriteRatio(count(Outcome::kGood), count(Outcome::kBad), json);
}

void WriteCause(Cause cause, JsonWriter& json) {
  json.Member("cause", NameOf(cause)).Member("class", ClassOf(cause));
  json.Member("sentence", SentenceOf(cause)).Member("advice", AdviceOf(cause));
}

void WriteExample(const continuity::SpanReference& example, JsonWriter& json) {
  json.BeginObject().Member("trace_id", continuity::HexOf(example.trace));
  json.Member("span_id", continuity::HexOf(example.span));
  json.Member("time", TextOfMicroseconds(example.time)).EndObject();
}

void WritePlaceNames(const BreakPlace& place, JsonWriter& json) {
  json.Member("policy", place.policy.text()).Member("service", place.service);
  json.Member("peer", place.peer).Member("scope", place.scope);
  json.Member("span_name", place.span_name);
}

void WritePlace(const BreakPlace& place, JsonWriter& json) {
  json.BeginObject();
  WritePlaceNames(place, json);
  json.Key("count").Unsigned(place.count).Key("error").Unsigned(place.error);
  json.Key("examples").BeginArray();
  for (const continuity::SpanReference& example : place.examples) WriteExample(example, json);
  json.EndArray().EndObject();
}

std::string_view StateOf(KnownTrace::State state) {
  switch (state) {
    case KnownTrace::State::kWaiting:
      return "waiting";
    case KnownTrace::State::kAsking:
      return "asking";
    case KnownTrace::State::kCounted:
      return "counted";
    case KnownTrace::State::kShed:
      return "shed";
    case KnownTrace::State::kForgotten:
      break;
  }
  return "forgotten";
}

/// The breaks that the trace is an example of.
std::vector<TraceFinding> ExamplesOf(const Snapshot& snapshot, const otlp::TraceId& trace) {
  std::vector<TraceFinding> findings;
  for (const BreakPlace& place : snapshot.breaks) {
    for (const continuity::SpanReference& example : place.examples) {
      if (example.trace != trace) continue;
      findings.push_back({.cause = place.cause,
                          .span_id = continuity::HexOf(example.span),
                          .service = place.service,
                          .peer = place.peer,
                          .detail = fmt::format("\"{}\"", place.span_name)});
    }
  }
  return findings;
}

void WriteFinding(const TraceFinding& finding, JsonWriter& json) {
  json.BeginObject();
  WriteCause(finding.cause, json);
  json.Member("span_id", finding.span_id).Member("service", LabelText(finding.service));
  json.Member("peer", LabelText(finding.peer)).Member("detail", LabelText(finding.detail));
  json.EndObject();
}

void WriteReport(const continuity::TraceReport& report, JsonWriter& json) {
  json.Member("verdict", NameOf(report.verdict.outcome));
  const Reason reason = report.verdict.reason;
  if (reason != Reason::kNone) json.Member("reason", NameOf(reason));
  if (report.verdict.is_bad()) json.Member("cause", NameOf(report.verdict.cause));
  json.Key("pieces").Unsigned(report.pieces);
}

void WriteEdge(const SeriesKey& key, const UnitCounts& counts, JsonWriter& json) {
  json.BeginObject().Member("policy", key.policy.text()).Member("client", key.service);
  json.Member("server", key.server).Member("protocol", NameOf(key.protocol));
  WriteOutcomes(json, [&counts](Outcome outcome) { return NetOf(counts, outcome); });
  json.Key("causes").BeginObject();
  for (std::size_t i = 0; i < continuity::kCauseCount; ++i) {
    const auto cause = static_cast<Cause>(i);
    if (NetOf(counts, cause) > 0) json.Key(NameOf(cause)).Integer(NetOf(counts, cause));
  }
  json.EndObject().EndObject();
}

bool Matches(const Filter& filter, const SeriesKey& key, const UnitCounts& counts) {
  if (key.family != Family::kHop) return false;
  if (filter.policy && key.policy != *filter.policy) return false;
  if (filter.service && key.service != *filter.service && key.server != *filter.service) {
    return false;
  }
  return !filter.cause || NetOf(counts, *filter.cause) > 0;
}

bool Matches(const Filter& filter, const BreakPlace& place) {
  if (filter.policy && place.policy != *filter.policy) return false;
  if (filter.service && place.service != *filter.service && place.peer != *filter.service) {
    return false;
  }
  return !filter.cause || place.cause == *filter.cause;
}

/// Breaks and findings of each cause, whatever the filter: exact, where places are within an error.
std::map<Cause, std::uint64_t> TotalsOf(const Snapshot& snapshot) {
  std::map<Cause, std::uint64_t> totals;
  for (const auto& [key, counts] : snapshot.series.units) {
    if (key.family == Family::kRequest) continue;
    for (std::size_t i = 0; i < continuity::kCauseCount; ++i) {
      const auto cause = static_cast<Cause>(i);
      const std::int64_t net = NetOf(counts, cause);
      if (net > 0) totals[cause] += static_cast<std::uint64_t>(net);
    }
  }
  for (const ServiceCause& finding : snapshot.findings) totals[finding.cause] += finding.count;
  return totals;
}

}  // namespace

std::string EdgesJson(const Snapshot& snapshot, const Filter& filter) {
  std::vector<const std::pair<const SeriesKey, UnitCounts>*> edges;
  for (const auto& edge : snapshot.series.units) {
    if (Matches(filter, edge.first, edge.second)) edges.push_back(&edge);
  }
  std::ranges::stable_sort(edges, std::ranges::greater(),
                           [](const auto* edge) { return NetOf(edge->second, Outcome::kBad); });
  const std::size_t shown = std::min(edges.size(), filter.limit);
  JsonWriter json;
  json.BeginObject().Member("taken", TextOf(snapshot.taken)).Key("edges").BeginArray();
  for (std::size_t i = 0; i < shown; ++i) WriteEdge(edges[i]->first, edges[i]->second, json);
  json.EndArray().Key("truncated").Bool(shown < edges.size()).EndObject();
  return json.Take();
}

std::string BreaksJson(const Snapshot& snapshot, const Filter& filter) {
  std::map<Cause, std::vector<const BreakPlace*>> places;
  for (const BreakPlace& place : snapshot.breaks) {
    if (Matches(filter, place)) places[place.cause].push_back(&place);
  }
  const std::map<Cause, std::uint64_t> totals = TotalsOf(snapshot);
  const auto total_of = [&totals](Cause cause) {
    const auto found = totals.find(cause);
    return found == totals.end() ? 0 : found->second;
  };
  std::vector<Cause> causes;
  causes.reserve(places.size());
  for (const auto& [cause, of_cause] : places) causes.push_back(cause);
  std::ranges::stable_sort(causes, std::ranges::greater(), total_of);
  JsonWriter json;
  json.BeginObject().Member("taken", TextOf(snapshot.taken)).Key("breaks").BeginArray();
  for (const Cause cause : causes) {
    const std::vector<const BreakPlace*>& of_cause = places[cause];
    json.BeginObject();
    WriteCause(cause, json);
    json.Key("total").Unsigned(total_of(cause));
    json.Key("counts_in_a_ratio").Bool(!CountsInOf(cause).nowhere());
    json.Key("places").BeginArray();
    const std::size_t shown = std::min(of_cause.size(), filter.limit);
    for (std::size_t i = 0; i < shown; ++i) WritePlace(*of_cause[i], json);
    json.EndArray().Key("truncated").Bool(shown < of_cause.size()).EndObject();
  }
  json.EndArray().Key("other_places_at_most").Unsigned(snapshot.breaks_floor).EndObject();
  return json.Take();
}

std::optional<std::string> TraceJson(const Snapshot& snapshot, const otlp::TraceId& trace,
                                     const std::optional<KnownTrace>& known) {
  const std::vector<TraceFinding> findings =
      known && known->report ? known->report->findings : ExamplesOf(snapshot, trace);
  if (!known && findings.empty()) return std::nullopt;
  JsonWriter json;
  json.BeginObject().Member("trace_id", continuity::HexOf(trace));
  json.Member("state", StateOf(known ? known->state : KnownTrace::State::kForgotten));
  json.Key("spans").Unsigned(known ? known->spans : 0);
  if (known && known->report) WriteReport(*known->report, json);
  json.Key("findings").BeginArray();
  for (const TraceFinding& finding : findings) WriteFinding(finding, json);
  json.EndArray().EndObject();
  return json.Take();
}

std::string GateJson(const GateAnswer& answer, const GateQuestion& question) {
  JsonWriter json;
  json.BeginObject().Member("result", NameOf(answer.result));
  json.Key("pass").Bool(answer.result == GateResult::kPass).Member("reason", answer.reason);
  json.Member("policy", question.policy ? question.policy->text() : "");
  json.Member("indicator", NameOf(question.indicator));
  WriteOutcomes(json, [&answer](Outcome outcome) { return answer.Of(outcome); });
  json.Key("min_ratio").Double(question.min_ratio);
  json.Key("min_judged").Unsigned(question.min_judged).Member("token", answer.token).EndObject();
  return json.Take();
}

std::string HealthJson(const Snapshot& snapshot) {
  const auto sum = [&snapshot](std::uint64_t ShardState::* value) {
    std::uint64_t total = 0;
    for (const ShardState& shard : snapshot.shards) total += shard.*value;
    return total;
  };
  const auto total = [](const auto& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  };
  const Instant started{std::chrono::nanoseconds(snapshot.start)};
  JsonWriter json;
  json.BeginObject().Member("status", snapshot.is_draining ? "draining" : "ok");
  json.Member("version", kVersion).Member("started", TextOf(started));
  json.Member("taken", TextOf(snapshot.taken)).Key("epochs").Unsigned(snapshot.epochs);
  json.Key("learned").Bool(snapshot.is_learned);
  json.Key("settle_seconds").Double(static_cast<double>(snapshot.settle_window) / 1e6);
  json.Key("spans_received").Unsigned(total(snapshot.intake.spans));
  json.Key("logs_received").Unsigned(total(snapshot.intake.logs));
  json.Key("spans_pending").Unsigned(sum(&ShardState::pending_spans));
  json.Key("late_spans").Unsigned(snapshot.counts.late_spans);
  json.Key("shed_traces").Unsigned(snapshot.counts.shed_traces);
  json.Key("table_bytes").Unsigned(sum(&ShardState::table_bytes));
  json.Key("table_budget_bytes").Unsigned(sum(&ShardState::budget_bytes));
  json.Key("queue_bytes").Unsigned(snapshot.intake.queued_bytes);
  json.Key("queue_budget_bytes").Unsigned(snapshot.intake.queue_budget_bytes).EndObject();
  return json.Take();
}

std::string ErrorJson(std::string_view code, std::string_view message) {
  JsonWriter json;
  json.BeginObject().Key("error").BeginObject().Member("code", code).Member("message", message);
  json.EndObject().EndObject();
  return json.Take();
}

}  // namespace tracekeeper::analysis
