#include "src/continuity/join_stage.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "src/continuity/call_matching.h"

namespace tracekeeper::continuity {
namespace {

constexpr Microseconds kSecond = 1'000'000;
/// A peer that recorded nothing so near to a call was not there.
constexpr Microseconds kPresence = 60 * kSecond;
constexpr Microseconds kBatchGap = kSecond;
constexpr Microseconds kBatchLength = 10 * kSecond;
constexpr std::size_t kBatchTraces = 3;

template <typename Table>
std::uint64_t CountIn(const Table& table, NameId instance, Microseconds second) {
  const auto links = table.find(instance);
  if (links == table.end()) return 0;
  const auto count = links->second.find(second);
  return count == links->second.end() ? 0 : count->second;
}

}  // namespace

void JoinStage::See(const TraceTree& tree) {
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
    const Span& span = tree.span(i);
    const Shape& shape = tree.shape(i);
    if (shape.is_entry()) {
      services_[shape.service].AddStart(span.start);
      if (shape.instance == 0) continue;
      BusyTimes& instance = instances_[shape.instance];
      span.is_unfinished() ? instance.AddStart(span.start) : instance.Add(span.start, span.end());
      continue;
    }
    const LinkKind link = tree.link(i).kind;
    if (shape.instance == 0 || link == LinkKind::kNone || link == LinkKind::kRoot) continue;
    auto& links = link == LinkKind::kAbsent ? absent_links_ : present_links_;
    ++links[shape.instance][span.end() / kSecond];
  }
}

QuestionNumber JoinStage::Ask(const Question& question) {
  const auto number = static_cast<QuestionNumber>(questions_.size());
  questions_.push_back(question);
  answers_.push_back(Answer::kNo);
  Crossing* const crossing =
      question.kind == QuestionKind::kCall || question.kind == QuestionKind::kServerRoot
          ? &crossings_[question.where]
          : nullptr;
  if (question.kind == QuestionKind::kCall) {
    crossing->calls.push_back(question);
    crossing->call_numbers.push_back(number);
  } else if (question.kind == QuestionKind::kServerRoot) {
    crossing->roots.push_back(question);
    crossing->root_numbers.push_back(number);
  } else if (question.kind == QuestionKind::kLostBatch) {
    absent_parents_[question.where].push_back(number);
  }
  return number;
}

void JoinStage::Settle() {
  for (auto& [instance, times] : instances_) times.Settle();
  for (auto& [service, times] : services_) times.Settle();
  for (std::size_t i = 0; i < questions_.size(); ++i) answers_[i] = AnswerFromTimes(questions_[i]);
  for (const auto& [service, crossing] : crossings_) Match(crossing);
  for (auto& [instance, absent] : absent_parents_) FindLostBatches(instance, absent);
}

const BusyTimes* JoinStage::BusyTimesOf(NameId instance) const {
  const auto found = instances_.find(instance);
  return found == instances_.end() ? nullptr : &found->second;
}

Answer JoinStage::AnswerFromTimes(const Question& question) const {
  const BusyTimes* const times = BusyTimesOf(question.where);
  const auto answer = [](bool is_so) { return is_so ? Answer::kYes : Answer::kNo; };
  switch (question.kind) {
    case QuestionKind::kRequestOpen:
      return answer(times != nullptr && times->Covers(question.first));
    case QuestionKind::kOthersStarted:
      return answer(times != nullptr &&
                    times->StartsBetween(question.first, question.last) > question.own_starts);
    case QuestionKind::kCall:
      return PeerWasThere(question) ? Answer::kPeerWasThere : Answer::kNo;
    case QuestionKind::kLostBatch:
    case QuestionKind::kServerRoot:
      return Answer::kNo;
  }
  return Answer::kNo;
}

bool JoinStage::PeerWasThere(const Question& call) const {
  const auto peer = services_.find(call.where);
  const Microseconds first = call.first > kPresence ? call.first - kPresence : 0;
  return peer != services_.end() && peer->second.StartsWithin(first, call.last + kPresence);
}

void JoinStage::Match(const Crossing& crossing) {
  for (const MatchedCall& pair : MatchCalls(crossing.calls, crossing.roots, profile_.skew)) {
    answers_[crossing.call_numbers[pair.call]] = Answer::kYes;
    const bool is_other = crossing.calls[pair.call].trace != crossing.roots[pair.root].trace;
    answers_[crossing.root_numbers[pair.root]] = is_other ? Answer::kYes : Answer::kNo;
  }
}

void JoinStage::FindLostBatches(NameId instance, std::vector<QuestionNumber>& absent) {
  std::ranges::sort(absent, {}, [this](QuestionNumber number) {
    return std::tuple(questions_[number].first, number);
  });
  for (std::size_t first = 0; first < absent.size();) {
    std::size_t last = first + 1;
    const auto time = [&](std::size_t i) { return questions_[absent[i]].first; };
    while (last < absent.size() && time(last) - time(last - 1) <= kBatchGap) ++last;
    const std::vector<QuestionNumber> group(absent.begin() + static_cast<std::ptrdiff_t>(first),
                                            absent.begin() + static_cast<std::ptrdiff_t>(last));
    const bool is_lost = IsLostBatch(instance, group);
    for (const QuestionNumber number : group)
      answers_[number] = is_lost ? Answer::kYes : Answer::kNo;
    first = last;
  }
}

bool JoinStage::IsLostBatch(NameId instance, const std::vector<QuestionNumber>& group) const {
  const Microseconds first = questions_[group.front()].first;
  const Microseconds last = questions_[group.back()].first;
  if (last - first > kBatchLength) return false;
  std::set<std::pair<std::uint64_t, std::uint64_t>> traces;
  for (const QuestionNumber number : group) {
    traces.emplace(questions_[number].trace.high, questions_[number].trace.low);
  }
  if (traces.size() < kBatchTraces) return false;
  std::uint64_t present = 0;
  std::uint64_t absent = 0;
  for (Microseconds second = first / kSecond; second <= last / kSecond; ++second) {
    present += CountIn(present_links_, instance, second);
    absent += CountIn(absent_links_, instance, second);
  }
  const auto found = profile_.instances.find(instance);
  const InstanceProfile all = found == profile_.instances.end() ? InstanceProfile{} : found->second;
  const bool is_normal = all.links_absent * 4 <= all.links_absent + all.links_present;
  return absent >= present && is_normal;
}

}  // namespace tracekeeper::continuity
