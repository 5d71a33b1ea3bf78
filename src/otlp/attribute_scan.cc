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

// As SDKs write it: a key, a value, one text or one number in it. This much is recognised as a
// whole.
bool ReadAttribute(std::string_view key_value, int depth, Attribute& attribute) {
  const auto starts_with = [](const char* at, const char* end, std::uint32_t tag) {
    return at != nullptr && at != end && static_cast<unsigned char>(*at) == tag;
  };
  const char* at = key_value.data();
  const char* const end = at + key_value.size();
  std::string_view value;
  if (starts_with(at, end, Tag(1, kBytes))) {
    at = ReadBytes(at + 1, end, attribute.key);
    if (starts_with(at, end, Tag(2, kBytes)) && ReadBytes(at + 1, end, value) == end) {
      at = value.data();
      if (starts_with(at, end, Tag(1, kBytes)) && ReadBytes(at + 1, end, attribute.text) == end) {
        return true;
      }
      attribute.text = {};
      return ReadAnyValue(value, depth + 1, attribute.text);
    }
    attribute.key = {};
  }
  return ReadKeyValue(key_value, depth, attribute);
}

}  // namespace tracekeeper::otlp
