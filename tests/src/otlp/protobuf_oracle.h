#pragma once
// What libprotobuf reads in an OTLP request, as text, to compare TelemetryScanner with.
//
// Threads:  one thread at a time.
// Failure:  nothing for bytes that libprotobuf refuses.

#include <optional>
#include <string>
#include <string_view>

#include "src/otlp/signal.h"

namespace tracekeeper::otlp {

struct OracleAnswer {
  std::string text;       // a line for each resource, scope, span and log record
  std::string canonical;  // the request as libprotobuf writes it
};
std::optional<OracleAnswer> AskProtobuf(Signal signal, std::string_view request);

/// The same lines from TelemetryScanner; nothing when it refuses.
std::optional<std::string> AskScanner(Signal signal, std::string_view request);

}  // namespace tracekeeper::otlp
