// JSON text: what is taken can be walked, written and read again as the same; what is refused has a
// place that the slow check found too, unless only a number was out of range.
//
// DEPENDS: tracekeeper::codec

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/codec/json_check.h"
#include "src/codec/json_value.h"

namespace {

using tracekeeper::codec::JsonMember;
using tracekeeper::codec::JsonValue;

// Reads every value through every accessor.
std::size_t Walk(const JsonValue& value) {
  std::size_t sum = value.StringOr("").size() + (value.BoolOr(false) ? 1 : 0) +
                    (value.Double() ? 1 : 0) + (value.Unsigned() ? 1 : 0) + value.size();
  for (const JsonValue element : value.Elements()) sum += Walk(element);
  for (const JsonMember& member : value.Members()) {
    sum += Walk(member.value);
    if (!value[member.key]) std::abort();
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace codec = tracekeeper::codec;
  static codec::JsonParser parser;
  static codec::JsonParser second_parser;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = parser.Parse(text);
  const auto checked = codec::CheckJson(text, JsonValue::kMaxDepth);
  if (!value) {
    const bool is_about_a_number = value.error().message.find("number") != std::string::npos;
    if (checked && !is_about_a_number) std::abort();
    return 0;
  }
  if (!checked) std::abort();
  Walk(*value);
  const std::string written = value->ToJson();
  const auto again = second_parser.Parse(written);
  if (!again || again->ToJson() != written) std::abort();
  if (again->ToCanonicalJson() != value->ToCanonicalJson()) std::abort();
  return 0;
}
