#include "src/continuity/cluster_judge.h"

#include <algorithm>

#include "src/continuity/log_verdict.h"
#include "src/otlp/tracestate.h"

namespace tracekeeper::continuity {
namespace {

std::optional<std::uint64_t> RandomnessOf(const Cluster& cluster, otlp::TraceId id) {
  for (const ClusterRandomness& randomness : cluster.randomness) {
    if (randomness.high == id.high) return randomness.value;
  }
  return std::nullopt;
}

SpanReference ReferenceTo(const TraceTree& tree, SpanIndex index) {
  const Span& span = tree.span(index);
  return {.trace = tree.IdAsSent(index), .span = span.id, .time = span.start};
}

ShownPlace PlaceOf(const TraceTree& tree, const Unit& unit) {
  const Shape& shape = tree.shape(unit.span);
  ShownPlace place{.service = shape.service, .scope = shape.scope, .span_name = shape.name};
  if (unit.family == Family::kHop) {
    place.peer = shape.service == unit.service ? unit.server : unit.service;
  }
  return place;
}

}  // namespace

double PopulationOf(std::optional<std::uint64_t> threshold) {
  if (!threshold || *threshold >= otlp::kSamplingRange) return 0;
  const auto range = static_cast<double>(otlp::kSamplingRange);
  return range / (range - static_cast<double>(*threshold));
}

/// Spans apart from log records, by the upper half they came with; the short form first.
void ClusterJudge::Sort(const Cluster& cluster) {
  sent_.clear();
  logs_.clear();
  groups_.clear();
  long_form_.reset();
  for (const Span& span : cluster.spans) {
    if ((span.is_cut & ClusterTag::kIsLog) != 0) {
      logs_.push_back(span);
      continue;
    }
    sent_.push_back({cluster.halves[span.is_cut & ClusterTag::kHalf], span});
    sent_.back().span.is_cut = 0;
  }
  std::ranges::sort(sent_, {}, KeyOf);
  for (std::size_t first = 0; first < sent_.size();) {
    std::size_t last = first;
    while (last < sent_.size() && sent_[last].high == sent_[first].high) ++last;
    groups_.push_back({.id = {sent_[first].high, cluster.low}, .first = first, .last = last});
    first = last;
  }
  const bool has_one_long = groups_.size() == 2 && groups_.front().id.high == 0;
  if (!has_one_long) return;
  for (std::size_t i = 0; i < groups_.front().last; ++i) sent_[i].span.is_cut = 1;
  groups_.front() = {.id = groups_.back().id, .first = 0, .last = sent_.size()};
  groups_.pop_back();
  long_form_ = groups_.front().id.high;
}

std::vector<Question> ClusterJudge::Ask(const Cluster& cluster, const Epoch& epoch) {
  const Judge judge(names_, epoch.rules, epoch.profile);
  std::vector<Question> questions;
  ForEachTree(cluster, [&](const TraceTree& tree) {
    const JudgedTrace trace = judge.Look(tree, RandomnessOf(cluster, tree.id()));
    questions.insert(questions.end(), trace.questions.begin(), trace.questions.end());
  });
  return questions;
}

template <typename Use>
void ClusterJudge::ForEachConcluded(const Cluster& cluster, const Epoch& epoch,
                                    std::span<const Answer> answers, Use use) {
  const Judge judge(names_, epoch.rules, epoch.profile);
  std::size_t asked = 0;
  std::vector<Answer> own;
  ForEachTree(cluster, [&](const TraceTree& tree) {
    JudgedTrace trace = judge.Look(tree, RandomnessOf(cluster, tree.id()));
    own.assign(trace.questions.size(), Answer::kNo);
    for (std::size_t i = 0; i < own.size() && asked + i < answers.size(); ++i) {
      own[i] = answers[asked + i];
    }
    asked += own.size();
    judge.Conclude(tree, own, trace);
    use(tree, trace);
  });
}

Judgement ClusterJudge::Conclude(const Cluster& cluster, const Epoch& epoch,
                                 std::span<const Answer> answers) {
  Judgement judgement;
  ForEachConcluded(cluster, epoch, answers, [&](const TraceTree& tree, const JudgedTrace& trace) {
    Count(tree, trace, judgement);
  });
  CountLogs(cluster, judgement);
  return judgement;
}

std::vector<TraceReport> ClusterJudge::Report(const Cluster& cluster, const Epoch& epoch,
                                              std::span<const Answer> answers) {
  std::vector<TraceReport> reports;
  ForEachConcluded(cluster, epoch, answers, [&](const TraceTree& tree, const JudgedTrace& trace) {
    reports.push_back(ReportOf(tree, trace, names_));
  });
  return reports;
}

void ClusterJudge::Count(const TraceTree& tree, const JudgedTrace& trace,
                         Judgement& judgement) const {
  for (const SeenUnits::OfPolicy& seen : trace.seen.by_policy()) {
    for (const Family family : {Family::kHop, Family::kInProcess}) {
      judgement.seen.Add(family, seen.policy, seen.units[static_cast<std::size_t>(family)]);
    }
  }
  judgement.seen.Add(Family::kRequest, trace.request().policy);
  for (const Unit& unit : trace.units) {
    const bool is_request = unit.family == Family::kRequest;
    judgement.units.push_back({.key = {.family = unit.family,
                                       .protocol = unit.protocol,
                                       .policy = unit.policy,
                                       .service = unit.service,
                                       .server = unit.server},
                               .verdict = unit.verdict,
                               .shown_at = ReferenceTo(tree, unit.span),
                               .place = PlaceOf(tree, unit),
                               .population = is_request ? PopulationOf(trace.threshold) : 0});
  }
  for (const Finding& finding : trace.findings) {
    const Shape& shape = tree.shape(finding.span);
    judgement.findings.push_back({.key = {.cause = finding.cause,
                                          .policy = shape.policy,
                                          .service = shape.service,
                                          .scope = shape.scope,
                                          .span_name = shape.name},
                                  .shown_at = ReferenceTo(tree, finding.span)});
  }
}

void ClusterJudge::CountLogs(const Cluster& cluster, Judgement& judgement) const {
  for (const Span& record : logs_) {
    const Shape& shape = shapes_.Get(static_cast<ShapeId>(record.shape));
    const std::uint64_t high = cluster.halves[record.is_cut & ClusterTag::kHalf];
    ReadLog log;
    log.trace_state = IdState::kValid;
    log.span_state = record.id == 0 ? IdState::kNone : IdState::kValid;
    log.is_sampled = shape.facts.sampled;
    const bool has_partner = long_form_ && (high == 0 || high == *long_form_);
    const bool has_span = HasSpan(high, record.id) ||
                          (has_partner && HasSpan(high == 0 ? *long_form_ : 0, record.id));
    judgement.seen.Add(Family::kLog, shape.policy);
    judgement.units.push_back(
        {.key = {.family = Family::kLog, .policy = shape.policy, .service = shape.service},
         .verdict = JudgeLog(log, {.has_trace = HasSpan(high, 0), .has_span = has_span}),
         .shown_at = {{high, cluster.low}, record.id, record.start}});
  }
}

/// As it was sent; any span, for 0.
bool ClusterJudge::HasSpan(std::uint64_t high, std::uint64_t id) const {
  const auto found = std::ranges::lower_bound(sent_, std::pair(high, id), {}, KeyOf);
  return found != sent_.end() && found->high == high && (id == 0 || found->span.id == id);
}

}  // namespace tracekeeper::continuity
