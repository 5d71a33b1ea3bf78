#pragma once
// TranscodeJaegerTrace turns one trace of Jaeger's JSON (an element of `data` in what its query API
// and its UI's download give) into OTLP protobuf.
//
// What Jaeger knows and OTLP says otherwise: the kind is the tag `span.kind`; the first reference
// of type CHILD_OF (else of FOLLOWS_FROM) to the same trace is the parent, all others are links;
// times are microseconds; the tag `error` is the status.
//
// Threads:  pure.
// Failure:  a span that cannot be read is handed to `reject` with the reason, and the rest is
//           read. kDecode where the trace itself is none.
// Source:   Jaeger's model/json (jaeger-idl), as its query service v1 answers.

#include <functional>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace tracekeeper::otlp {

using OnRejectedSpan = std::function<void(const Error& reason)>;

/// Appends to `requests`.
Status TranscodeJaegerTrace(std::string_view trace, const OnRejectedSpan& reject,
                            std::string& requests);

}  // namespace tracekeeper::otlp
