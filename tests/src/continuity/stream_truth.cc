#include "tests/src/continuity/stream_truth.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "src/continuity/batch_analysis.h"

namespace tracekeeper::continuity {
namespace {

std::string TextOf(const Names& names, const UnitKey& key, Verdict verdict) {
  const std::string_view why = verdict.is_bad() ? NameOf(verdict.cause) : NameOf(verdict.reason);
  return fmt::format("{} {} > {} {} {} {}", NameOf(key.family), names.Text(key.service),
                     names.Text(key.server), NameOf(key.protocol), NameOf(verdict.outcome), why);
}

/// What the batch engine says, in the same words.
class TotalsSink final : public VerdictSink {
 public:
  TotalsSink(const Recording& recording, Totals& totals) : recording_(recording), totals_(totals) {}

  void OnSeen(Family, std::uint64_t) override {}
  void OnTrace(const TraceTree& tree, const JudgedTrace& trace) override {
    for (const Unit& unit : trace.units) {
      const UnitKey key{.family = unit.family,
                        .protocol = unit.protocol,
                        .policy = unit.policy,
                        .service = unit.service,
                        .server = unit.server};
      ++totals_[TextOf(recording_.names(), key, unit.verdict)];
    }
    for (const Finding& finding : trace.findings) {
      const NameId service = tree.shape(finding.span).service;
      ++totals_[fmt::format("{} {}", NameOf(finding.cause), recording_.names().Text(service))];
    }
  }
  void OnInvalidSpan(const InvalidSpan& span) override {
    const Shape& shape = recording_.shapes().Get(span.shape);
    const UnitKey key{.family = Family::kInProcess, .service = shape.service};
    ++totals_[TextOf(recording_.names(), key, Verdict::Bad(Cause::kInvalidId))];
  }
  void OnLog(const ReadLog& log, Verdict verdict) override {
    ++totals_[TextOf(recording_.names(), {.family = Family::kLog, .service = log.service},
                     verdict)];
  }

 private:
  const Recording& recording_;
  Totals& totals_;
};

Rules RulesOf(const truth::ModelPolicy& policy) {
  const auto list = [](const std::set<std::string>& names) {
    return NameList(std::vector<std::string>(names.begin(), names.end()));
  };
  return {.entrypoints = list(policy.entrypoints),
          .excluded_services = list(policy.excluded_services),
          .excluded_scopes = list(policy.excluded_scopes),
          .excluded_span_names = list(policy.excluded_span_names)};
}

/// Of one span as it came.
struct Place {
  bool is_valid = false;
  std::size_t number = 0;  // among the valid ones, or among the others
  std::optional<std::uint64_t> randomness;
};

std::vector<Place> PlacesOf(std::span<const truth::ModelSpan> spans) {
  std::vector<Place> places;
  std::size_t valid = 0;
  std::size_t invalid = 0;
  for (const truth::ModelSpan& span : spans) {
    Recording alone;
    EXPECT_TRUE(alone.AddTraces(truth::TracesRequest(std::span(&span, 1))));
    Place& place = places.emplace_back();
    place.is_valid = alone.invalid_spans().empty();
    place.number = place.is_valid ? valid++ : invalid++;
    if (place.is_valid) place.randomness = alone.RandomnessOf(alone.spans().front().trace);
  }
  return places;
}

}  // namespace

Totals NetOf(const Tally& tally, const Names& names) {
  Totals totals;
  for (const auto& [key, counts] : tally.units()) {
    for (std::size_t code = 0; code < kVerdictCodes; ++code) {
      if (counts.net[code] != 0) totals[TextOf(names, key, VerdictOf(code))] += counts.net[code];
    }
  }
  for (const auto& [finding, count] : tally.findings()) {
    if (count == 0) continue;
    totals[fmt::format("{} {}", NameOf(finding.cause), names.Text(finding.service))] += count;
  }
  return totals;
}

std::string Difference(const Totals& want, const Totals& got) {
  std::string text;
  for (const auto& [what, count] : want) {
    const auto found = got.find(what);
    const std::int64_t other = found == got.end() ? 0 : found->second;
    if (other != count) text += fmt::format("{}: {}, not {}\n", what, other, count);
  }
  for (const auto& [what, count] : got) {
    if (!want.contains(what)) text += fmt::format("{}: {}, not 0\n", what, count);
  }
  return text;
}

Recorded::Recorded(std::span<const truth::ModelSpan> spans, std::span<const truth::ModelLog> logs,
                   const truth::ModelPolicy& policy) {
  EXPECT_TRUE(recording_.AddTraces(truth::TracesRequest(spans)));
  EXPECT_TRUE(recording_.AddLogs(truth::LogsRequest(logs)));
  EXPECT_EQ(recording_.spans().size() + recording_.invalid_spans().size(), spans.size());
  for (const Place& place : PlacesOf(spans)) {
    ReadSpan& read = spans_.emplace_back();
    read.is_valid = place.is_valid;
    if (!place.is_valid) {
      read.span.shape = recording_.invalid_spans()[place.number].shape;
      read.trace.low = spans_.size();
      continue;
    }
    const RecordedSpan& recorded = recording_.spans()[place.number];
    read.trace = recorded.trace;
    read.span = recorded.span;
    read.randomness = place.randomness;
  }
  const Rules rules = RulesOf(policy);
  TotalsSink sink(recording_, totals_);
  BatchAnalysis analysis(recording_, rules, {});
  analysis.Run(sink);
  epoch_ = std::make_shared<const Epoch>(Epoch{.rules = rules, .profile = analysis.profile()});
}

ReadSpan Recorded::SpanAt(std::size_t index) const { return spans_[index]; }

}  // namespace tracekeeper::continuity
