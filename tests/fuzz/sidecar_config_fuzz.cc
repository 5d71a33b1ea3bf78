// DEPENDS: tracekeeper::config
//
// Any text as the sidecar's configuration: refused with a sentence, or read into values that pass
// their own check and survive being written and read again.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/config/sidecar_config.h"

namespace config = tracekeeper::config;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Require(text.ends_with(config::BodyOf(text)));
  const auto read = config::DecodeSidecarConfig(text);
  if (!read) {
    Require(!read.error().message.empty());
    return 0;
  }
  Require(config::CheckSidecarConfig(read->config).empty());
  const std::string body = config::EncodeSidecarConfig(read->config);
  const auto again = config::DecodeSidecarConfig(body);
  Require(again.has_value());
  Require(again->config == read->config);
  Require(config::EncodeSidecarConfig(again->config) == body);
  return 0;
}
