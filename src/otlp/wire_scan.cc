#include "src/otlp/wire_scan.h"

namespace tracekeeper::otlp::wire {
namespace {

const char* ReadLong(const char* at, const char* end, unsigned longest, std::uint64_t& value) {
  value = 0;
  for (unsigned i = 0; i < longest && at != end; ++i) {
    const auto byte = static_cast<unsigned char>(*at++);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << (7 * i);
    if (byte < 0x80U) return at;
  }
  return nullptr;
}

bool IsKeyValue(std::string_view key_value, int depth) {
  if (depth > kMaxDepth) return false;
  return ForEachField(key_value, [depth](std::uint32_t tag, const char* at, const char* end) {
    if (tag != Tag(2, kBytes)) return SkipField(at, end, tag);
    std::string_view value;
    at = ReadBytes(at, end, value);
    return at != nullptr && IsAnyValue(value, depth + 1) ? at : nullptr;
  });
}

/// An ArrayValue, or a KeyValueList.
bool IsList(std::string_view list, bool is_array, int depth) {
  if (depth > kMaxDepth) return false;
  return ForEachField(list, [=](std::uint32_t tag, const char* at, const char* end) {
    if (tag != Tag(1, kBytes)) return SkipField(at, end, tag);
    std::string_view element;
    at = ReadBytes(at, end, element);
    if (at == nullptr) return at;
    const bool is_whole =
        is_array ? IsAnyValue(element, depth + 1) : IsKeyValue(element, depth + 1);
    return is_whole ? at : nullptr;
  });
}

}  // namespace

const char* ReadLongVarint(const char* at, const char* end, std::uint64_t& value) {
  constexpr unsigned kLongest = 10;
  return ReadLong(at, end, kLongest, value);
}

const char* ReadLongSize(const char* at, const char* end, std::uint64_t& value) {
  constexpr unsigned kLongest = 5;
  at = ReadLong(at, end, kLongest, value);
  return value <= 0xFFFFFFFFU ? at : nullptr;
}

const char* SkipField(const char* at, const char* end, std::uint32_t tag) {
  std::uint64_t number = 0;
  std::uint32_t half = 0;
  std::string_view bytes;
  switch (tag & 7U) {
    case kVarint:
      return ReadVarint(at, end, number);
    case kFixed64:
      return ReadFixed(at, end, number);
    case kBytes:
      return ReadBytes(at, end, bytes);
    case kFixed32:
      return ReadFixed(at, end, half);
    default:
      return nullptr;
  }
}

bool IsAnyValue(std::string_view value, int depth) {
  if (depth > kMaxDepth) return false;
  return ForEachField(value, [depth](std::uint32_t tag, const char* at, const char* end) {
    const bool is_array = tag == Tag(5, kBytes);
    if (!is_array && tag != Tag(6, kBytes)) return SkipField(at, end, tag);
    std::string_view list;
    at = ReadBytes(at, end, list);
    return at != nullptr && IsList(list, is_array, depth + 1) ? at : nullptr;
  });
}

}  // namespace tracekeeper::otlp::wire
