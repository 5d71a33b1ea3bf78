#pragma once
// Fingerprints remember for a while that something was here, in 16 bytes each and a fixed room:
// traces that were judged and forgotten, or shed.
//
// Where the room is short the one that would be forgotten next makes way.
//
// Threads:  one.
// Cost:     one or two cache lines.
// Failure:  two things with the same 64-bit hash are one: once in 2^64.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "src/continuity/mapped_region.h"

namespace tracekeeper::continuity {

class Fingerprints {
 public:
  /// `room`: how many at most; `key`: of the process.
  Fingerprints(std::size_t room, std::uint64_t key);

  /// `note`: comes back with it. Returns until when was to be remembered what made way; 0: nothing.
  std::uint32_t Add(std::uint64_t what, std::uint32_t until, std::uint32_t note);
  [[nodiscard]] std::optional<std::uint32_t> Find(std::uint64_t what, std::uint32_t now) const;
  /// Ahead of Add or Find.
  void Prefetch(std::uint64_t what) const {
    PrefetchForWrite(&sets_[SetOf(HashOf(what))], sizeof(Set));
  }
  [[nodiscard]] std::size_t bytes() const { return region_.bytes(); }

 private:
  struct Entry {
    std::uint64_t hash = 0;
    std::uint32_t until = 0;
    std::uint32_t note = 0;
  };
  using Set = std::array<Entry, 8>;  // two cache lines: pages begin at one

  [[nodiscard]] std::uint64_t HashOf(std::uint64_t what) const;
  [[nodiscard]] std::size_t SetOf(std::uint64_t hash) const { return hash & mask_; }

  std::uint64_t key_;
  bool is_empty_ = true;  // nothing was ever added: a look costs nothing
  std::size_t mask_;
  MappedRegion region_;
  Set* sets_;
};

}  // namespace tracekeeper::continuity
