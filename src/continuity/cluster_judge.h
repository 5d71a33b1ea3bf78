#pragma once
// ClusterJudge judges a cluster: all spans and log records of a stream whose trace ids have the
// same lower half. That is one trace, but where a short id stands beside a long one (which are one
// trace again) or two ids share a half by chance.
//
//   Cluster cluster = ...;
//   std::vector<Question> questions = judge.Ask(cluster, epoch);
//   Judgement judgement = judge.Conclude(cluster, epoch, answers);
//
// Both are functions of what they are given: the same cluster, epoch and answers give the same
// judgement later, which is how a repair knows what was counted.
//
// Threads:  one thread; its memory is reused from cluster to cluster.
// Owner:    names and shapes outlive it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "src/continuity/judge.h"
#include "src/continuity/profile.h"
#include "src/continuity/rules.h"
#include "src/continuity/tally.h"
#include "src/continuity/trace_report.h"
#include "src/continuity/trace_tree.h"

namespace tracekeeper::continuity {

/// What verdicts are made with, from one moment to the next.
struct Epoch {
  PolicyRules rules;
  Profile profile;
};

/// In Span::is_cut while a span is in a cluster: which upper half its trace id has, and whether it
/// is a log record, which has its span id (or 0) as id, and the rest in its shape.
struct ClusterTag {
  static constexpr std::uint8_t kIsLog = 0x40;
  static constexpr std::uint8_t kHalf = 0x3F;
};

/// The rv of the traces with this upper half.
struct ClusterRandomness {
  std::uint64_t high = 0;
  std::uint64_t value = 0;
};

/// How many requests one with this threshold stands for: 2^56 / (2^56 - th); 0 without one.
double PopulationOf(std::optional<std::uint64_t> threshold);

struct Cluster {
  std::uint64_t low = 0;
  std::span<const std::uint64_t> halves;          // by tag
  std::span<const Span> spans;                    // in any order
  std::span<const ClusterRandomness> randomness;  // few have it
};

class ClusterJudge {
 public:
  ClusterJudge(const Names& names, const ShapeTable& shapes)
      : names_(names), shapes_(shapes), tree_(shapes, names) {}

  std::vector<Question> Ask(const Cluster& cluster, const Epoch& epoch);
  /// An answer for each question, in their order; where there are fewer, the others are kNo.
  Judgement Conclude(const Cluster& cluster, const Epoch& epoch, std::span<const Answer> answers);
  /// Of each trace in it, as it is concluded with these answers.
  std::vector<TraceReport> Report(const Cluster& cluster, const Epoch& epoch,
                                  std::span<const Answer> answers);
  /// use(const Span&, const Shape&) for every span of it, each repeat once.
  template <typename Use>
  void ForEachSpan(const Cluster& cluster, Use use) {
    ForEachTree(cluster, [&use](const TraceTree& tree) {
      for (SpanIndex i = 0; i < tree.spans().size(); ++i) use(tree.span(i), tree.shape(i));
    });
  }
  template <typename Use>
  void ForEachTree(const Cluster& cluster, Use use);
  [[nodiscard]] bool IsRepeat(const Span& left, const Span& right) const {
    return tree_.IsRepeat(left, right);
  }

 private:
  /// Calls `use(tree, trace)` for each trace of it.
  template <typename Use>
  void ForEachConcluded(const Cluster& cluster, const Epoch& epoch, std::span<const Answer> answers,
                        Use use);
  void Sort(const Cluster& cluster);
  void Count(const TraceTree& tree, const JudgedTrace& trace, Judgement& judgement) const;
  void CountLogs(const Cluster& cluster, Judgement& judgement) const;
  [[nodiscard]] bool HasSpan(std::uint64_t high, std::uint64_t id) const;

  struct SentSpan {
    std::uint64_t high = 0;
    Span span;
  };
  static std::pair<std::uint64_t, std::uint64_t> KeyOf(const SentSpan& sent) {
    return {sent.high, sent.span.id};
  }
  struct Group {
    otlp::TraceId id;
    std::size_t first = 0;
    std::size_t last = 0;
  };

  const Names& names_;
  const ShapeTable& shapes_;
  TraceTree tree_;
  std::vector<SentSpan> sent_;
  std::vector<Span> logs_;
  std::vector<Group> groups_;
  std::vector<Span> trace_;
  std::optional<std::uint64_t> long_form_;  // where a short one is judged with it
};

/// Calls `use(tree)` for each trace of it.
template <typename Use>
void ClusterJudge::ForEachTree(const Cluster& cluster, Use use) {
  Sort(cluster);
  for (const Group& group : groups_) {
    trace_.clear();
    for (std::size_t i = group.first; i < group.last; ++i) trace_.push_back(sent_[i].span);
    tree_.Build(group.id, trace_);
    use(tree_);
  }
}

}  // namespace tracekeeper::continuity
