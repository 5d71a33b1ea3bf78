// DEPENDS: tracekeeper::otlp
//
// Any text as a tracestate: what is written into it is read out of it again, and it never grows
// beyond 32 entries.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/otlp/sampler.h"
#include "src/otlp/tracestate.h"

namespace otlp = tracekeeper::otlp;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view tracestate(reinterpret_cast<const char*>(data), size);
  const otlp::OtEntry before = otlp::ReadOtEntry(tracestate);
  constexpr std::uint64_t kThreshold = 0xc0ffee00000000;
  const std::string after = otlp::WithThreshold(tracestate, kThreshold);
  const otlp::OtEntry read = otlp::ReadOtEntry(after);
  Require(read.threshold == kThreshold);
  Require(read.randomness == before.randomness);
  Require(std::count(after.begin(), after.end(), ',') < 32);
  Require(otlp::WithThreshold(after, kThreshold) == after);

  const otlp::Sampler half = *otlp::Sampler::ForRatio("0.5");
  const auto first = half.Decide(otlp::TraceId{1, size * 0x9E3779B97F4A7C15U}, tracestate);
  if (first.keep && first.tracestate) {
    Require(otlp::ReadOtEntry(*first.tracestate).threshold == half.threshold());
  }
  return 0;
}
