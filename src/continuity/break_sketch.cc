#include "src/continuity/break_sketch.h"

#include <algorithm>

namespace tracekeeper::continuity {
namespace {

using Examples = std::array<SpanReference, BreakSketch::kExamples>;

bool IsThere(const SpanReference& example) { return example != SpanReference(); }

/// Keeps the latest, whatever order they come in.
void Keep(Examples& examples, SpanReference example) {
  for (SpanReference& kept : examples) {
    if (kept == example) return;
    if (!IsThere(kept) || example > kept) std::swap(kept, example);
    if (!IsThere(example)) return;
  }
}

void Drop(Examples& examples, const SpanReference& example) {
  const auto end = std::ranges::remove(examples, example);
  std::ranges::fill(end, SpanReference());
}

}  // namespace

std::uint64_t BreakSketch::HashOf(const BreakKey& key) {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15U;
  auto hash = static_cast<std::uint64_t>(key.cause);
  for (const NameId name : {key.policy, key.service, key.peer, key.scope, key.span_name}) {
    hash = (hash ^ name) * kOdd;
    hash ^= hash >> 32U;
  }
  return hash;
}

BreakSketch::Entry* BreakSketch::Find(const BreakKey& key) {
  const std::uint64_t hash = HashOf(key);
  for (auto found = std::ranges::find(hashes_, hash); found != hashes_.end();
       found = std::find(found + 1, hashes_.end(), hash)) {
    Entry& entry = entries_[static_cast<std::size_t>(found - hashes_.begin())];
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

void BreakSketch::Count(const CountedBreak& counted) {
  Entry* entry = Find(counted.key);
  if (entry == nullptr && entries_.size() < room_) {
    if (entries_.empty()) {
      entries_.reserve(room_);
      hashes_.reserve(room_);
    }
    hashes_.push_back(HashOf(counted.key));
    entry = &entries_.emplace_back();
    *entry = {.key = counted.key, .counted = floor_, .error = floor_};
  } else if (entry == nullptr) {
    entry = &*std::ranges::min_element(entries_, {}, &Entry::counted);
    floor_ = std::max(floor_, entry->counted);
    hashes_[static_cast<std::size_t>(entry - entries_.data())] = HashOf(counted.key);
    *entry = {.key = counted.key, .counted = floor_, .error = floor_};
  }
  ++entry->counted;
  if (IsThere(counted.shown_at)) Keep(entry->examples, counted.shown_at);
}

/// Of one without an entry there is nothing to take back: its count went with the entry that it
/// had, and is part of the error of those that came after.
void BreakSketch::Withdraw(const CountedBreak& counted) {
  Entry* entry = Find(counted.key);
  if (entry == nullptr) return;
  ++entry->withdrawn;
  Drop(entry->examples, counted.shown_at);
}

void BreakSketch::Add(const BreakSketch& other) {
  std::vector<bool> is_in_both(entries_.size());
  std::vector<const Entry*> more;
  for (const Entry& added : other.entries_) {
    Entry* entry = Find(added.key);
    if (entry == nullptr) {
      more.push_back(&added);
      continue;
    }
    is_in_both[static_cast<std::size_t>(entry - entries_.data())] = true;
    entry->counted += added.counted;
    entry->withdrawn += added.withdrawn;
    entry->error += added.error;
    for (const SpanReference& example : added.examples) {
      if (IsThere(example)) Keep(entry->examples, example);
    }
  }
  for (std::size_t i = 0; i < is_in_both.size(); ++i) {
    if (is_in_both[i]) continue;
    entries_[i].counted += other.floor_;
    entries_[i].error += other.floor_;
  }
  for (const Entry* added : more) {
    Entry& entry = entries_.emplace_back(*added);
    entry.counted += floor_;
    entry.error += floor_;
    hashes_.push_back(HashOf(entry.key));
  }
  floor_ += other.floor_;
  ShrinkToRoom();
}

void BreakSketch::ShrinkToRoom() {
  if (entries_.size() <= room_) return;
  std::ranges::stable_sort(entries_, std::ranges::greater(), &Entry::counted);
  floor_ = std::max(floor_, entries_[room_].counted);
  entries_.resize(room_);
  hashes_.clear();
  for (const Entry& entry : entries_) hashes_.push_back(HashOf(entry.key));
}

}  // namespace tracekeeper::continuity
