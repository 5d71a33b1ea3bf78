#pragma once
// TranscodeJson turns a request in OTLP's JSON into the protobuf that all else here works on, in
// one pass and without a document in memory.
//
// OTLP's JSON differs from protobuf's own: trace and span ids are hexadecimal, enumerations are
// numbers (names are taken too), 64-bit integers are strings or numbers, bytes are base64. Fields
// of another name are left out, as the specification asks.
//
// Threads:  pure.
// Failure:  kDecode with the offset and the reason for text that is no JSON, nests deeper than
//           kMaxJsonDepth, or has a value of a wrong type; kInvalid beyond `limit` bytes.
// Source:   OTLP specification 1.x, "JSON Protobuf Encoding".

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/otlp/signal.h"

namespace tracekeeper::otlp {

inline constexpr std::size_t kMaxJsonDepth = 64;

/// What a trace or span id may be.
enum class JsonIds : std::uint8_t {
  /// Hexadecimal and as long as the specification says; all else is refused.
  kExact,
  /// Also base64, as Tempo answers, and hexadecimal of any length. What is neither becomes an id of
  /// one byte, so that the span is seen to have an invalid id.
  kAny,
};

/// Appends to `protobuf`.
Status TranscodeJson(Signal signal, std::string_view json, std::size_t limit, std::string& protobuf,
                     JsonIds ids = JsonIds::kExact);

}  // namespace tracekeeper::otlp
