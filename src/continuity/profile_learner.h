#pragma once
// ProfileLearner learns a Profile from whole traces.
//
//   for (tree : traces) learner.Learn(tree);
//   Profile profile = learner.Finish();
//
// What it learns is a function of the set of traces: their order changes nothing.
//
// Threads:  one thread.
// Cost:     keeps a few words for each entry span and each root until Finish.

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/continuity/busy_times.h"
#include "src/continuity/profile.h"
#include "src/continuity/trace_tree.h"

namespace tracekeeper::continuity {

class ProfileLearner {
 public:
  ProfileLearner(const ShapeTable& shapes, Names& names) : shapes_(shapes), names_(names) {}

  void Learn(const TraceTree& tree);
  /// Once.
  Profile Finish();

 private:
  using Votes = std::map<NameId, std::uint64_t>;

  struct InstanceTimes {
    NameId service = 0;
    Microseconds first_start = UINT64_MAX;
    Microseconds last_end = 0;
    BusyTimes busy;
  };
  struct Root {
    OperationKey operation;
    NameId instance = 0;
    Microseconds start = 0;
  };

  void LearnSpan(const TraceTree& tree, SpanIndex index);
  void LearnTimes(const Span& span, const Shape& shape);
  void LearnEntryLink(const TraceTree& tree, SpanIndex index);
  void LearnCall(const Span& caller, const Span& callee);
  void FinishTimes();
  void FinishVotes();
  void FinishAddresses();
  /// The most votes; of equals the first by text.
  [[nodiscard]] NameId Winner(const Votes& votes) const;

  const ShapeTable& shapes_;
  Names& names_;
  Profile profile_;
  std::unordered_map<NameId, InstanceTimes> times_;  // of an instance
  std::vector<Root> roots_;
  std::vector<Microseconds> skews_;
  std::vector<Microseconds> delays_;
  std::map<std::pair<NameId, NameId>, Votes> callers_;  // of a service and the name of an entry
  std::map<NameId, Votes> service_callers_;
  std::map<NameId, Votes> address_services_;
  std::map<NameId, std::map<std::uint64_t, std::uint64_t>> thresholds_;
};

}  // namespace tracekeeper::continuity
