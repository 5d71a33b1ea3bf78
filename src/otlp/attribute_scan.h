#pragma once
// Attributes as TelemetryScanner reads them: the name and, where it is one, the text of its value.
// Of all other values the framing is checked and nothing kept.
//
// Threads:  pure.
// Failure:  as wire_scan.h: false or null where the bytes are damaged.
// Cost:     ReadPlainAttribute about 20 instructions, without a loop; ReadAttribute some hundred.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/otlp/wire_scan.h"

namespace tracekeeper::otlp {

struct Attribute {
  std::string_view key;
  std::string_view text;
};

/// Any KeyValue that stands `depth` levels below its request.
bool ReadAttribute(std::string_view key_value, int depth, Attribute& attribute);

/// How far ReadPlainAttribute may look beyond the end it is given.
inline constexpr std::size_t kLookAhead = 16;

/// How far plain attributes of `message` may be read, where bytes up to `readable_end` are there.
inline const char* PlainEnd(std::string_view message, const char* readable_end) {
  const char* const end = message.data() + message.size();
  if (static_cast<std::size_t>(readable_end - end) >= kLookAhead) return end;
  return message.size() >= kLookAhead ? readable_end - kLookAhead : message.data();
}

/// An attribute as SDKs write most of them, from its tag on:
///
///   tag size 0A size key 12 size (0A size text | 18 number | 10 bool)
///
/// with sizes of one byte. The place behind it, or null where it is of another form, which may well
/// be a legal one. `at` < `end`, and kLookAhead bytes behind `end` can be read.
template <std::uint32_t kTag>
[[gnu::always_inline]] inline const char* ReadPlainAttribute(const char* at, const char* end,
                                                             Attribute& attribute) {
  static_assert(kTag < 0x80, "one byte");
  constexpr std::size_t kFrame = 4;      // the tags and sizes before the key
  constexpr std::size_t kLeastRest = 6;  // the size of a key leaves this much of the whole
  const auto head = wire::Load<std::uint32_t>(at);
  if ((head & 0x00FF80FFU) != (wire::Tag(1, wire::kBytes) << 16U | kTag)) return nullptr;
  // Read by itself: where the next attribute stands waits for nothing else.
  const std::size_t size = static_cast<unsigned char>(at[1]);
  const std::size_t key_size = head >> 24U;
  if (static_cast<std::size_t>(end - at) < size + 2 || key_size + kLeastRest > size) return nullptr;
  attribute.key = {at + kFrame, key_size};
  const char* const value_at = at + kFrame + key_size;
  const auto value_size = static_cast<std::uint32_t>(size - kFrame - key_size);
  const auto value = wire::Load<std::uint32_t>(value_at);
  // The tag and size of the AnyValue, the tag and size of its text: sizes that fit each other.
  constexpr std::uint32_t kTextFrame = 0x12U | 0x0AU << 16U;
  if (value == kTextFrame + (value_size << 8U) + ((value_size - 2) << 24U)) {
    attribute.text = {value_at + 4, value_size - 2};
    return at + 2 + size;
  }
  const std::uint32_t tag = value >> 16U & 0xFFU;
  const bool is_number =
      (value & 0xFFFFU) == (0x12U | value_size << 8U) && (tag == 0x18 || tag == 0x10);
  // A varint ends with its first byte below 0x80.
  const std::uint64_t last_bytes = ~wire::Load<std::uint64_t>(value_at + 3) & 0x8080808080808080U;
  if (!is_number || last_bytes == 0 ||
      static_cast<std::uint32_t>(std::countr_zero(last_bytes)) / 8 + 2 != value_size) {
    return nullptr;
  }
  attribute.text = {};
  return at + 2 + size;
}

}  // namespace tracekeeper::otlp
