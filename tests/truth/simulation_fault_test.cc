// Each fault: that it shows in the telemetry as it would in a real system, where the truth says so,
// and that nothing else is broken.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/truth/scoring.h"
#include "tests/truth/simulation.h"
#include "tests/truth/simulation_index.h"

namespace tracekeeper::truth {
namespace {

constexpr int kInternalKind = 1;
constexpr int kServerKind = 2;
constexpr int kClientKind = 3;
constexpr int kProducerKind = 4;
constexpr int kConsumerKind = 5;
constexpr int kErrorStatus = 2;
constexpr std::uint32_t kRemoteKnown = 0x100;
constexpr std::uint32_t kRemote = 0x200;

using Check = bool (*)(const SimulatedIndex&, const ModelSpan&);

bool IsUnansweredCall(const SimulatedIndex& index, const ModelSpan& span) {
  return span.kind == kClientKind && span.status != kErrorStatus &&
         index.ChildrenOf({span.trace_id, span.span_id}).empty();
}
bool IsRemoteOrphan(const SimulatedIndex& index, const ModelSpan& span) {
  return index.IsOrphan(span) && (span.kind == kServerKind || span.kind == kConsumerKind) &&
         ((span.flags & kRemoteKnown) == 0 || (span.flags & kRemote) != 0);
}
bool IsLocalOrphan(const SimulatedIndex& index, const ModelSpan& span) {
  return index.IsOrphan(span) && (span.flags & kRemote) == 0;
}
bool IsOneOfStream(const SimulatedIndex& index, const ModelSpan& span) {
  return IsLocalOrphan(index, span) &&
         index.ChildrenOf({span.trace_id, span.parent_span_id}).size() > 1;
}
bool IsOneOfTwoRoots(const SimulatedIndex& index, const ModelSpan& span) {
  return span.parent_span_id.empty() && index.RootsOf(span.trace_id).size() == 2;
}
bool IsMixed(const SimulatedIndex& index, const ModelSpan& span) {
  const bool repeated =
      index.ChildrenOf({span.trace_id, span.parent_span_id}).size() > 1 && index.IsOrphan(span);
  const bool local_server =
      span.kind == kServerKind && (span.flags & kRemote) == 0 && !span.parent_span_id.empty();
  const auto parents = index.ParentsOf(span);
  const bool stale =
      !parents.empty() && span.start_nanoseconds > parents[0]->end_nanoseconds + 10'000'000'000ULL;
  return repeated || local_server || stale;
}
bool HasDouble(const SimulatedIndex& index, const ModelSpan& span) {
  const auto same = index.At({span.trace_id, span.span_id});
  return same.size() == 2 && same[0]->name != same[1]->name;
}
bool IsCut(const SimulatedIndex& index, const ModelSpan& span) {
  return span.trace_id.starts_with(std::string(8, '\0')) && span.kind == kServerKind &&
         !index.At({index.LongerTrace(span.trace_id), span.parent_span_id}).empty();
}
bool LostTracestate(const SimulatedIndex& index, const ModelSpan& span) {
  const auto parents = index.At({index.LongerTrace(span.trace_id), span.parent_span_id});
  return span.tracestate.empty() && !parents.empty() && parents[0]->tracestate.starts_with("ot=");
}
bool StartsAfterParent(const SimulatedIndex& index, const ModelSpan& span) {
  const auto parents = index.ParentsOf(span);
  return span.kind == kInternalKind && !parents.empty() && parents[0]->kind == kServerKind &&
         span.start_nanoseconds > parents[0]->end_nanoseconds &&
         span.resource == parents[0]->resource;
}

const std::map<std::string, Check>& Checks() {
  static const std::map<std::string, Check> checks = {
      {"broken_hop", IsUnansweredCall},
      {"silent_hop", IsUnansweredCall},
      {"orphan_remote_parent", IsRemoteOrphan},
      {"orphan_local_parent", IsLocalOrphan},
      {"open_parent", IsOneOfStream},
      {"lost_batch", IsLocalOrphan},
      {"new_internal_root",
       [](const SimulatedIndex&, const ModelSpan& span) {
         return span.kind == kInternalKind && span.parent_span_id.empty();
       }},
      {"new_client_root",
       [](const SimulatedIndex&, const ModelSpan& span) {
         return (span.kind == kClientKind || span.kind == kProducerKind) &&
                span.parent_span_id.empty();
       }},
      {"message_without_context",
       [](const SimulatedIndex&, const ModelSpan& span) {
         return span.kind == kConsumerKind && span.parent_span_id.empty() && span.links.empty();
       }},
      {"fragments", IsOneOfTwoRoots},
      {"mixed_traces", IsMixed},
      {"span_id_collision", HasDouble},
      {"invalid_id",
       [](const SimulatedIndex&, const ModelSpan& span) {
         return span.trace_id == std::string(16, '\0') || span.span_id == std::string(8, '\0');
       }},
      {"truncated_id", IsCut},
      {"sampling_break",
       [](const SimulatedIndex& index, const ModelSpan& span) {
         return IsRemoteOrphan(index, span) && span.tracestate.starts_with("ot=th:");
       }},
      {"unfinished",
       [](const SimulatedIndex&, const ModelSpan& span) { return span.end_nanoseconds == 0; }},
      {"tracestate_lost", LostTracestate},
      {"work_after_reply", StartsAfterParent},
      {"cancelled_with_parent", [](const SimulatedIndex&, const ModelSpan& span) {
         return span.status == kErrorStatus && span.status_message == "context canceled";
       }}};
  return checks;
}

bool LogShows(const SimulatedIndex& index, const SeededBreak& seeded) {
  const bool trace_known = !seeded.trace_id.empty() && !index.RootsOf(seeded.trace_id).empty();
  const bool span_known = !index.At({seeded.trace_id, seeded.span_id}).empty();
  if (seeded.cause == "log_without_id") {
    return seeded.trace_id.empty() && seeded.span_id.empty();
  }
  if (seeded.cause == "log_zero_id") {
    return seeded.trace_id == std::string(16, '\0');
  }
  return !span_known && (seeded.cause == "log_unknown_span" || !trace_known);
}

/// Whether the break is to be seen where it should show.
bool Shows(const SimulatedIndex& index, const SeededBreak& seeded) {
  if (seeded.cause.starts_with("log_")) {
    return LogShows(index, seeded);
  }
  const auto spans = index.At({seeded.trace_id, seeded.span_id});
  return std::any_of(spans.begin(), spans.end(), [&](const ModelSpan* span) {
    return Checks().at(seeded.cause)(index, *span);
  });
}

struct FaultCase {
  Fault fault;
  double rate;
  std::string cause;           // the one it is made for
  std::set<std::string> also;  // what else it does
  Sampling sampling = Sampling::kAll;
};

std::vector<FaultCase> FaultCases() {
  const std::set<std::string> of_lost_callee = {"orphan_remote_parent", "silent_hop",
                                                "log_unknown_span", "log_unknown_trace"};
  const std::set<std::string> none;
  return {
      {Fault::kHeaderNotInjected, 0.05, "broken_hop", none},
      {Fault::kHeaderStripped, 0.05, "broken_hop", none},
      {Fault::kCalleeSamples, 0.05, "silent_hop", {"log_unknown_span"}},
      {Fault::kCallerNotExporting, 0.05, "orphan_remote_parent", of_lost_callee},
      {Fault::kLeakedSpan, 0.1, "orphan_local_parent", {"log_unknown_span"}},
      {Fault::kLeakedClient, 0.05, "orphan_remote_parent", none},
      {Fault::kLeakedStream, 0.5, "open_parent", {"log_unknown_span"}},
      {Fault::kUnfinishedSent, 0.1, "unfinished", none},
      {Fault::kLostBatch, 0.1, "lost_batch", of_lost_callee},
      {Fault::kSlowExport, 0.1, "lost_batch", of_lost_callee},
      {Fault::kGoroutineWithoutContext, 0.1, "new_internal_root", none},
      {Fault::kClientWithoutContext, 0.05, "new_client_root", none},
      {Fault::kContextReplaced, 0.1, "new_client_root", {"new_internal_root"}},
      {Fault::kCorrelationId, 0.05, "fragments", none},
      {Fault::kProducerNotInjecting, 0.1, "message_without_context", none},
      {Fault::kStaleWorker, 0.2, "mixed_traces", none},
      {Fault::kRepeatedTraceparent, 0.05, "mixed_traces", none},
      {Fault::kLeakedScope, 0.05, "mixed_traces", none},
      {Fault::kKeyOverwrite, 0.1, "span_id_collision", none},
      {Fault::kZeroId, 0.05, "invalid_id", none},
      {Fault::kTruncatedId, 0.05, "truncated_id", none},
      {Fault::kOwnSampler,
       0.3,
       "sampling_break",
       {"silent_hop", "log_unknown_span"},
       Sampling::kConsistent},
      {Fault::kTracestateDropped, 0.05, "tracestate_lost", none, Sampling::kConsistent},
      {Fault::kWorkAfterReply, 0.1, "work_after_reply", none},
      {Fault::kCancelledWithParent, 0.3, "cancelled_with_parent", none},
      {Fault::kLogWithoutId, 0.05, "log_without_id", none},
      {Fault::kLogZeroId, 0.05, "log_zero_id", none},
      {Fault::kTraceLost, 0.05, "log_unknown_trace", none},
  };
}

class SeededFault : public testing::TestWithParam<FaultCase> {
 protected:
  static Simulated Run() {
    SimulationOptions options;
    options.faults[GetParam().fault] = GetParam().rate;
    options.sampling = GetParam().sampling;
    if (GetParam().fault == Fault::kSlowExport) {
      options.requests_per_second = 30;
      options.export_queue = 32;
      options.export_batch = 16;
    }
    return Simulate(options);
  }

  void ExpectTruthUnderItsCause() const {
    const std::map<std::string, std::size_t> counts = CountByCause(simulated_.breaks);
    // A repeated traceparent is one break, however often it is used.
    const std::size_t least = GetParam().fault == Fault::kRepeatedTraceparent ? 1 : 3;
    ASSERT_TRUE(counts.contains(GetParam().cause));
    EXPECT_GE(counts.at(GetParam().cause), least);
    for (const auto& [cause, times] : counts) {
      EXPECT_TRUE(cause == GetParam().cause || GetParam().also.contains(cause))
          << cause << " " << times;
    }
  }

  void ExpectTelemetryThatShowsIt() const {
    for (const SeededBreak& seeded : simulated_.breaks) {
      EXPECT_TRUE(Shows(index_, seeded)) << FindingOf(seeded);
    }
  }

  void ExpectEveryAbsentParentExplained() const {
    std::set<Ids> seeded;
    for (const SeededBreak& one : simulated_.breaks) {
      seeded.insert({one.trace_id, one.span_id});
    }
    for (const ModelSpan& span : simulated_.spans) {
      if (index_.IsOrphan(span)) {
        EXPECT_TRUE(seeded.contains({span.trace_id, span.span_id}))
            << ServiceOf(span) << " " << span.name;
      }
    }
  }

  Simulated simulated_ = Run();
  SimulatedIndex index_{simulated_};
};

TEST_P(SeededFault, ShowsAsTheTruthSaysAndBreaksNothingElse) {
  ExpectTruthUnderItsCause();
  ExpectTelemetryThatShowsIt();
  if (GetParam().fault != Fault::kRepeatedTraceparent) {  // shown once for all its entries
    ExpectEveryAbsentParentExplained();
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, SeededFault, testing::ValuesIn(FaultCases()), [](const auto& one) {
  std::string name;
  for (const char letter : NameOf(one.param.fault)) {
    name += letter == ' ' ? '_' : letter;
  }
  return name;
});

TEST(SeededFaults, CoverEveryCauseOfTheTaxonomy) {
  std::set<std::string> causes;
  for (const FaultCase& one : FaultCases()) {
    causes.insert(one.cause);
    causes.insert(one.also.begin(), one.also.end());
  }
  for (const auto& [cause, check] : Checks()) {
    EXPECT_TRUE(causes.contains(cause)) << cause;
  }
  EXPECT_EQ(causes.size(), Checks().size() + 4);  // and the four of logs
}

TEST(SeededFaults, AllAtOnceShowTheirOwn) {
  SimulationOptions options;
  options.sampling = Sampling::kConsistent;
  options.duration = std::chrono::seconds(120);
  for (const Fault fault : AllFaults()) {
    options.faults[fault] = 0.01;
  }
  options.faults[Fault::kLeakedStream] = 0.2;
  const Simulated simulated = Simulate(options);
  const SimulatedIndex index(simulated);
  EXPECT_GT(CountByCause(simulated.breaks).size(), 20U);
  for (const SeededBreak& seeded : simulated.breaks) {
    EXPECT_TRUE(Shows(index, seeded)) << FindingOf(seeded);
  }
}

struct GoroutineExpectation {
  GoroutineCase which;
  std::map<std::string, std::size_t> breaks;
};

TEST(Goroutines, EachCaseBreaksAsItShould) {
  const std::vector<GoroutineExpectation> expectations = {
      {GoroutineCase::kFireAndForget,
       {{"new_internal_root", 4}, {"new_client_root", 4}, {"log_without_id", 4}}},
      {GoroutineCase::kExplicitPass, {}},
      {GoroutineCase::kCancelPropagation, {{"cancelled_with_parent", 12}}},
      {GoroutineCase::kDeferredAfterDone, {{"work_after_reply", 4}, {"new_internal_root", 4}}},
      {GoroutineCase::kWorkerPoolReuse, {{"mixed_traces", 3}}},
      {GoroutineCase::kKeyOverwrite, {{"span_id_collision", 4}, {"log_unknown_trace", 4}}},
      {GoroutineCase::kLeakedUnfinished,
       {{"open_parent", 60}, {"log_unknown_span", 4}, {"unfinished", 4}}},
      {GoroutineCase::kNestedFanOut, {}}};
  for (const GoroutineExpectation& expectation : expectations) {
    SCOPED_TRACE(static_cast<int>(expectation.which));
    const Simulated simulated = Scenario(expectation.which);
    const SimulatedIndex index(simulated);
    EXPECT_EQ(CountByCause(simulated.breaks), expectation.breaks);
    EXPECT_GT(simulated.spans.size(), 40U);
    for (const SeededBreak& seeded : simulated.breaks) {
      EXPECT_TRUE(Shows(index, seeded)) << FindingOf(seeded);
    }
  }
}

}  // namespace
}  // namespace tracekeeper::truth
