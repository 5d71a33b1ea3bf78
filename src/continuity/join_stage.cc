#include "src/continuity/join_stage.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "src/continuity/call_matching.h"

namespace tracekeeper::continuity {
namespace {

/// Sorts what stands behind the first `settled` into them. Returns the first that may have moved.
template <typename Value, typename Less>
typename std::vector<Value>::iterator Merge(std::vector<Value>& values, std::size_t& settled,
                                            Less less) {
  const auto added = values.begin() + static_cast<std::ptrdiff_t>(settled);
  if (added == values.end()) return added;
  std::sort(added, values.end(), less);
  const auto first = std::lower_bound(values.begin(), added, *added, less);
  std::inplace_merge(first, added, values.end(), less);
  settled = values.size();
  return first;
}

}  // namespace

JoinStage::Instance& JoinStage::InstanceOf(NameId id) {
  if (id >= instances_.size()) instances_.resize(id + id / 2 + 1);
  if (!instances_[id]) instances_[id] = std::make_unique<Instance>();
  Instance& instance = *instances_[id];
  if (!std::exchange(instance.has_changed, true)) changed_instances_.push_back(id);
  return instance;
}

JoinStage::Service& JoinStage::ServiceOf(NameId id) {
  if (id >= services_.size()) services_.resize(id + id / 2 + 1);
  if (!services_[id]) services_[id] = std::make_unique<Service>();
  Service& service = *services_[id];
  if (!std::exchange(service.is_listed, true)) changed_services_.push_back(id);
  return service;
}

void JoinStage::UseProfile(const Profile& profile) {
  profile_ = &profile;
  for (NameId id = 0; id < instances_.size(); ++id) {
    if (instances_[id]) InstanceOf(id);
  }
  for (NameId id = 0; id < services_.size(); ++id) {
    if (!services_[id]) continue;
    Service& service = ServiceOf(id);
    for (Waiting& call : service.calls.list) {
      service.changed.push_back({call.first, call.last});
      call = WaitingOf(call.slot);
      service.changed.push_back({call.first, call.last});
    }
    service.calls.settled = 0;
  }
}

void JoinStage::SeeEnd(NameId instance, Microseconds end) {
  const Tenth tenth = end / kTenth;
  last_end_ = std::max(last_end_, tenth);
  earliest_ = std::min(earliest_, end);
  if (instance == 0) return;
  std::vector<Tenth>& ends = InstanceOf(instance).ends;
  if (ends.empty() || ends.back() != tenth) ends.push_back(tenth);
}

void JoinStage::See(const Span& span, const Shape& shape) {
  SeeEnd(shape.instance, span.end());
  if (!shape.is_entry()) return;
  ++entries_;
  Service& service = ServiceOf(shape.service);
  service.was_seen = true;
  const std::uint64_t second = span.start / kSecond;
  if (service.last_starts == nullptr || service.last_second != second) {
    service.last_starts =
        &service.starts.emplace(second, Range{span.start, span.start}).first->second;
    service.last_second = second;
  }
  Range& starts = *service.last_starts;
  starts.first = std::min<Microseconds>(starts.first, span.start);
  starts.last = std::max<Microseconds>(starts.last, span.start);
  if (shape.instance == 0) return;
  BusyTimes& busy = instances_[shape.instance]->busy;
  span.is_unfinished() ? busy.AddStart(span.start) : busy.Add(span.start, span.end());
}

void JoinStage::Ask(AskerId asker, std::span<const Question> questions) {
  SlotNumber next = kNoSlot;
  for (std::size_t i = questions.size(); i-- > 0;) {
    const auto place = static_cast<QuestionNumber>(i);
    if (questions[i].kind == QuestionKind::kServerRoot) {
      AskForRoot(asker, place, questions[i]);
      continue;
    }
    const SlotNumber number = NewSlot();
    slots_[number] = {.question = questions[i], .asker = asker, .number = place, .next = next};
    File(number);
    next = number;
  }
  if (next == kNoSlot) return;
  const auto [known, is_new] = askers_.emplace(asker, next);
  if (is_new) return;
  SlotNumber last = next;
  while (slots_[last].next != kNoSlot) last = slots_[last].next;
  slots_[last].next = std::exchange(known->second, next);
}

/// A root where no call waits changes nothing: a call that comes later looks for it.
void JoinStage::AskForRoot(AskerId asker, QuestionNumber number, const Question& question) {
  Service& service = ServiceOf(question.where);
  service.roots.Add({.first = question.first,
                     .last = question.last,
                     .trace = question.trace,
                     .span_id = question.span_id,
                     .asker = asker,
                     .operation = question.operation,
                     .number = number});
  ++waiting_roots_;
  if (!service.calls.list.empty()) service.changed.push_back({question.first, question.first});
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

/// A call waits for what its service starts meanwhile (3.3).
JoinStage::Waiting JoinStage::WaitingOf(SlotNumber slot) const {
  const Question& question = slots_[slot].question;
  const Microseconds skew = profile_->skew;
  return {.first = question.first > skew ? question.first - skew : 0,
          .last = std::min(question.last + skew, question.first + profile_->delay),
          .slot = slot};
}

void JoinStage::File(SlotNumber number) {
  const Question& question = slots_[number].question;
  if (question.kind == QuestionKind::kCall) {
    Service& service = ServiceOf(question.where);
    service.calls.list.push_back(WaitingOf(number));
    ++service.silent_calls;
    service.changed.push_back({service.calls.list.back().first, service.calls.list.back().last});
    return;
  }
  Instance& instance = InstanceOf(question.where);
  if (question.kind != QuestionKind::kLostBatch) {
    instance.questions.push_back(number);
    return;
  }
  if (instance.absent_parents.empty()) bereft_instances_.push_back(question.where);
  instance.absent_parents.push_back(number);
}

std::vector<GivenAnswer> JoinStage::Settle() {
  std::vector<GivenAnswer> given;
  if (std::exchange(settled_last_end_, last_end_) != last_end_) {
    // The last silence of an instance lasts until the last end of any.
    for (const NameId id : bereft_instances_) InstanceOf(id);
  }
  for (const NameId id : changed_instances_) SettleInstance(id, *instances_[id], given);
  changed_instances_.clear();
  for (const NameId id : changed_services_) SettleService(*services_[id], given);
  changed_services_.clear();
  std::erase_if(bereft_instances_,
                [this](NameId id) { return instances_[id]->absent_parents.empty(); });
  FreeWithdrawn();
  return given;
}

void JoinStage::Give(SlotNumber slot, Answer answer, std::vector<GivenAnswer>& given) {
  Slot& asked = slots_[slot];
  if (std::exchange(asked.given, answer) == answer) return;
  given.push_back({.asker = asked.asker, .question = asked.number, .answer = answer});
}

void JoinStage::SettleEnds(Instance& instance) {
  const auto first = Merge(instance.ends, instance.settled_ends, std::less<>());
  instance.ends.erase(std::unique(first, instance.ends.end()), instance.ends.end());
  instance.settled_ends = instance.ends.size();
}

void JoinStage::SettleInstance(NameId id, Instance& instance, std::vector<GivenAnswer>& given) {
  instance.has_changed = false;
  instance.busy.Settle();
  SettleEnds(instance);
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
  service.is_listed = false;
  if (std::exchange(service.has_withdrawn, false)) DropWithdrawn(service.calls);
  const auto waits_first = [](const Waiting& left, const Waiting& right) {
    return left.first < right.first;
  };
  Merge(service.calls.list, service.calls.settled, waits_first);
  for (const Range& group : GroupsAround(service)) MatchWithin(service, group, given);
  service.changed.clear();
  if (!std::exchange(service.was_seen, false) || service.silent_calls == 0) return;
  for (const Waiting& call : service.calls.list) {
    if (slots_[call.slot].given == Answer::kNo) GiveToCall(service, call.slot, given);
  }
}

/// Calls that wait at the same time compete for roots, and so do those that they compete with.
std::vector<JoinStage::Range> JoinStage::GroupsAround(Service& service) {
  std::vector<Range> ranges = std::exchange(service.changed, {});
  if (ranges.empty()) return {};
  const std::size_t changed = ranges.size();
  for (const Waiting& call : service.calls.list) ranges.push_back({call.first, call.last});
  std::vector<std::size_t> order(ranges.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&ranges](std::size_t i) { return ranges[i].first; });
  std::vector<Range> groups;
  bool has_changed = true;
  for (const std::size_t i : order) {
    const Range& range = ranges[i];
    const bool is_apart = groups.empty() || range.first > groups.back().last;
    if (is_apart) {
      if (!has_changed) groups.pop_back();
      groups.push_back(range);
      has_changed = false;
    }
    groups.back().last = std::max(groups.back().last, range.last);
    has_changed = has_changed || i < changed;
  }
  if (!has_changed) groups.pop_back();
  return groups;
}

void JoinStage::MatchWithin(Service& service, const Range& group, std::vector<GivenAnswer>& given) {
  const std::vector<Waiting>& list = service.calls.list;
  const auto first = std::ranges::lower_bound(list, group.first, {}, &Waiting::first);
  const auto last = std::ranges::upper_bound(first, list.end(), group.last, {}, &Waiting::first);
  const std::span<const Waiting> waiting_calls(first, last);
  const std::vector<WaitingRoot*> waiting_roots = service.roots.Within(group.first, group.last);
  std::vector<Question> calls;
  std::vector<Question> roots;
  calls.reserve(waiting_calls.size());
  roots.reserve(waiting_roots.size());
  for (const Waiting& call : waiting_calls) {
    slots_[call.slot].has_root = false;
    calls.push_back(slots_[call.slot].question);
  }
  for (WaitingRoot* const root : waiting_roots) {
    root->call = WaitingRoot::kNoCall;
    roots.push_back(root->AsQuestion(0));
  }
  const MatchingTimes times{.skew = profile_->skew, .delay = profile_->delay};
  for (const MatchedCall& pair : MatchCalls(calls, roots, times)) {
    WaitingRoot& root = *waiting_roots[pair.root];
    root.call = waiting_calls[pair.call].slot;
    Slot& call = slots_[root.call];
    call.has_root = true;
    call.root = {.first = root.first, .asker = root.asker, .number = root.number};
    call.root_last = root.last;
  }
  for (const Waiting& call : waiting_calls) GiveToCall(service, call.slot, given);
  for (WaitingRoot* const root : waiting_roots) GiveToRoot(*root, given);
}

void JoinStage::GiveToRoot(WaitingRoot& root, std::vector<GivenAnswer>& given) const {
  const bool is_made_by_other =
      root.call != WaitingRoot::kNoCall && slots_[root.call].question.trace != root.trace;
  const Answer answer = is_made_by_other ? Answer::kYes : Answer::kNo;
  if (std::exchange(root.given, answer) == answer) return;
  given.push_back({.asker = root.asker, .question = root.number, .answer = answer});
}

void JoinStage::GiveToCall(Service& service, SlotNumber slot, std::vector<GivenAnswer>& given) {
  const Slot& call = slots_[slot];
  const bool was_silent = call.given == Answer::kNo;
  if (call.has_root) {
    Give(slot, Answer::kYes, given);
  } else {
    Give(slot, PeerWasThere(service, call.question) ? Answer::kPeerWasThere : Answer::kNo, given);
  }
  const bool is_silent = call.given == Answer::kNo;
  service.silent_calls += is_silent ? 1 : 0;
  service.silent_calls -= was_silent ? 1 : 0;
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
  std::vector<SlotNumber> losses = instance.absent_parents;
  const auto first = [this](SlotNumber slot) { return slots_[slot].question.first / kTenth; };
  const auto last = [this](SlotNumber slot) { return slots_[slot].question.last / kTenth; };
  std::ranges::sort(losses, {}, first);
  Tenth longest = 0;
  for (const SlotNumber loss : losses) longest = std::max(longest, last(loss) - first(loss));
  for (const Tenth silence : SilencesOf(instance.ends)) {
    const Tenth earliest = silence > longest ? silence - longest : 0;
    std::vector<SlotNumber> before;
    std::set<std::pair<std::uint64_t, std::uint64_t>> traces;
    for (auto loss = std::ranges::lower_bound(losses, earliest, {}, first);
         loss != losses.end() && first(*loss) < silence; ++loss) {
      if (last(*loss) < silence) continue;
      const otlp::TraceId trace = slots_[*loss].question.trace;
      before.push_back(*loss);
      traces.emplace(trace.high, trace.low);
    }
    const bool are_many = traces.size() >= kTraces;
    std::ranges::copy_if(before, std::back_inserter(lost), [&](SlotNumber slot) {
      return are_many || !slots_[slot].question.is_served;
    });
  }
  std::ranges::sort(lost);
  return lost;
}

}  // namespace tracekeeper::continuity
