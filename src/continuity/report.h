#pragma once
// Report is the outcome of an analysis, for people and for `tracekeeper analyze -o json`: ratios,
// edges, causes with examples, traces. ReportBuilder makes it from verdicts as they become final.
//
// Threads:  one thread.
// Owner:    texts are copied where they are few and numbers where they are many: names must
//           outlive the builder, not the report.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "src/continuity/batch_analysis.h"
#include "src/continuity/structure.h"
#include "src/continuity/trace_report.h"

namespace tracekeeper::continuity {

struct Ratio {
  std::uint64_t seen = 0;  // counted before anything was judged
  std::array<std::uint64_t, kOutcomes> results{};

  [[nodiscard]] std::uint64_t of(Outcome outcome) const {
    return results[static_cast<std::size_t>(outcome)];
  }
  [[nodiscard]] std::uint64_t judged() const { return of(Outcome::kGood) + of(Outcome::kBad); }
  /// good + bad + excluded + unknown = seen.
  [[nodiscard]] bool adds_up() const;
  /// good / (good + bad); nothing where both are 0.
  [[nodiscard]] std::optional<double> ratio() const;
};

struct EdgeReport {
  std::string client;
  std::string server;
  Protocol protocol = Protocol::kHttp;
  Ratio hops;
  std::map<Cause, std::uint64_t> causes;
};

struct Offender {
  std::string service;
  std::string peer;
  std::string span_name;
  std::uint64_t count = 0;
};

struct Example {
  std::string trace_id;
  std::string span_id;
  std::string detail;
};

struct CauseReport {
  Cause cause = Cause::kUnknownCause;
  std::uint64_t count = 0;
  std::vector<Offender> top;  // most first
  std::vector<Example> examples;
};

struct Report {
  std::array<Ratio, kFamilies> families;
  std::vector<EdgeReport> edges;    // worst first
  std::vector<CauseReport> causes;  // most first
  std::vector<TraceReport> traces;
  /// How many units were excluded or are unknown, by family and reason.
  std::map<std::pair<Family, Reason>, std::uint64_t> reasons;

  [[nodiscard]] const Ratio& of(Family family) const {
    return families[static_cast<std::size_t>(family)];
  }
};

enum class WhichTraces : std::uint8_t { kNone, kBroken, kAll };

class ReportBuilder final : public VerdictSink {
 public:
  ReportBuilder(const Recording& recording, WhichTraces which)
      : recording_(recording), which_(which) {}

  void OnSeen(Family family, std::uint64_t units) override;
  void OnTrace(const TraceTree& tree, const JudgedTrace& trace) override;
  void OnInvalidSpan(const InvalidSpan& span) override;
  void OnLog(const ReadLog& log, Verdict verdict) override;

  Report Finish();

 private:
  using EdgeKey = std::tuple<NameId, NameId, Protocol>;
  struct EdgeCounts {
    Ratio hops;
    std::map<Cause, std::uint64_t> causes;
  };
  using OffenderKey = std::tuple<NameId, NameId, NameId>;  // service, peer, span name
  struct CauseCounts {
    std::uint64_t count = 0;
    std::map<OffenderKey, std::uint64_t> offenders;
    std::vector<Example> examples;
  };

  void Count(Family family, Verdict verdict);
  void CountEdge(const Unit& unit);
  void AddFinding(Cause cause, OffenderKey offender, Example example);
  [[nodiscard]] std::string Text(NameId id) const;
  [[nodiscard]] std::vector<EdgeReport> FinishEdges() const;
  [[nodiscard]] std::vector<CauseReport> FinishCauses() const;

  const Recording& recording_;
  const WhichTraces which_;
  Report report_;
  std::map<EdgeKey, EdgeCounts> edges_;
  std::map<Cause, CauseCounts> causes_;
};

}  // namespace tracekeeper::continuity
