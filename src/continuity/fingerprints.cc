#include "src/continuity/fingerprints.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "src/continuity/keyed_hash.h"

namespace tracekeeper::continuity {

Fingerprints::Fingerprints(std::size_t room, std::uint64_t key)
    : key_(key),
      mask_(std::bit_floor(std::max<std::size_t>(room / std::tuple_size_v<Set>, 1)) - 1),
      region_((mask_ + 1) * sizeof(Set)),
      sets_(reinterpret_cast<Set*>(region_.begin())) {}

std::uint64_t Fingerprints::HashOf(std::uint64_t what) const { return KeyedHash(what, key_); }

std::uint32_t Fingerprints::Add(std::uint64_t what, std::uint32_t until, std::uint32_t note) {
  const std::uint64_t hash = HashOf(what);
  is_empty_ = false;
  Set& set = sets_[SetOf(hash)];
  const auto same = std::ranges::find(set, hash, &Entry::hash);
  Entry& entry = same != set.end() ? *same : *std::ranges::min_element(set, {}, &Entry::until);
  const Entry before = std::exchange(entry, {.hash = hash, .until = until, .note = note});
  return before.hash == hash ? 0 : before.until;
}

std::optional<std::uint32_t> Fingerprints::Find(std::uint64_t what, std::uint32_t now) const {
  if (is_empty_) return std::nullopt;
  const std::uint64_t hash = HashOf(what);
  const Set& set = sets_[SetOf(hash)];
  const auto found = std::ranges::find(set, hash, &Entry::hash);
  if (found == set.end() || found->until <= now) return std::nullopt;
  return found->note;
}

}  // namespace tracekeeper::continuity
