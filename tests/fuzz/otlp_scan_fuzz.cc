// DEPENDS: tracekeeper::otlp
// SOURCES: ../src/otlp/protobuf_oracle.cc
// LIBRARIES: protobuf::libprotobuf
//
// Any bytes as a request of traces and of logs: what the scanner takes, libprotobuf takes and reads
// the same; what libprotobuf takes and writes again, the scanner takes and reads the same.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tests/src/otlp/protobuf_oracle.h"

namespace otlp = tracekeeper::otlp;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void Check(otlp::Signal signal, std::string_view request) {
  const auto ours = otlp::AskScanner(signal, request);
  const auto theirs = otlp::AskProtobuf(signal, request);
  if (ours) Require(theirs && *ours == theirs->text);
  if (!theirs) return;
  const auto again = otlp::AskProtobuf(signal, theirs->canonical);
  Require(again && otlp::AskScanner(signal, theirs->canonical) == again->text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view request(reinterpret_cast<const char*>(data), size);
  Check(otlp::Signal::kTraces, request);
  Check(otlp::Signal::kLogs, request);
  return 0;
}
