#pragma once
// ShapeCache remembers which shape a span with these very words has, so that most spans need
// neither the numbers of their texts nor their Shape to be looked up.
//
//   const ShapeId shape = cache.Get(key, [&] { return shapes.Intern(...); });
//
// A key is found only where all of it is the same, byte by byte: peers choose the words, and a hash
// says nothing about what they are.
//
// Threads:  one thread at a time.
// Owner:    copies the words; they are not looked at after the call.
// Cost:     256 bytes a key, at most kMostPlaces of them (2 MiB). A new key takes the place of an
//           older one; one with more words than fit is asked for each time.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "src/continuity/shape.h"

namespace tracekeeper::continuity {

/// All that decides on a span's shape.
struct ShapeKey {
  std::array<std::uint64_t, 4> numbers{};
  std::array<std::string_view, 5> texts{};
};

class ShapeCache {
 public:
  static constexpr std::size_t kMostPlaces = 8192;
  /// Of all texts of a key together.
  static constexpr std::size_t kMostBytes = 208;

  ShapeCache();

  /// The shape that is kept under `key`, else what `make()` says, which is kept.
  template <typename Make>
  [[gnu::always_inline]] ShapeId Get(const ShapeKey& key, Make make) {
    const auto& [a, b, c, d, e] = key.texts;
    const std::size_t bytes = a.size() + b.size() + c.size() + d.size() + e.size();
    if (bytes > kMostBytes) return make();
    const std::uint64_t sizes =
        a.size() | b.size() << 8U | c.size() << 16U | d.size() << 24U | e.size() << 32U | kTaken;
    const std::uint64_t hash = HashOf(key, sizes);
    // Two places, so that two keys of one hash do not push each other out all the time.
    Place* const first = &places_[hash & (size_ - 2)];
    if (Holds(first[0], key, sizes)) return first[0].shape;
    if (Holds(first[1], key, sizes)) return first[1].shape;
    const ShapeId shape = make();
    // A copy, so that the key itself need not be in memory.
    Keep(ShapeKey(key), sizes, first[hash >> 63U], shape);
    return shape;
  }

 private:
  static constexpr std::size_t kFewestPlaces = 256;
  static constexpr std::uint64_t kTaken = std::uint64_t{1} << 63U;
  static constexpr std::size_t kWord = sizeof(std::uint64_t);

  struct alignas(64) Place {
    std::array<std::uint64_t, 4> numbers{};
    std::uint64_t sizes = 0;  // of the texts, a byte each, and kTaken
    ShapeId shape = 0;
    std::uint32_t unused = 0;
    std::array<char, kMostBytes> texts{};  // one behind the other
  };
  static_assert(sizeof(Place) == 256);

  template <typename Number>
  static std::uint64_t Load(const char* at) {
    Number number = 0;
    std::memcpy(&number, at, sizeof number);
    return number;
  }

  [[gnu::always_inline]] static std::uint64_t Digest(std::string_view text, std::uint64_t hash);
  [[gnu::always_inline]] static std::uint64_t Difference(std::string_view text, const char* kept);
  [[gnu::always_inline]] std::uint64_t HashOf(const ShapeKey& key, std::uint64_t sizes) const;
  [[gnu::always_inline]] static bool Holds(const Place& place, const ShapeKey& key,
                                           std::uint64_t sizes);
  [[gnu::noinline]] void Keep(const ShapeKey& key, std::uint64_t sizes, Place& place,
                              ShapeId shape);

  const std::uint64_t seed_;  // so that nobody can choose words that take the places of others
  std::size_t size_ = kFewestPlaces;  // a power of two
  std::unique_ptr<Place[]> places_;
  std::size_t kept_ = 0;  // since it has this size
};

inline std::uint64_t ShapeCache::Digest(std::string_view text, std::uint64_t hash) {
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15U;
  const std::size_t size = text.size();
  const char* const at = text.data();
  if (size >= kWord) {
    for (std::size_t i = 0; i + kWord < size; i += kWord) {
      hash = (std::rotl(hash, 29) ^ Load<std::uint64_t>(at + i)) * kFactor;
    }
    return (std::rotl(hash, 29) ^ Load<std::uint64_t>(at + size - kWord)) * kFactor;
  }
  if (size >= kWord / 2) {
    return (hash ^ Load<std::uint32_t>(at) ^ Load<std::uint32_t>(at + size - kWord / 2) << 32U) *
           kFactor;
  }
  if (size == 0) return hash;
  return (hash ^ Load<std::uint8_t>(at) ^ Load<std::uint8_t>(at + size / 2) << 8U ^
          Load<std::uint8_t>(at + size - 1) << 16U) *
         kFactor;
}

/// 0 where `kept` is the same.
inline std::uint64_t ShapeCache::Difference(std::string_view text, const char* kept) {
  const std::size_t size = text.size();
  const char* const at = text.data();
  const auto differ = [&]<typename Number>(Number, std::size_t i) {
    return Load<Number>(at + i) ^ Load<Number>(kept + i);
  };
  if (size >= kWord) {
    std::uint64_t difference = differ(std::uint64_t{}, size - kWord);
    for (std::size_t i = 0; i + kWord < size; i += kWord) difference |= differ(std::uint64_t{}, i);
    return difference;
  }
  if (size >= kWord / 2) {
    return differ(std::uint32_t{}, 0) | differ(std::uint32_t{}, size - kWord / 2);
  }
  if (size == 0) return 0;
  return differ(std::uint8_t{}, 0) | differ(std::uint8_t{}, size / 2) |
         differ(std::uint8_t{}, size - 1);
}

inline std::uint64_t ShapeCache::HashOf(const ShapeKey& key, std::uint64_t sizes) const {
  const auto& [a, b, c, d, e] = key.texts;
  const auto& [first, second, third, fourth] = key.numbers;
  std::uint64_t hash = (seed_ ^ sizes) * 0xC2B2AE3D27D4EB4FU;
  hash += (first + seed_) * 0x165667B19E3779F9U + (second ^ seed_) * 0x85EBCA77C2B2AE63U;
  hash += third * 0xFF51AFD7ED558CCDU + fourth * 0xC4CEB9FE1A85EC53U;
  // Each by itself, so that the processor does them side by side.
  hash += Digest(a, seed_) + std::rotl(Digest(b, seed_ + 1), 11) +
          std::rotl(Digest(c, seed_ + 2), 23) + std::rotl(Digest(d, seed_ + 3), 37) +
          std::rotl(Digest(e, seed_ + 4), 51);
  return hash ^ hash >> 32U;
}

inline bool ShapeCache::Holds(const Place& place, const ShapeKey& key, std::uint64_t sizes) {
  const auto& [a, b, c, d, e] = key.texts;
  const auto& [first, second, third, fourth] = key.numbers;
  // One by one: numbers that were just written cannot be read at once as the vectors that a
  // compiler would compare.
  if (place.sizes != sizes || place.numbers[0] != first) return false;
  if (place.numbers[1] != second || place.numbers[2] != third) return false;
  if (place.numbers[3] != fourth) return false;
  const char* kept = place.texts.data();
  const auto differ = [&kept](std::string_view text) {
    const char* const from = kept;
    kept += text.size();
    return Difference(text, from);
  };
  std::uint64_t difference = differ(a);
  difference |= differ(b);
  difference |= differ(c);
  difference |= differ(d);
  difference |= differ(e);
  return difference == 0;
}

}  // namespace tracekeeper::continuity
