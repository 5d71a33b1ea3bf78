#include "src/continuity/join_stage.h"

#include <algorithm>
#include <functional>
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
/// How busy an instance was is told by so many tenths before it fell silent (3.6).
constexpr std::uint64_t kTenthsBefore = 100;
/// What was lost with a batch ended in so many tenths before the silence.
constexpr std::uint64_t kTenthsToSilence = 20;

bool IsAboutService(const Question& question) {
  return question.kind == QuestionKind::kCall || question.kind == QuestionKind::kServerRoot;
}

/// Sorts what stands behind the first `settled` into them, each once.
template <typename Value>
void MergeOnce(std::vector<Value>& values, std::size_t& settled) {
  const auto added = values.begin() + static_cast<std::ptrdiff_t>(settled);
  if (added == values.end()) return;
  std::sort(added, values.end());
  const auto first = std::lower_bound(values.begin(), added, *added);
  std::inplace_merge(first, added, values.end());
  values.erase(std::unique(first, values.end()), values.end());
  settled = values.size();
}

}  // namespace

void JoinStage::UseProfile(const Profile& profile) {
  profile_ = &profile;
  for (auto& [id, instance] : instances_) instance.has_changed = true;
  for (auto& [id, service] : services_) service.has_changed = true;
}

void JoinStage::See(const Span& span, const Shape& shape) {
  const Tenth end = span.end() / kTenth;
  last_end_ = std::max(last_end_, end);
  if (shape.is_entry()) {
    Service& service = services_[shape.service];
    const auto [range, is_new] =
        service.starts.emplace(span.start / kSecond, Range{span.start, span.start});
    range->second.first = std::min<Microseconds>(range->second.first, span.start);
    range->second.last = std::max<Microseconds>(range->second.last, span.start);
    service.was_seen = true;
  }
  if (shape.instance == 0) return;
  Instance& instance = instances_[shape.instance];
  instance.has_changed = true;
  if (instance.ends.empty() || instance.ends.back() != end) instance.ends.push_back(end);
  if (!shape.is_entry()) return;
  span.is_unfinished() ? instance.busy.AddStart(span.start)
                       : instance.busy.Add(span.start, span.end());
}

void JoinStage::Ask(AskerId asker, std::span<const Question> questions) {
  SlotNumber next = kNoSlot;
  for (std::size_t i = questions.size(); i-- > 0;) {
    const SlotNumber number = NewSlot();
    slots_[number] = {.question = questions[i],
                      .asker = asker,
                      .number = static_cast<QuestionNumber>(i),
                      .next = next};
    File(number);
    next = number;
  }
  if (next != kNoSlot) askers_.emplace(asker, next);
}

JoinStage::SlotNumber JoinStage::NewSlot() {
  if (free_.empty()) {
    slots_.emplace_back();
    return static_cast<SlotNumber>(slots_.size() - 1);
  }
  const SlotNumber number = free_.back();
  free_.pop_back();
  return number;
}

void JoinStage::File(SlotNumber number) {
  const Question& question = slots_[number].question;
  Touch(question);
  switch (question.kind) {
    case QuestionKind::kRequestOpen:
    case QuestionKind::kOthersStarted:
      instances_[question.where].questions.push_back(number);
      return;
    case QuestionKind::kLostBatch:
      instances_[question.where].absent_parents.push_back(number);
      return;
    case QuestionKind::kCall:
      services_[question.where].calls.push_back(number);
      return;
    case QuestionKind::kServerRoot:
      services_[question.where].roots.push_back(number);
      return;
  }
}

void JoinStage::Touch(const Question& question) {
  if (IsAboutService(question)) {
    services_[question.where].has_changed = true;
  } else {
    instances_[question.where].has_changed = true;
  }
}

void JoinStage::Withdraw(AskerId asker) {
  const auto found = askers_.find(asker);
  if (found == askers_.end()) return;
  for (SlotNumber slot = found->second; slot != kNoSlot; slot = slots_[slot].next) {
    slots_[slot].is_withdrawn = true;
    withdrawn_.push_back(slot);
    Touch(slots_[slot].question);
  }
  askers_.erase(found);
}

std::vector<GivenAnswer> JoinStage::Settle() {
  std::vector<GivenAnswer> given;
  const bool has_later_end = std::exchange(settled_last_end_, last_end_) != last_end_;
  for (auto& [id, instance] : instances_) {
    // The last silence of an instance lasts until the last end of any.
    const bool may_be_silent = has_later_end && !instance.absent_parents.empty();
    if (std::exchange(instance.has_changed, false) || may_be_silent) {
      SettleInstance(id, instance, given);
    }
  }
  for (auto& [id, service] : services_) SettleService(service, given);
  FreeWithdrawn();
  return given;
}

void JoinStage::Give(SlotNumber slot, Answer answer, std::vector<GivenAnswer>& given) {
  Slot& asked = slots_[slot];
  if (std::exchange(asked.given, answer) == answer) return;
  given.push_back({.asker = asked.asker, .question = asked.number, .answer = answer});
}

void JoinStage::SettleInstance(NameId id, Instance& instance, std::vector<GivenAnswer>& given) {
  instance.busy.Settle();
  MergeOnce(instance.ends, instance.settled_ends);
  DropWithdrawn(instance.questions);
  DropWithdrawn(instance.absent_parents);
  for (const SlotNumber slot : instance.questions) {
    const Question& question = slots_[slot].question;
    const bool is_so =
        question.kind == QuestionKind::kRequestOpen
            ? instance.busy.Covers(question.first)
            : instance.busy.StartsBetween(question.first, question.last) > question.own_starts;
    Give(slot, is_so ? Answer::kYes : Answer::kNo, given);
  }
  if (instance.absent_parents.empty()) return;
  const std::vector<SlotNumber> lost = FindLostBatches(id, instance);
  for (const SlotNumber slot : instance.absent_parents) {
    const bool is_lost = std::ranges::binary_search(lost, slot);
    Give(slot, is_lost ? Answer::kYes : Answer::kNo, given);
  }
}

void JoinStage::SettleService(Service& service, std::vector<GivenAnswer>& given) {
  const bool was_seen = std::exchange(service.was_seen, false);
  const bool has_changed = std::exchange(service.has_changed, false);
  if (has_changed) {
    DropWithdrawn(service.calls);
    DropWithdrawn(service.roots);
    Match(service);
  } else if (!was_seen || service.calls.empty()) {
    return;
  }
  for (const SlotNumber slot : service.calls) {
    const Slot& call = slots_[slot];
    const Answer unmatched =
        PeerWasThere(service, call.question) ? Answer::kPeerWasThere : Answer::kNo;
    Give(slot, call.partner != kNoSlot ? Answer::kYes : unmatched, given);
  }
  if (!has_changed) return;
  for (const SlotNumber slot : service.roots) {
    const Slot& root = slots_[slot];
    const bool is_made_by_other =
        root.partner != kNoSlot && slots_[root.partner].question.trace != root.question.trace;
    Give(slot, is_made_by_other ? Answer::kYes : Answer::kNo, given);
  }
}

/// The bounds lie 120 s apart and more, so that what a second holds is told by its first and last.
bool JoinStage::PeerWasThere(const Service& peer, const Question& call) const {
  const Microseconds first = call.first > kPresence ? call.first - kPresence : 0;
  const Microseconds last = call.last + kPresence;
  for (auto at = peer.starts.lower_bound(first / kSecond);
       at != peer.starts.end() && at->first <= last / kSecond; ++at) {
    if (at->second.last >= first && at->second.first <= last) return true;
  }
  return false;
}

void JoinStage::Match(Service& service) {
  const auto questions_of = [this](const std::vector<SlotNumber>& slots) {
    std::vector<Question> questions;
    questions.reserve(slots.size());
    for (const SlotNumber slot : slots) {
      slots_[slot].partner = kNoSlot;
      questions.push_back(slots_[slot].question);
    }
    return questions;
  };
  if (service.calls.empty() && service.roots.empty()) return;
  const MatchingTimes times{.skew = profile_->skew, .delay = profile_->delay};
  const std::vector<Question> calls = questions_of(service.calls);
  const std::vector<Question> roots = questions_of(service.roots);
  for (const MatchedCall& pair : MatchCalls(calls, roots, times)) {
    const SlotNumber call = service.calls[pair.call];
    const SlotNumber root = service.roots[pair.root];
    slots_[call].partner = root;
    slots_[root].partner = call;
  }
}

std::vector<JoinStage::Tenth> JoinStage::SilencesOf(const std::vector<Tenth>& busy) const {
  constexpr Tenth kDue = 8 * kTenthsBefore;
  std::vector<Tenth> silences;
  for (auto at = busy.begin(); at != busy.end(); ++at) {
    const bool is_last = std::next(at) == busy.end();
    if (is_last && last_end_ < *at + 1 + kTenthsBefore) break;
    const Tenth length = (is_last ? last_end_ + 1 : *std::next(at)) - *at - 1;
    const Tenth first = *at + 1 > kTenthsBefore ? *at + 1 - kTenthsBefore : 0;
    const auto before = static_cast<Tenth>(at + 1 - std::ranges::lower_bound(busy, first));
    if (length * before >= kDue) silences.push_back(*at + 1);
  }
  return silences;
}

/// What was in a batch that was lost is missing among the ends of the instance's spans; what hung
/// below it and was exported before is orphaned. Sorted.
std::vector<JoinStage::SlotNumber> JoinStage::FindLostBatches(NameId id,
                                                              const Instance& instance) const {
  constexpr std::size_t kTraces = 2;
  std::vector<SlotNumber> lost;
  const auto found = profile_->instances.find(id);
  const InstanceProfile links =
      found == profile_->instances.end() ? InstanceProfile{} : found->second;
  if (links.links_absent * 4 > links.links_absent + links.links_present) return lost;
  std::vector<std::pair<Tenth, SlotNumber>> losses;
  losses.reserve(instance.absent_parents.size());
  for (const SlotNumber slot : instance.absent_parents) {
    losses.emplace_back(slots_[slot].question.first / kTenth, slot);
  }
  std::ranges::sort(losses);
  for (const Tenth silence : SilencesOf(instance.ends)) {
    const Tenth first = silence > kTenthsToSilence ? silence - kTenthsToSilence : 0;
    const auto begin = std::ranges::lower_bound(losses, std::pair(first, SlotNumber{0}));
    const auto end = std::ranges::lower_bound(losses, std::pair(silence, SlotNumber{0}));
    std::set<std::pair<std::uint64_t, std::uint64_t>> traces;
    for (auto loss = begin; loss < end; ++loss) {
      const otlp::TraceId trace = slots_[loss->second].question.trace;
      traces.emplace(trace.high, trace.low);
    }
    if (traces.size() < kTraces) continue;
    for (auto loss = begin; loss < end; ++loss) lost.push_back(loss->second);
  }
  std::ranges::sort(lost);
  return lost;
}

void JoinStage::DropWithdrawn(std::vector<SlotNumber>& slots) const {
  std::erase_if(slots, [this](SlotNumber slot) { return slots_[slot].is_withdrawn; });
}

/// What those that stay were answered with stays too: the ends before a silence, the starts around
/// a call.
void JoinStage::Forget(Microseconds time) {
  std::vector<SlotNumber> old;
  for (auto& [id, instance] : instances_) {
    TakeOld(instance.questions, time, old);
    instance.busy.Settle();
    instance.busy.Forget(NeededFrom(instance.questions, time));
    TakeOld(instance.absent_parents, FirstNearLoss(instance, time), old);
    MergeOnce(instance.ends, instance.settled_ends);
    const Tenth loss = NeededFrom(instance.absent_parents, time) / kTenth;
    const Tenth first = loss > kTenthsBefore ? loss - kTenthsBefore : 0;
    instance.ends.erase(instance.ends.begin(), std::ranges::lower_bound(instance.ends, first));
    instance.settled_ends = instance.ends.size();
  }
  for (auto& [id, service] : services_) {
    TakeOld(service.calls, time, old);
    TakeOld(service.roots, time, old);
    const Microseconds call = NeededFrom(service.calls, time);
    const Microseconds first = call > kPresence ? call - kPresence : 0;
    service.starts.erase(service.starts.begin(), service.starts.lower_bound(first / kSecond));
  }
  for (const SlotNumber slot : old) Free(slot);
  std::erase_if(instances_, [](const auto& entry) {
    const Instance& instance = entry.second;
    return instance.ends.empty() && instance.busy.is_empty() && instance.questions.empty() &&
           instance.absent_parents.empty();
  });
  std::erase_if(services_, [](const auto& entry) {
    const Service& service = entry.second;
    return service.starts.empty() && service.calls.empty() && service.roots.empty();
  });
}

Microseconds JoinStage::NeededFrom(const std::vector<SlotNumber>& slots, Microseconds time) const {
  for (const SlotNumber slot : slots) time = std::min(time, slots_[slot].question.first);
  return time;
}

/// Losses so near to each other that one silence may explain them are forgotten together.
Microseconds JoinStage::FirstNearLoss(const Instance& instance, Microseconds time) const {
  std::vector<Microseconds> losses;
  losses.reserve(instance.absent_parents.size());
  for (const SlotNumber slot : instance.absent_parents) {
    losses.push_back(slots_[slot].question.first);
  }
  std::ranges::sort(losses, std::greater{});
  for (const Microseconds loss : losses) {
    if (loss / kTenth + kTenthsToSilence < time / kTenth) break;
    time = std::min(time, loss);
  }
  return time;
}

/// The halves of a pair go together: one alone could be paired anew.
bool JoinStage::IsBefore(Microseconds time, SlotNumber slot) const {
  const Slot& asked = slots_[slot];
  if (asked.is_withdrawn) return false;  // leaves with the others that are
  const bool is_loss = asked.question.kind == QuestionKind::kLostBatch;
  if ((is_loss ? asked.question.first : asked.question.last) < time) return true;
  if (asked.partner == kNoSlot) return false;
  const Slot& partner = slots_[asked.partner];
  return !partner.is_withdrawn && partner.question.last < time;
}

void JoinStage::TakeOld(std::vector<SlotNumber>& slots, Microseconds time,
                        std::vector<SlotNumber>& old) const {
  const auto first = std::stable_partition(slots.begin(), slots.end(),
                                           [&](SlotNumber slot) { return !IsBefore(time, slot); });
  old.insert(old.end(), first, slots.end());
  slots.erase(first, slots.end());
}

void JoinStage::Free(SlotNumber slot) {
  const auto asker = askers_.find(slots_[slot].asker);
  SlotNumber* link = &asker->second;
  while (*link != slot) link = &slots_[*link].next;
  *link = slots_[slot].next;
  if (asker->second == kNoSlot) askers_.erase(asker);
  free_.push_back(slot);
}

/// After every list that may hold them was settled.
void JoinStage::FreeWithdrawn() {
  free_.insert(free_.end(), withdrawn_.begin(), withdrawn_.end());
  withdrawn_.clear();
}

}  // namespace tracekeeper::continuity
