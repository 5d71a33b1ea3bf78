// DEPENDS: tracekeeper::otlp
//
// Any text as OTLP's JSON: refused with a sentence, or turned into a request that is one.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/otlp/json_transcoder.h"
#include "src/otlp/request.h"

namespace otlp = tracekeeper::otlp;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  constexpr std::size_t kLimit = 64U << 10U;
  for (const otlp::Signal signal : otlp::kSignals) {
    std::string protobuf;
    const auto done = otlp::TranscodeJson(signal, json, kLimit, protobuf);
    if (!done) {
      Require(!done.error().message.empty());
      continue;
    }
    Require(protobuf.size() <= kLimit);
    Require(otlp::CountItems(signal, protobuf).has_value());
  }
  return 0;
}
