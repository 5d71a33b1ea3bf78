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
constexpr Microseconds kTenth = kSecond / 10;

}  // namespace

void JoinStage::See(const TraceTree& tree) {
  for (SpanIndex i = 0; i < tree.spans().size(); ++i) {
    const Span& span = tree.span(i);
    const Shape& shape = tree.shape(i);
    last_end_ = std::max(last_end_, span.end() / kTenth);
    if (shape.instance != 0) busy_tenths_[shape.instance].push_back(span.end() / kTenth);
    if (!shape.is_entry()) continue;
    services_[shape.service].AddStart(span.start);
    if (shape.instance == 0) continue;
    BusyTimes& instance = instances_[shape.instance];
    span.is_unfinished() ? instance.AddStart(span.start) : instance.Add(span.start, span.end());
  }
}

QuestionNumber JoinStage::Ask(const Question& question) {
  const auto number = static_cast<QuestionNumber>(questions_.size());
  questions_.push_back(question);
  answers_.push_back(Answer::kNo);
  if (question.kind == QuestionKind::kCall) {
    Crossing& crossing = crossings_[question.where];
    crossing.calls.push_back(question);
    crossing.call_numbers.push_back(number);
  } else if (question.kind == QuestionKind::kServerRoot) {
    Crossing& crossing = crossings_[question.where];
    crossing.roots.push_back(question);
    crossing.root_numbers.push_back(number);
  } else if (question.kind == QuestionKind::kLostBatch) {
    absent_parents_[question.where].push_back(number);
  }
  return number;
}

void JoinStage::Settle() {
  for (auto& [instance, times] : instances_) times.Settle();
  for (auto& [service, times] : services_) times.Settle();
  for (auto& [instance, busy] : busy_tenths_) {
    std::ranges::sort(busy);
    const auto repeated = std::ranges::unique(busy);
    busy.erase(repeated.begin(), repeated.end());
  }
  for (std::size_t i = 0; i < questions_.size(); ++i) answers_[i] = AnswerFromTimes(questions_[i]);
  for (const auto& [service, crossing] : crossings_) Match(crossing);
  for (const auto& [instance, absent] : absent_parents_) FindLostBatches(instance, absent);
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
  for (const MatchedCall& pair : MatchCalls(crossing.calls, crossing.roots,
                                            {.skew = profile_.skew, .delay = profile_.delay})) {
    answers_[crossing.call_numbers[pair.call]] = Answer::kYes;
    const bool is_other = crossing.calls[pair.call].trace != crossing.roots[pair.root].trace;
    answers_[crossing.root_numbers[pair.root]] = is_other ? Answer::kYes : Answer::kNo;
  }
}

std::vector<JoinStage::Tenth> JoinStage::SilencesOf(const std::vector<Tenth>& busy) const {
  constexpr Tenth kBefore = 100;
  constexpr Tenth kDue = 8 * kBefore;
  std::vector<Tenth> silences;
  for (auto at = busy.begin(); at != busy.end(); ++at) {
    const bool is_last = std::next(at) == busy.end();
    if (is_last && last_end_ < *at + 1 + kBefore) break;
    const Tenth length = (is_last ? last_end_ + 1 : *std::next(at)) - *at - 1;
    const Tenth first = *at + 1 > kBefore ? *at + 1 - kBefore : 0;
    const auto before = static_cast<Tenth>(at + 1 - std::ranges::lower_bound(busy, first));
    if (length * before >= kDue) silences.push_back(*at + 1);
  }
  return silences;
}

/// What was in a batch that was lost is missing among the ends of the instance's spans; what hung
/// below it and was exported before is orphaned.
void JoinStage::FindLostBatches(NameId instance, const std::vector<QuestionNumber>& absent) {
  constexpr Tenth kNear = 20;
  constexpr std::size_t kTraces = 2;
  const auto found = profile_.instances.find(instance);
  const InstanceProfile links =
      found == profile_.instances.end() ? InstanceProfile{} : found->second;
  if (links.links_absent * 4 > links.links_absent + links.links_present) return;
  std::vector<std::pair<Tenth, QuestionNumber>> losses;
  losses.reserve(absent.size());
  for (const QuestionNumber number : absent) {
    losses.emplace_back(questions_[number].first / kTenth, number);
  }
  std::ranges::sort(losses);
  for (const Tenth silence : SilencesOf(busy_tenths_[instance])) {
    const Tenth first = silence > kNear ? silence - kNear : 0;
    const auto begin = std::ranges::lower_bound(losses, std::pair(first, QuestionNumber{0}));
    const auto end = std::ranges::lower_bound(losses, std::pair(silence, QuestionNumber{0}));
    std::set<std::pair<std::uint64_t, std::uint64_t>> traces;
    for (auto loss = begin; loss < end; ++loss) {
      const otlp::TraceId trace = questions_[loss->second].trace;
      traces.emplace(trace.high, trace.low);
    }
    if (traces.size() < kTraces) continue;
    for (auto loss = begin; loss < end; ++loss) answers_[loss->second] = Answer::kYes;
  }
}

}  // namespace tracekeeper::continuity
