#pragma once
// Span contexts as programs hold them, and as headers carry them: W3C Trace Context and B3.
//
// Threads:  values and pure functions.
// Failure:  what cannot be read gives a context that is not valid.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace tracekeeper::truth {

struct SpanContext {
  std::uint64_t trace_high = 0;
  std::uint64_t trace_low = 0;
  std::uint64_t span = 0;
  std::uint64_t parent = 0;  // only B3 sends it
  std::uint8_t flags = 0;    // of the W3C
  std::string tracestate;

  [[nodiscard]] bool valid() const { return (trace_high | trace_low) != 0 && span != 0; }
  [[nodiscard]] bool sampled() const { return (flags & 1U) != 0; }
};

/// Big-endian, as OTLP sends them.
std::string TraceIdBytes(const SpanContext& context);
std::string SpanIdBytes(std::uint64_t id);

using Headers = std::map<std::string, std::string>;

enum class B3Width { k64, k128 };

void InjectW3c(const SpanContext& context, Headers& headers);
void InjectB3(const SpanContext& context, B3Width width, Headers& headers);
SpanContext ExtractW3c(const Headers& headers);
SpanContext ExtractB3(const Headers& headers);

/// The threshold of the tracestate's `ot` member, where that is all it says; -1 where there is
/// none.
std::int64_t ThresholdOf(const std::string& tracestate);
std::string TracestateOf(std::uint64_t threshold);

}  // namespace tracekeeper::truth
