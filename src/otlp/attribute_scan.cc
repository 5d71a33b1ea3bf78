#include "src/otlp/attribute_scan.h"

namespace tracekeeper::otlp {
namespace {

using wire::ForEachField;
using wire::kBytes;
using wire::kFixed64;
using wire::kVarint;
using wire::ReadBytes;
using wire::SkipField;
using wire::Tag;

/// Whether `tag` sets the value of an AnyValue, which is one of these.
bool IsValue(std::uint32_t tag) {
  switch (tag) {
    case Tag(1, kBytes):
    case Tag(2, kVarint):
    case Tag(3, kVarint):
    case Tag(4, kFixed64):
    case Tag(5, kBytes):
    case Tag(6, kBytes):
    case Tag(7, kBytes):
      return true;
    default:
      return false;
  }
}

/// Of values, only texts are of use; of all, the framing is checked.
bool ReadAnyValue(std::string_view any_value, int depth, std::string_view& text) {
  if (!wire::IsAnyValue(any_value, depth)) return false;
  return ForEachField(any_value, [&text](std::uint32_t tag, const char* at, const char* end) {
    if (IsValue(tag)) text = {};
    return tag == Tag(1, kBytes) ? ReadBytes(at, end, text) : SkipField(at, end, tag);
  });
}

bool ReadKeyValue(std::string_view key_value, int depth, Attribute& attribute) {
  return ForEachField(
      key_value, [&attribute, depth](std::uint32_t tag, const char* at, const char* end) {
        if (tag == Tag(1, kBytes)) return ReadBytes(at, end, attribute.key);
        if (tag != Tag(2, kBytes)) return SkipField(at, end, tag);
        std::string_view value;
        at = ReadBytes(at, end, value);
        return at != nullptr && ReadAnyValue(value, depth + 1, attribute.text) ? at : nullptr;
      });
}

}  // namespace

// As SDKs write it: a short key, a short value, one text or one number in it. A dozen of these are
// most of a span, so they are recognised as a whole.
bool ReadAttribute(std::string_view key_value, int depth, Attribute& attribute) {
  const char* const at = key_value.data();
  const std::size_t size = key_value.size();
  const auto byte = [at](std::size_t i) { return static_cast<unsigned char>(at[i]); };
  constexpr std::size_t kShort = 0x80;
  if (size < 6 || byte(0) != Tag(1, kBytes)) return ReadKeyValue(key_value, depth, attribute);
  const std::size_t value_at = 2 + std::size_t{byte(1)};
  if (byte(1) >= kShort || value_at + 4 > size || byte(value_at) != Tag(2, kBytes) ||
      byte(value_at + 1) >= kShort || value_at + 2 + byte(value_at + 1) != size) {
    return ReadKeyValue(key_value, depth, attribute);
  }
  attribute.key = {at + 2, byte(1)};
  const std::size_t any_at = value_at + 2;
  if (byte(any_at) == Tag(1, kBytes) && byte(any_at + 1) == size - any_at - 2) {
    attribute.text = {at + any_at + 2, size - any_at - 2};
    return true;
  }
  return ReadAnyValue({at + any_at, size - any_at}, depth + 1, attribute.text);
}

}  // namespace tracekeeper::otlp
