#pragma once
// Judges a whole Recording: learns the profile from all of it, then looks at each trace, joins, and
// concludes. What comes out does not depend on the order in which the recording was made.
//
// Threads:  one thread.
// Owner:    the recording outlives it; the sink is told as each verdict is final.
// Cost:     sorts the spans; puts each trace in order three times instead of keeping the trees.

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "src/continuity/join_stage.h"
#include "src/continuity/judge.h"
#include "src/continuity/recording.h"

namespace tracekeeper::continuity {

/// Who is told. `seen` comes before the unit is judged: that what was seen is what was judged is
/// for the sink to check.
class VerdictSink {
 public:
  virtual ~VerdictSink() = default;

  virtual void OnSeen(Family family, std::uint64_t units) = 0;
  virtual void OnTrace(const TraceTree& tree, const JudgedTrace& trace) = 0;
  virtual void OnInvalidSpan(const InvalidSpan& span) = 0;
  virtual void OnLog(const ReadLog& log, Verdict verdict) = 0;
};

struct AnalysisProgress {
  std::string_view step;  // "learning", "judging", "joining"
  std::size_t done = 0;   // traces
  std::size_t of = 0;
};
using OnProgress = std::function<void(const AnalysisProgress&)>;

class BatchAnalysis {
 public:
  BatchAnalysis(Recording& recording, PolicyRules rules, OnProgress on_progress);

  /// Learns where `profile` is none.
  void Run(VerdictSink& sink, std::optional<Profile> profile = std::nullopt);
  [[nodiscard]] const Profile& profile() const { return *profile_; }

 private:
  /// Spans that are judged as one trace: those of one id, and of the short form of it.
  struct Group {
    otlp::TraceId id;
    std::size_t first = 0;
    std::size_t last = 0;
  };

  void FindGroups();
  /// Calls `use(index)` for each group, its tree built.
  template <typename Use>
  void ForEachTrace(std::string_view step, Use use);
  void JudgeInvalidSpans(VerdictSink& sink) const;
  void JudgeLogs(const std::vector<Answer>& were_open, VerdictSink& sink) const;
  [[nodiscard]] bool HasSpan(otlp::TraceId trace, std::uint64_t span) const;
  [[nodiscard]] bool HasSpanAsSent(otlp::TraceId trace, std::uint64_t span) const;

  Recording& recording_;
  const PolicyRules rules_;
  const OnProgress on_progress_;
  std::optional<Profile> profile_;
  std::vector<RecordedSpan> spans_;  // by lower half of the trace id, trace, span
  std::vector<Group> groups_;
  std::vector<Span> trace_;  // the spans of the tree
  TraceTree tree_;
};

}  // namespace tracekeeper::continuity
