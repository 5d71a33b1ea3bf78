#pragma once
// KeyedHash spreads ids that peers choose, so that without the key of the process nobody can choose
// many that collide.
//
// Threads:  pure.
// Source:   Murmur3's 64-bit finaliser over the keyed id: every bit of it changes every bit.

#include <cstdint>

namespace tracekeeper::continuity {

constexpr std::uint64_t KeyedHash(std::uint64_t id, std::uint64_t key) {
  std::uint64_t hash = (id ^ key) * 0x9E3779B97F4A7C15U + key;
  hash = (hash ^ hash >> 33U) * 0xFF51AFD7ED558CCDU;
  hash = (hash ^ hash >> 33U) * 0xC4CEB9FE1A85EC53U;
  return hash ^ hash >> 33U;
}

}  // namespace tracekeeper::continuity
