#pragma once
// Base64 (RFC 4648, section 4, with padding), as Secrets and admission patches use it. A table of
// our own: the codec layer has no TLS library, and the patch of each pod passes here.
//
// Threads:  pure functions.
// Failure:  decoding is strict: kDecode for other characters, line breaks or padding that is wrong.

#include <string>
#include <string_view>

#include "src/base/result.h"

namespace tracekeeper::codec {

[[nodiscard]] std::string EncodeBase64(std::string_view bytes);
[[nodiscard]] Result<std::string> DecodeBase64(std::string_view text);

}  // namespace tracekeeper::codec
