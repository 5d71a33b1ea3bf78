// A document and a patch, one per line: applying never crashes, and what comes out is JSON.
//
// DEPENDS: tracekeeper::codec

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/codec/json_check.h"
#include "src/codec/json_patch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace codec = tracekeeper::codec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    const auto tokens = codec::ParsePointer(text);
    if (!tokens) return 0;
    std::string pointer;
    for (const std::string& token : *tokens) codec::AppendPointerToken(pointer, token);
    if (pointer != text) std::abort();
    return 0;
  }
  const auto patched = codec::ApplyJsonPatch(text.substr(0, end), text.substr(end + 1));
  // A value of full depth may have been put at full depth.
  constexpr std::size_t kDepth = 2 * codec::JsonValue::kMaxDepth;
  if (patched && !codec::CheckJson(*patched, kDepth)) std::abort();
  return 0;
}
