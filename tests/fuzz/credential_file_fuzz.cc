// DEPENDS: tracekeeper::sidecar
//
// Any content as a credential file: refused with a sentence, or a header value that cannot break
// out of its line.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sidecar/credential_file.h"

using tracekeeper::config::AuthScheme;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const AuthScheme scheme : {AuthScheme::kBearer, AuthScheme::kBasic, AuthScheme::kHeader}) {
    const auto value = tracekeeper::sidecar::HeaderValueOf(scheme, text);
    if (!value) {
      Require(!value.error().message.empty());
      continue;
    }
    Require(!value->empty());
    Require(std::none_of(value->Reveal().begin(), value->Reveal().end(), [](char c) {
      return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    }));
  }
  return 0;
}
