#pragma once
// NumberIndex finds the number under which something is kept elsewhere, by its hash.
//
// Threads:  one thread at a time.
// Owner:    keeps numbers only; the caller says whether what a number stands for is the same.
// Cost:     a place of 8 bytes, of which at least a quarter is free. Whoever can choose hashes that
//           collide makes it slow: hash with a key.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace tracekeeper::continuity {

class NumberIndex {
 public:
  /// The number that was added with `hash` and of which `is_same(number)` holds.
  template <typename IsSame>
  [[nodiscard]] std::optional<std::uint32_t> Find(std::uint64_t hash, IsSame is_same) const {
    const auto mark = static_cast<std::uint32_t>(hash);
    for (std::size_t at = mark & mask(); places_[at].is_taken; at = (at + 1) & mask()) {
      if (places_[at].mark == mark && is_same(places_[at].number)) return places_[at].number;
    }
    return std::nullopt;
  }

  /// `number` is below 2^31.
  void Add(std::uint64_t hash, std::uint32_t number) {
    if (++count_ * 4 > places_.size() * 3) Grow();
    Put({.mark = static_cast<std::uint32_t>(hash), .is_taken = 1, .number = number});
  }

 private:
  struct Place {
    std::uint32_t mark = 0;
    std::uint32_t is_taken : 1 = 0;
    std::uint32_t number : 31 = 0;
  };

  [[nodiscard]] std::size_t mask() const { return places_.size() - 1; }
  void Put(Place place) {
    std::size_t at = place.mark & mask();
    while (places_[at].is_taken) at = (at + 1) & mask();
    places_[at] = place;
  }
  void Grow() {
    std::vector<Place> old(places_.size() * 2);
    old.swap(places_);
    for (const Place& place : old) {
      if (place.is_taken) Put(place);
    }
  }

  std::vector<Place> places_ = std::vector<Place>(64);  // a power of two
  std::size_t count_ = 0;
};

}  // namespace tracekeeper::continuity
