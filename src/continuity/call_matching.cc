#include "src/continuity/call_matching.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

namespace tracekeeper::continuity {
namespace {

auto Identity(const Question& question) {
  return std::tuple(question.trace.high, question.trace.low, question.span_id);
}

Microseconds Earlier(Microseconds time, Microseconds by) { return time > by ? time - by : 0; }

/// One pass: roots in order of start; each takes, of the open calls that fit, the one that waits
/// least long, which leaves most for those that come later.
class Pass {
 public:
  Pass(const std::vector<Question>& calls, const std::vector<Question>& roots, MatchingTimes times)
      : calls_(calls), roots_(roots), times_(times), any_(WaitsLeast{this}), unnamed_(any_) {}

  /// Indexes of both in order of start, all of one operation; what is matched leaves `calls` and
  /// `roots`.
  void MatchSame(std::vector<std::size_t>& calls, std::vector<std::size_t>& roots) {
    Run(calls, roots, [this](std::size_t) -> OpenCalls& { return any_; });
  }
  /// The same where a call or a root without operation fits any.
  void MatchUnnamed(std::vector<std::size_t>& calls, std::vector<std::size_t>& roots) {
    Run(calls, roots, [this](std::size_t root) -> OpenCalls& {
      return roots_[root].operation == 0 ? any_ : unnamed_;
    });
  }
  std::vector<MatchedCall> TakeMatched() { return std::move(matched_); }

 private:
  struct WaitsLeast {
    const Pass* pass;
    bool operator()(std::size_t left, std::size_t right) const {
      const auto key = [this](std::size_t call) {
        return std::tuple(pass->WaitsUntil(call), Identity(pass->calls_[call]), call);
      };
      return key(left) < key(right);
    }
  };
  using OpenCalls = std::set<std::size_t, WaitsLeast>;

  [[nodiscard]] Microseconds WaitsUntil(std::size_t call) const {
    const Question& question = calls_[call];
    return std::min(question.last + times_.skew, question.first + times_.delay);
  }

  template <typename Candidates>
  void Run(std::vector<std::size_t>& calls, std::vector<std::size_t>& roots,
           Candidates candidates) {
    any_.clear();
    unnamed_.clear();
    std::set<std::size_t> taken;
    std::vector<std::size_t> left;
    std::size_t next = 0;
    for (const std::size_t root : roots) {
      const Microseconds start = roots_[root].first;
      for (; next < calls.size() && Earlier(calls_[calls[next]].first, times_.skew) <= start;
           ++next) {
        Open(calls[next]);
      }
      while (!any_.empty() && WaitsUntil(*any_.begin()) < start) Close(*any_.begin());
      const OpenCalls& fitting = candidates(root);
      if (fitting.empty()) {
        left.push_back(root);
        continue;
      }
      const std::size_t call = *fitting.begin();
      matched_.push_back({.call = call, .root = root});
      taken.insert(call);
      Close(call);
    }
    roots = std::move(left);
    std::erase_if(calls, [&taken](std::size_t call) { return taken.contains(call); });
  }
  void Open(std::size_t call) {
    any_.insert(call);
    if (calls_[call].operation == 0) unnamed_.insert(call);
  }
  void Close(std::size_t call) {
    any_.erase(call);
    unnamed_.erase(call);
  }

  const std::vector<Question>& calls_;
  const std::vector<Question>& roots_;
  const MatchingTimes times_;
  OpenCalls any_;      // open at the moment
  OpenCalls unnamed_;  // those of them without operation
  std::vector<MatchedCall> matched_;
};

void SortByStart(const std::vector<Question>& questions, std::vector<std::size_t>& order) {
  std::ranges::sort(order, [&questions](std::size_t left, std::size_t right) {
    const Question& a = questions[left];
    const Question& b = questions[right];
    return std::tuple(a.first, Identity(a)) < std::tuple(b.first, Identity(b));
  });
}

std::vector<std::size_t> InOrderOfStart(const std::vector<Question>& questions) {
  std::vector<std::size_t> order(questions.size());
  std::iota(order.begin(), order.end(), 0);
  SortByStart(questions, order);
  return order;
}

}  // namespace

std::vector<MatchedCall> MatchCalls(const std::vector<Question>& calls,
                                    const std::vector<Question>& roots, MatchingTimes times) {
  if (calls.empty() || roots.empty()) return {};
  Pass pass(calls, roots, times);
  std::map<NameId, std::vector<std::size_t>> roots_of;
  for (const std::size_t root : InOrderOfStart(roots)) {
    roots_of[roots[root].operation].push_back(root);
  }
  std::map<NameId, std::vector<std::size_t>> calls_of;
  for (const std::size_t call : InOrderOfStart(calls)) {
    calls_of[calls[call].operation].push_back(call);
  }
  std::vector<std::size_t> calls_left;
  std::vector<std::size_t> roots_left;
  for (auto& [operation, group] : calls_of) {
    const auto same = roots_of.find(operation);
    if (operation != 0 && same != roots_of.end()) pass.MatchSame(group, same->second);
    calls_left.insert(calls_left.end(), group.begin(), group.end());
  }
  for (const auto& [operation, group] : roots_of) {
    roots_left.insert(roots_left.end(), group.begin(), group.end());
  }
  SortByStart(calls, calls_left);
  SortByStart(roots, roots_left);
  pass.MatchUnnamed(calls_left, roots_left);
  return pass.TakeMatched();
}

}  // namespace tracekeeper::continuity
