#include "src/runtime/uid.h"

#include <charconv>
#include <functional>

namespace tracekeeper::runtime {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Two independent 64-bit FNV-1a hashes: no two uids of a cluster will ever share both.
Uid HashUid(std::string_view text) {
  std::uint64_t halves[2] = {0xcbf29ce484222325ULL, 0x84222325cbf29ce4ULL};
  for (const char c : text) {
    halves[0] = (halves[0] ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    halves[1] = (halves[1] + static_cast<unsigned char>(c)) * 0x9e3779b97f4a7c15ULL;
  }
  Uid uid;
  for (std::size_t i = 0; i < uid.bytes.size(); ++i) {
    uid.bytes[i] = static_cast<std::uint8_t>(halves[i / 8] >> (8 * (i % 8)));
  }
  return uid;
}

}  // namespace

Uid ParseUid(std::string_view text) {
  if (text.empty()) return {};
  if (text.size() != 36) return HashUid(text);
  Uid uid;
  std::size_t digit = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return HashUid(text);
      continue;
    }
    const int value = HexDigit(text[i]);
    if (value < 0) return HashUid(text);
    std::uint8_t& byte = uid.bytes[digit / 2];
    byte = static_cast<std::uint8_t>(byte << 4U | static_cast<unsigned>(value));
    ++digit;
  }
  return uid;
}

VersionNumber ParseVersion(std::string_view text) {
  VersionNumber number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped_at, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && stopped_at == end) return number;
  return text.empty() ? 0 : std::hash<std::string_view>{}(text) | 1U;
}

}  // namespace tracekeeper::runtime
