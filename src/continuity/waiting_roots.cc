#include "src/continuity/waiting_roots.h"

#include <algorithm>

namespace tracekeeper::continuity {
namespace {

constexpr Microseconds kSecond = 1'000'000;
constexpr std::size_t kBytesPerSecond = 96;  // about, beside its roots

}  // namespace

Question WaitingRoot::AsQuestion(NameId where) const {
  return {.kind = QuestionKind::kServerRoot,
          .where = where,
          .operation = operation,
          .first = first,
          .last = last,
          .trace = trace,
          .span_id = span_id,
          .own_starts = 0};
}

void WaitingRoots::Add(const WaitingRoot& root) {
  const std::uint64_t second = root.first / kSecond;
  if (last_ == nullptr || last_second_ != second) {
    last_ = &seconds_[second];
    last_second_ = second;
  }
  last_->roots.push_back(root);
  ++held_;
}

void WaitingRoots::Sort(Second& second) {
  const auto begin = second.roots.begin();
  const auto added = begin + static_cast<std::ptrdiff_t>(second.sorted);
  if (added == second.roots.end()) return;
  const auto starts_first = [](const WaitingRoot& left, const WaitingRoot& right) {
    return left.first < right.first;
  };
  std::sort(added, second.roots.end(), starts_first);
  std::inplace_merge(begin, added, second.roots.end(), starts_first);
  second.sorted = second.roots.size();
}

WaitingRoot* WaitingRoots::Find(const WaitingRootKey& key) {
  const auto found = seconds_.find(key.first / kSecond);
  if (found == seconds_.end()) return nullptr;
  Sort(found->second);
  for (WaitingRoot& root :
       std::ranges::equal_range(found->second.roots, key.first, {}, &WaitingRoot::first)) {
    const bool is_it = root.asker == key.asker && root.number == key.number && !root.is_withdrawn;
    if (is_it) return &root;
  }
  return nullptr;
}

void WaitingRoots::Withdraw(WaitingRoot& root) {
  root.is_withdrawn = true;
  ++withdrawn_;
}

std::vector<WaitingRoot*> WaitingRoots::Within(Microseconds first, Microseconds last) {
  std::vector<WaitingRoot*> within;
  for (auto at = seconds_.lower_bound(first / kSecond);
       at != seconds_.end() && at->first <= last / kSecond; ++at) {
    Sort(at->second);
    std::vector<WaitingRoot>& roots = at->second.roots;
    auto root = std::ranges::lower_bound(roots, first, {}, &WaitingRoot::first);
    for (; root != roots.end() && root->first <= last; ++root) {
      if (!root->is_withdrawn) within.push_back(&*root);
    }
  }
  return within;
}

void WaitingRoots::Forget(Microseconds time) {
  last_ = nullptr;
  // What starts in a later second ends later too.
  for (auto at = seconds_.begin(); at != seconds_.end() && at->first <= time / kSecond;) {
    DropOver(at->second, time);
    at = at->second.roots.empty() ? seconds_.erase(at) : std::next(at);
  }
}

void WaitingRoots::DropOver(Second& second, Microseconds time) {
  const auto is_over = [time](const WaitingRoot& root) {
    return root.is_withdrawn || root.last < time;
  };
  std::vector<WaitingRoot>& roots = second.roots;
  withdrawn_ -=
      static_cast<std::size_t>(std::ranges::count(roots, true, &WaitingRoot::is_withdrawn));
  const auto sorted = roots.begin() + static_cast<std::ptrdiff_t>(second.sorted);
  second.sorted -= static_cast<std::size_t>(std::count_if(roots.begin(), sorted, is_over));
  held_ -= std::erase_if(roots, is_over);
}

std::size_t WaitingRoots::bytes() const {
  return held_ * sizeof(WaitingRoot) + seconds_.size() * kBytesPerSecond;
}

}  // namespace tracekeeper::continuity
