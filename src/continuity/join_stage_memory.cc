// How a join stage forgets: by time, what was withdrawn, and what it holds.

#include <algorithm>

#include "src/continuity/join_stage.h"

namespace tracekeeper::continuity {

void JoinStage::Forget(Microseconds time) {
  std::vector<SlotNumber> old;
  for (auto& instance : instances_) {
    if (!instance) continue;
    instance->busy.Forget(time);
    instance->ends.erase(instance->ends.begin(),
                         std::ranges::lower_bound(instance->ends, time / kTenth));
    instance->settled_ends = instance->ends.size();
    TakeOld(instance->questions, time, old);
    TakeOld(instance->absent_parents, time, old);
  }
  for (auto& service : services_) {
    if (!service) continue;
    service->starts.erase(service->starts.begin(), service->starts.lower_bound(time / kSecond));
    service->last_starts = nullptr;
    TakeOld(service->calls, time, old);
    TakeOld(service->roots, time, old);
    service->silent_calls =
        static_cast<std::size_t>(std::ranges::count_if(service->calls.list, [this](auto& call) {
          return slots_[call.slot].given == Answer::kNo;
        }));
  }
  for (const SlotNumber slot : old) Free(slot);
  DropEmpty();
  earliest_ = std::max(earliest_, time);
}

void JoinStage::DropEmpty() {
  std::erase_if(bereft_instances_,
                [this](NameId id) { return instances_[id]->absent_parents.empty(); });
  entries_ = 0;
  for (auto& instance : instances_) {
    if (!instance) continue;
    entries_ += instance->busy.size();
    const bool is_empty = instance->ends.empty() && instance->busy.is_empty() &&
                          instance->questions.empty() && instance->absent_parents.empty();
    if (is_empty) instance.reset();
  }
  for (auto& service : services_) {
    const bool is_empty = service && service->starts.empty() && service->calls.list.empty() &&
                          service->roots.list.empty();
    if (is_empty) service.reset();
  }
}

/// The halves of a pair go together: one alone could be paired anew.
bool JoinStage::IsBefore(Microseconds time, SlotNumber slot) const {
  const Slot& asked = slots_[slot];
  if (asked.question.last < time) return true;
  return asked.partner != kNoSlot && slots_[asked.partner].question.last < time;
}

void JoinStage::TakeOld(std::vector<SlotNumber>& slots, Microseconds time,
                        std::vector<SlotNumber>& old) const {
  const auto first = std::stable_partition(slots.begin(), slots.end(),
                                           [&](SlotNumber slot) { return !IsBefore(time, slot); });
  old.insert(old.end(), first, slots.end());
  slots.erase(first, slots.end());
}

void JoinStage::TakeOld(WaitingList& waiting, Microseconds time,
                        std::vector<SlotNumber>& old) const {
  const auto first =
      std::stable_partition(waiting.list.begin(), waiting.list.end(),
                            [&](const Waiting& one) { return !IsBefore(time, one.slot); });
  for (auto one = first; one != waiting.list.end(); ++one) old.push_back(one->slot);
  waiting.list.erase(first, waiting.list.end());
  waiting.settled = waiting.list.size();
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
  return slots_.size() * kPerQuestion + entries_ * kPerEntry;
}

}  // namespace tracekeeper::continuity
