// DEPENDS: tracekeeper::codec
//
// Any text: its records lie in it, in order and apart; a text that is one valid list has the
// elements that the parser finds.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/codec/json_records.h"
#include "src/codec/json_value.h"

namespace codec = tracekeeper::codec;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

template <typename Walk>
std::size_t CountRecords(Walk walk, std::string_view text, bool& is_whole) {
  std::size_t count = 0;
  std::size_t reached = 0;
  const auto status = walk(text, [&](std::size_t offset, std::string_view record) {
    Require(!record.empty() && offset >= reached && offset + record.size() <= text.size());
    reached = offset + record.size();
    ++count;
    return tracekeeper::Status();
  });
  is_whole = status.has_value();
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  bool is_whole = false;
  CountRecords(codec::ForEachJsonDocument, text, is_whole);
  const std::size_t elements = CountRecords(codec::ForEachJsonElement, text, is_whole);
  (void)codec::FindJsonMember(text, "data");
  codec::JsonParser parser;
  const auto parsed = parser.Parse(text);
  if (text.starts_with('[') && parsed && parsed->is_array()) {
    Require(is_whole && elements == parsed->size());
  }
  return 0;
}
