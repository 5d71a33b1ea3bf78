#include "src/runtime/uuid.h"

#include <fmt/core.h>

#include <array>
#include <cstdint>
#include <random>

namespace tracekeeper::runtime {

std::string RandomUuid() {
  std::random_device kernel;
  std::array<std::uint32_t, 4> words{};
  for (std::uint32_t& word : words) word = kernel();
  words[1] = (words[1] & 0xffff0fffU) | 0x00004000U;  // version 4
  words[2] = (words[2] & 0x3fffffffU) | 0x80000000U;  // variant of RFC 9562
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:04x}{:08x}", words[0], words[1] >> 16U,
                     words[1] & 0xffffU, words[2] >> 16U, words[2] & 0xffffU, words[3]);
}

}  // namespace tracekeeper::runtime
