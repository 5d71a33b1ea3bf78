#pragma once
// CopyWords copies a value eight bytes at a time.
//
// For what was written a word at a time just before: a processor hands a write on to a read that
// wants no more than it, while a wider read, which compilers choose for a copy, waits until the
// write and all before it are done. A span on its way into the table waited three times so, a
// quarter of all that it cost.
//
// Threads:  a function.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace tracekeeper::continuity {

template <typename From, typename To>
[[gnu::always_inline]] inline void CopyWords(const From& from, To& to) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  static_assert(std::is_trivially_copyable_v<From> && std::is_trivially_copyable_v<To>);
  static_assert(sizeof(From) == sizeof(To) && sizeof(To) % kWord == 0);
  const auto* const source = reinterpret_cast<const std::byte*>(&from);
  auto* const target = reinterpret_cast<std::byte*>(&to);
#pragma GCC unroll 16
  for (std::size_t at = 0; at < sizeof(To); at += kWord) {
    std::uint64_t word = 0;
    std::memcpy(&word, source + at, kWord);
    asm("" : "+r"(word));  // in a register of its own: not joined with its neighbour
    std::memcpy(target + at, &word, kWord);
  }
}

}  // namespace tracekeeper::continuity
