#include "src/continuity/batch_analysis.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "src/continuity/log_verdict.h"
#include "src/continuity/profile_learner.h"

namespace tracekeeper::continuity {
namespace {

auto KeyOf(const RecordedSpan& recorded) {
  return std::tuple(recorded.trace.low, recorded.trace.high, recorded.span.id);
}

constexpr std::size_t kTracesBetweenProgress = 1024;

}  // namespace

BatchAnalysis::BatchAnalysis(Recording& recording, PolicyRules rules, OnProgress on_progress)
    : recording_(recording),
      rules_(std::move(rules)),
      on_progress_(std::move(on_progress)),
      tree_(recording.shapes(), recording.names()) {}

/// By the lower half first: the short form of an id, whose upper half is zeros, comes right before
/// the long ones it may belong to.
void BatchAnalysis::FindGroups() {
  spans_ = recording_.spans();
  std::ranges::sort(spans_, {}, KeyOf);
  const auto end_of_id = [this](std::size_t first) {
    std::size_t last = first;
    while (last < spans_.size() && spans_[last].trace == spans_[first].trace) ++last;
    return last;
  };
  for (std::size_t first = 0; first < spans_.size();) {
    std::size_t last = end_of_id(first);
    otlp::TraceId id = spans_[first].trace;
    const auto has_same_half = [&](std::size_t i) {
      return i < spans_.size() && spans_[i].trace.low == id.low;
    };
    if (id.high == 0 && has_same_half(last)) {
      const std::size_t end_of_long = end_of_id(last);
      if (!has_same_half(end_of_long)) {
        for (std::size_t i = first; i < last; ++i) spans_[i].span.is_cut = 1;
        id = spans_[last].trace;
        last = end_of_long;
      }
    }
    groups_.push_back({.id = id, .first = first, .last = last});
    first = last;
  }
}

template <typename Use>
void BatchAnalysis::ForEachTrace(std::string_view step, Use use) {
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const Group& group = groups_[i];
    trace_.clear();
    for (std::size_t j = group.first; j < group.last; ++j) trace_.push_back(spans_[j].span);
    tree_.Build(group.id, trace_);
    use(i);
    const bool is_time = i % kTracesBetweenProgress == 0 || i + 1 == groups_.size();
    if (on_progress_ && is_time) on_progress_({.step = step, .done = i + 1, .of = groups_.size()});
  }
}

void BatchAnalysis::Run(VerdictSink& sink, std::optional<Profile> profile) {
  FindGroups();
  profile_ = std::move(profile);
  if (!profile_) {
    ProfileLearner learner(recording_.shapes(), recording_.names());
    ForEachTrace("learning", [&](std::size_t) { learner.Learn(tree_); });
    profile_ = learner.Finish();
  }
  const Judge judge(recording_.names(), rules_, *profile_);
  JoinStage join(*profile_);
  std::vector<JudgedTrace> judged(groups_.size());
  std::vector<std::vector<Answer>> answers(groups_.size());  // askers are groups, then logs
  std::vector<Answer> were_open(recording_.logs().size());
  ForEachTrace("judging", [&](std::size_t i) {
    for (SpanIndex span = 0; span < tree_.spans().size(); ++span) {
      join.See(tree_.span(span), tree_.shape(span));
    }
    judged[i] = judge.Look(tree_, recording_.RandomnessOf(tree_.id()));
    answers[i].resize(judged[i].questions.size());
    join.Ask(i, judged[i].questions);
    judged[i].questions = {};  // as long as the spans themselves
    sink.OnSeen(Family::kRequest, 1);
    sink.OnSeen(Family::kHop, judged[i].seen.Of(Family::kHop));
    sink.OnSeen(Family::kInProcess, judged[i].seen.Of(Family::kInProcess));
  });
  for (std::size_t i = 0; i < were_open.size(); ++i) {
    const auto question = QuestionAbout(recording_.logs()[i]);
    if (question) join.Ask(groups_.size() + i, {&*question, 1});
  }
  for (const GivenAnswer& given : join.Settle()) {
    const bool is_of_trace = given.asker < groups_.size();
    (is_of_trace ? answers[given.asker][given.question] : were_open[given.asker - groups_.size()]) =
        given.answer;
  }
  ForEachTrace("joining", [&](std::size_t i) {
    judge.Conclude(tree_, answers[i], judged[i]);
    sink.OnTrace(tree_, judged[i]);
    judged[i] = {};
  });
  JudgeInvalidSpans(sink);
  JudgeLogs(were_open, sink);
}

void BatchAnalysis::JudgeInvalidSpans(VerdictSink& sink) const {
  std::vector<InvalidSpan> spans = recording_.invalid_spans();
  std::ranges::sort(spans, [](const InvalidSpan& left, const InvalidSpan& right) {
    const auto key = [](const InvalidSpan& span) {
      return std::tuple(std::tie(span.trace_id, span.span_id), span.start_nanoseconds);
    };
    return key(left) != key(right) ? key(left) < key(right) : left < right;
  });
  const auto repeated = std::ranges::unique(spans);
  spans.erase(repeated.begin(), repeated.end());
  for (const InvalidSpan& span : spans) {
    sink.OnSeen(Family::kInProcess, 1);
    sink.OnInvalidSpan(span);
  }
}

void BatchAnalysis::JudgeLogs(const std::vector<Answer>& were_open, VerdictSink& sink) const {
  for (std::size_t i = 0; i < were_open.size(); ++i) {
    const ReadLog& log = recording_.logs()[i];
    sink.OnSeen(Family::kLog, 1);
    sink.OnLog(log, JudgeLog(log, {.has_trace = HasSpan(log.trace, 0),
                                   .has_span = HasSpan(log.trace, log.span),
                                   .was_open = were_open[i]}));
  }
}

/// Any span of the trace, for 0.
bool BatchAnalysis::HasSpan(otlp::TraceId trace, std::uint64_t span) const {
  if (HasSpanAsSent(trace, span)) return true;
  const auto key = [&trace](std::uint64_t high) {
    return std::tuple(trace.low, high, std::uint64_t{0});
  };
  // Where the short form of an id is judged with the long one, there are these two with its half.
  const auto shorter = std::ranges::lower_bound(spans_, key(0), {}, KeyOf);
  const bool is_judged_with_another =
      shorter != spans_.end() && shorter->trace.low == trace.low && shorter->span.is_cut != 0;
  if (span == 0 || !is_judged_with_another) return false;
  const auto longer = std::ranges::lower_bound(spans_, key(1), {}, KeyOf);
  if (trace.high != 0 && trace != longer->trace) return false;
  return HasSpanAsSent(trace.high == 0 ? longer->trace : shorter->trace, span);
}

bool BatchAnalysis::HasSpanAsSent(otlp::TraceId trace, std::uint64_t span) const {
  const auto found =
      std::ranges::lower_bound(spans_, std::tuple(trace.low, trace.high, span), {}, KeyOf);
  if (found == spans_.end() || found->trace != trace) return false;
  return span == 0 || found->span.id == span;
}

}  // namespace tracekeeper::continuity
