#pragma once
// TranscodeZipkinSpan turns one span of Zipkin's JSON, version 1 or 2, into OTLP protobuf.
//
// A span of version 1 has no kind but annotations: `cs` or `cr` make it the client's, `sr` or `ss`
// the server's; with both it holds both halves and becomes two spans of one id. Times are
// microseconds; the tag `error` is the status.
//
// Threads:  pure.
// Failure:  kDecode with the reason; nothing is appended then.
// Source:   Zipkin API v1 and v2 (openapi of zipkin-api).

#include <string>
#include <string_view>

#include "src/base/result.h"

namespace tracekeeper::otlp {

/// Appends to `requests`; how many spans it became.
Result<std::size_t> TranscodeZipkinSpan(std::string_view span, std::string& requests);

}  // namespace tracekeeper::otlp
