// How a join stage forgets: by time, what was withdrawn, and what it holds.

#include <algorithm>
#include <functional>

#include "src/continuity/join_stage.h"

namespace tracekeeper::continuity {

void JoinStage::Withdraw(AskerId asker, std::span<const Question> questions) {
  for (std::size_t i = 0; i < questions.size(); ++i) {
    if (questions[i].kind != QuestionKind::kServerRoot) continue;
    WithdrawRoot(asker, static_cast<QuestionNumber>(i), questions[i]);
  }
  const auto found = askers_.find(asker);
  if (found == askers_.end()) return;
  for (SlotNumber slot = found->second; slot != kNoSlot; slot = slots_[slot].next) {
    WithdrawSlot(slot);
  }
  askers_.erase(found);
}

void JoinStage::WithdrawRoot(AskerId asker, QuestionNumber number, const Question& question) {
  Service& service = ServiceOf(question.where);
  WaitingRoot* const root =
      service.roots.Find({.first = question.first, .asker = asker, .number = number});
  if (root == nullptr) return;
  service.roots.Withdraw(*root);
  --waiting_roots_;
  if (root->call != WaitingRoot::kNoCall) slots_[root->call].has_root = false;
  if (!service.calls.list.empty()) service.changed.push_back({question.first, question.first});
}

void JoinStage::WithdrawSlot(SlotNumber slot) {
  Slot& asked = slots_[slot];
  asked.is_withdrawn = true;
  withdrawn_.push_back(slot);
  if (asked.question.kind != QuestionKind::kCall) {
    InstanceOf(asked.question.where);
    return;
  }
  Service& service = ServiceOf(asked.question.where);
  const Waiting waiting = WaitingOf(slot);
  service.changed.push_back({waiting.first, waiting.last});
  service.has_withdrawn = true;
  if (asked.given == Answer::kNo) --service.silent_calls;
}

/// What those that stay were answered with stays too: the ends before a silence, the starts around
/// a call.
void JoinStage::Forget(Microseconds time) {
  std::vector<SlotNumber> old;
  for (auto& instance : instances_) {
    if (!instance) continue;
    TakeOld(instance->questions, time, old);
    instance->busy.Settle();
    SettleEnds(*instance);
    instance->busy.Forget(NeededFrom(instance->questions, time));
    TakeOld(instance->absent_parents, FirstNearLoss(*instance, time), old);
    const Tenth loss = NeededFrom(instance->absent_parents, time) / kTenth;
    const Tenth first = loss > kTenthsBefore ? loss - kTenthsBefore : 0;
    instance->ends.erase(instance->ends.begin(), std::ranges::lower_bound(instance->ends, first));
    instance->settled_ends = instance->ends.size();
  }
  for (auto& service : services_) {
    if (!service) continue;
    TakeOld(*service, time, old);
    ForgetStarts(*service, time);
  }
  for (const SlotNumber slot : old) Free(slot);
  DropEmpty();
  earliest_ = std::max(earliest_, time);
}

void JoinStage::ForgetStarts(Service& service, Microseconds time) const {
  Microseconds needed = time;
  service.silent_calls = 0;
  for (const Waiting& call : service.calls.list) {
    const Slot& asked = slots_[call.slot];
    needed = std::min(needed, asked.question.first);
    service.silent_calls += asked.given == Answer::kNo ? 1 : 0;
  }
  needed = needed > kPresence ? needed - kPresence : 0;
  service.starts.erase(service.starts.begin(), service.starts.lower_bound(needed / kSecond));
  service.last_starts = nullptr;
}

Microseconds JoinStage::NeededFrom(const std::vector<SlotNumber>& slots, Microseconds time) const {
  for (const SlotNumber slot : slots) time = std::min(time, slots_[slot].question.first);
  return time;
}

/// Losses that one silence may explain are forgotten together.
Microseconds JoinStage::FirstNearLoss(const Instance& instance, Microseconds time) const {
  std::vector<SlotNumber> losses = instance.absent_parents;
  const auto last = [this](SlotNumber slot) { return slots_[slot].question.last; };
  std::ranges::sort(losses, std::greater{}, last);
  for (const SlotNumber loss : losses) {
    if (last(loss) / kTenth < time / kTenth) break;
    time = std::min(time, slots_[loss].question.first);
  }
  return time;
}

void JoinStage::DropEmpty() {
  std::erase_if(bereft_instances_,
                [this](NameId id) { return instances_[id]->absent_parents.empty(); });
  entries_ = 0;
  for (auto& instance : instances_) {
    if (!instance) continue;
    entries_ += instance->busy.size();
    const bool is_empty = !instance->has_changed && instance->ends.empty() &&
                          instance->busy.is_empty() && instance->questions.empty() &&
                          instance->absent_parents.empty();
    if (is_empty) instance.reset();
  }
  waiting_roots_ = 0;
  for (auto& service : services_) {
    if (service) waiting_roots_ += service->roots.size();
    const bool is_empty = service && !service->is_listed && service->starts.empty() &&
                          service->calls.list.empty() && service->roots.is_empty();
    if (is_empty) service.reset();
  }
}

/// The halves of a pair go together: one alone could be paired anew.
bool JoinStage::IsBefore(Microseconds time, SlotNumber slot) const {
  const Slot& asked = slots_[slot];
  if (asked.is_withdrawn) return false;  // leaves with the others that are
  const bool is_loss = asked.question.kind == QuestionKind::kLostBatch;
  if ((is_loss ? asked.question.first : asked.question.last) < time) return true;
  return asked.has_root && asked.root_last < time;
}

void JoinStage::TakeOld(std::vector<SlotNumber>& slots, Microseconds time,
                        std::vector<SlotNumber>& old) const {
  const auto first = std::stable_partition(slots.begin(), slots.end(),
                                           [&](SlotNumber slot) { return !IsBefore(time, slot); });
  old.insert(old.end(), first, slots.end());
  slots.erase(first, slots.end());
}

void JoinStage::TakeOld(Service& service, Microseconds time, std::vector<SlotNumber>& old) {
  WaitingList& calls = service.calls;
  const auto stays = [&](const Waiting& call) { return !IsBefore(time, call.slot); };
  const auto settled = calls.list.begin() + static_cast<std::ptrdiff_t>(calls.settled);
  calls.settled = static_cast<std::size_t>(std::count_if(calls.list.begin(), settled, stays));
  const auto first = std::stable_partition(calls.list.begin(), calls.list.end(), stays);
  for (auto call = first; call != calls.list.end(); ++call) {
    old.push_back(call->slot);
    const Slot& asked = slots_[call->slot];
    if (!asked.has_root) continue;
    if (WaitingRoot* const root = service.roots.Find(asked.root)) service.roots.Withdraw(*root);
  }
  calls.list.erase(first, calls.list.end());
  service.roots.Forget(time);
}

void JoinStage::Free(SlotNumber slot) {
  const auto asker = askers_.find(slots_[slot].asker);
  SlotNumber* link = &asker->second;
  while (*link != slot) link = &slots_[*link].next;
  *link = slots_[slot].next;
  if (asker->second == kNoSlot) askers_.erase(asker);
  free_.push_back(slot);
}

void JoinStage::DropWithdrawn(std::vector<SlotNumber>& slots) const {
  std::erase_if(slots, [this](SlotNumber slot) { return slots_[slot].is_withdrawn; });
}

void JoinStage::DropWithdrawn(WaitingList& waiting) const {
  const auto first = waiting.list.begin();
  const auto settled = first + static_cast<std::ptrdiff_t>(waiting.settled);
  const auto is_withdrawn = [this](const Waiting& one) { return slots_[one.slot].is_withdrawn; };
  waiting.settled -= static_cast<std::size_t>(std::count_if(first, settled, is_withdrawn));
  std::erase_if(waiting.list, is_withdrawn);
}

/// After every list that may hold them was settled.
void JoinStage::FreeWithdrawn() {
  free_.insert(free_.end(), withdrawn_.begin(), withdrawn_.end());
  withdrawn_.clear();
}

std::size_t JoinStage::bytes() const {
  constexpr std::size_t kPerQuestion = sizeof(Slot) + sizeof(Waiting) + 48;  // and its asker
  constexpr std::size_t kPerEntry = 3 * sizeof(Microseconds);
  constexpr std::size_t kPerSecond = sizeof(Range) + 48;  // in a map
  std::size_t sum = slots_.size() * kPerQuestion + entries_ * kPerEntry;
  for (const auto& service : services_) {
    sum += sizeof(service);
    if (!service) continue;
    sum += sizeof(Service) + service->roots.bytes() + service->starts.size() * kPerSecond;
  }
  for (const auto& instance : instances_) {
    sum += sizeof(instance);
    if (instance) sum += sizeof(Instance) + instance->ends.size() * sizeof(Tenth);
  }
  return sum;
}

}  // namespace tracekeeper::continuity
