#pragma once
// The steps of TelemetryScanner over protobuf's wire format: raw pointers, no objects, one branch a
// byte. codec::WireReader says the same with more comfort and at many times the cost; tests compare
// both with libprotobuf.
//
// Every function takes the place `at` and the message's end and returns the place behind what it
// read, or null where that is damaged: cut off, too long, a group, field number 0.
//
// Threads:  pure.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tracekeeper::otlp::wire {

constexpr std::uint32_t Tag(std::uint32_t field, std::uint32_t type) { return field << 3U | type; }
inline constexpr std::uint32_t kVarint = 0;
inline constexpr std::uint32_t kFixed64 = 1;
inline constexpr std::uint32_t kBytes = 2;
inline constexpr std::uint32_t kFixed32 = 5;
/// Messages that nest deeper are refused, as libprotobuf does. A request is level 0.
inline constexpr int kMaxDepth = 100;

/// The bytes at `at` as a number, first byte lowest: of what is known to be there.
template <typename Number>
Number Load(const char* at) {
  static_assert(std::endian::native == std::endian::little, "the wire's order is the machine's");
  Number value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// Where the first byte is not the last one.
const char* ReadLongVarint(const char* at, const char* end, std::uint64_t& value);
const char* ReadLongSize(const char* at, const char* end, std::uint64_t& value);
/// Steps over a field of any type but a group.
const char* SkipField(const char* at, const char* end, std::uint32_t tag);
/// Checks the framing of an AnyValue at level `depth` and of everything in it; false where it is
/// damaged.
bool IsAnyValue(std::string_view value, int depth);

inline const char* ReadVarint(const char* at, const char* end, std::uint64_t& value) {
  if (at != end && static_cast<unsigned char>(*at) < 0x80U) {
    value = static_cast<unsigned char>(*at);
    return at + 1;
  }
  return ReadLongVarint(at, end, value);
}

/// Of a field: at most 5 bytes, number and type in range.
inline const char* ReadTag(const char* at, const char* end, std::uint32_t& tag) {
  const auto first = static_cast<unsigned char>(*at);  // callers look for the end first
  if (first < 0x80U) {
    tag = first;
    return first >= 8 ? at + 1 : nullptr;
  }
  std::uint64_t long_tag = 0;
  at = ReadLongSize(at, end, long_tag);
  tag = static_cast<std::uint32_t>(long_tag);
  return long_tag >= 8 ? at : nullptr;
}

/// The content of a kBytes field.
inline const char* ReadBytes(const char* at, const char* end, std::string_view& bytes) {
  constexpr std::ptrdiff_t kShortest = 2;
  std::uint64_t size = 0;
  if (at != end && static_cast<unsigned char>(*at) < 0x80U) {
    size = static_cast<unsigned char>(*at++);
  } else if (end - at > kShortest && static_cast<unsigned char>(at[1]) < 0x80U) {
    size = (static_cast<unsigned char>(at[0]) & 0x7FU) | static_cast<std::uint64_t>(at[1]) << 7U;
    at += 2;  // as most spans have it
  } else {
    at = ReadLongSize(at, end, size);
    if (at == nullptr) return nullptr;
  }
  if (size > static_cast<std::uint64_t>(end - at)) return nullptr;
  bytes = {at, static_cast<std::size_t>(size)};
  return at + size;
}

template <typename Number>
const char* ReadFixed(const char* at, const char* end, Number& value) {
  if (static_cast<std::size_t>(end - at) < sizeof value) return nullptr;
  value = Load<Number>(at);
  return at + sizeof value;
}

/// Calls `on_field(tag, at)` for each field of `message`; it returns the place behind the field's
/// content (SkipField for what it does not want) or null. False where the message is damaged.
template <typename OnField>
inline bool ForEachField(std::string_view message, OnField on_field) {
  const char* at = message.data();
  const char* const end = at + message.size();
  while (at != end) {
    std::uint32_t tag = 0;
    at = ReadTag(at, end, tag);
    if (at == nullptr) return false;
    at = on_field(tag, at, end);
    if (at == nullptr) return false;
  }
  return true;
}

}  // namespace tracekeeper::otlp::wire
